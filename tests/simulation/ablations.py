"""The running system with one safeguard removed: tier 1 must see that it is gone, or it proves nothing.

Around one simulation. Safeguards are taken out by patches of the product's code, made here and nowhere in it;
those of the database by tables without a key, and by transactions that hold nothing while they read.

Who covers whom. Two writers of one room are stopped by three things: the shard's lease, locked and compared
in the transaction; the room's head, locked; the unique keys (room, seq) and (uuid, room, user). Any of them
suffices to keep the log gapless and without repeats, so head lock and keys are removed together with the
lease check. The lease check alone is missed where an owner that was paused stores what its successor has
refused. The unique key's other half is that repeats are found by it: without that every repeat is a second
message. Deletion after the commit and reading from 0 are covered by clients that repeat; people who lose
patience show that the entry is gone. Held events matter only where an event overtakes the answer to a
`select_room` and nothing comes after it: somebody is greeted who just came in. A stale read of `authenticate`
matters where an invitation overtakes the answer on a gateway that hears nothing of the user yet. The next
recheck, after up to 60 s, or the next invitation mends it: its run allows for 5 s and invites at intervals,
and its faults lose no notice that a gateway had asked for.

An erasure waits for what its own batch writes: rows are there only afterwards. A batch has both if one sweep
found both, as after a lost wake-up.
"""

import math
from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from time import perf_counter
from typing import Any, Final

from django.db import transaction
from django.db.models import F

from roomlog import departures
from roomlog import erasure as asking
from roomlog.models import Membership
from roomlog_gateway import gateway
from roomlog_gateway.rooms.authentication import Authentication
from roomlog_gateway.rooms.delivery import Delivery, Release
from roomlog_gateway.rooms.gap_fetcher import GapFetcher
from roomlog_gateway.rooms.head_poll import HeadPoll
from roomlog_gateway.sockets.outbox import Frame, Outbox, Push
from roomlog_worker import decisions, writer
from roomlog_worker.bus import Bus, RawEntry
from roomlog_worker.consumer import Consumer
from roomlog_worker.entries import Entry
from roomlog_worker.leases import LeaseKeeper
from roomlog_worker.log import batch, erasure, rules
from roomlog_worker.log.rules import members

from .ablation import Ablation, Patches, run_without
from .block_ablations import BLOCK_ABLATIONS
from .change_ablations import CHANGE_ABLATIONS
from .content_ablations import CONTENT_ABLATIONS
from .file_ablations import FILE_ABLATIONS
from .hook_ablations import HOOK_ABLATIONS
from .joining_ablations import JOINING_ABLATIONS
from .mark_ablations import MARK_ABLATIONS
from .mention_ablations import MENTION_ABLATIONS
from .moderation_ablations import MODERATION_ABLATIONS
from .plan import Plan
from .presence_ablations import PRESENCE_ABLATIONS
from .receipt_ablations import RECEIPT_ABLATIONS
from .replica_ablations import REPLICA_ABLATIONS
from .retention_ablations import RETENTION_ABLATIONS
from .seeds import Verdict, run_seed
from .typing_ablations import TYPING_ABLATIONS

_commit, _own, _taken = Consumer._commit, Bus._own, Bus._taken
_erase_messages = erasure.erase_messages


def _nothing_known(ids: Sequence[int]) -> dict[Any, Any]:
    """Find no repeats."""
    return {}


def _nothing_lost(*_: object) -> set[int]:
    """Take every lease for one's own."""
    return set()


def _delete_and_commit(consumer: Consumer, entries: Sequence[Entry]) -> Any:
    """Delete the entries, and then do what they say."""
    done: defaultdict[str, list[str]] = defaultdict(list)
    for entry in entries:
        if entry.stream:
            done[entry.stream].append(entry.id)
    consumer._bus.finish((), done)
    return _commit(consumer, entries)


def _answer_and_commit(consumer: Consumer, entries: Sequence[Entry]) -> Any:
    """Publish and delete within the transaction."""
    outer: Any = transaction.atomic()
    outer._from_testcase = True  # else the inner one must be the outermost
    with outer:
        return _commit(consumer, entries)


def _take_and_remember(bus: Any, found: Any, few: int, many: int) -> list[RawEntry]:
    """Read on behind the last entry, done or not."""
    entries = _taken(bus, found, few, many)
    seen = vars(bus).setdefault("seen", {})
    seen |= {stream: last for stream, (last, _) in bus._unfinished.items()}
    bus._after |= seen
    return entries


def _own_and_remember(bus: Any, owned: Set[int]) -> None:
    """Begin where this process has ever been."""
    _own(bus, owned)
    bus._after |= {
        stream: last for stream, last in vars(bus).get("seen", {}).items() if stream in bus._streams
    }


def _erase_rows_alone(batch: Any, command: Any) -> Any:
    """Erase what is stored, whatever this batch will store."""
    return _erase_messages(replace(batch, events=[]), command)


def _take_memberships(person: int) -> None:
    """Delete the rows, as a foreign key that cascades would."""
    Membership.objects.filter(user=person).delete()


async def _no_poll(heads: HeadPoll) -> None:
    """Ask for no heads."""


def _nothing(*_: object) -> None:
    """Do nothing."""


def _release_without_held(delivery: Delivery, head: int) -> Release:
    """Go on from the answer as if nothing had come since the question."""
    delivery._selects -= 1
    return Release([], is_cut=False)


async def _read_once(
    authentication: Authentication, session: Any, pinned: list[Any], announced: Any = ()
) -> Any:
    """Trust what was read before the subscription."""
    held = set(session.rooms)
    identified = await authentication._identify(session.login)
    if identified.user is not None:
        authentication._members.attach(session, identified.user.id)
        missing = [summary.id for summary in identified.rooms if summary.id not in held]
        pinned.extend(await authentication._members.pin(identified.user.id, missing, authentication.recheck))
    return identified


def _push_without_bound(outbox: Outbox, frame: Frame) -> Push:
    """Keep every event, however many wait."""
    outbox._event_bytes += frame.size
    outbox._events += frame.events
    outbox._frames.append(frame)
    if outbox.is_scheduled:
        return Push.QUEUED
    outbox.is_scheduled = True
    return Push.FIRST


def catches(ablation: Ablation, verdict: Verdict) -> str:
    """Return the first anomaly that shows that the safeguard is gone; empty where there is none."""
    return next((one for one in verdict.anomalies if one.startswith(ablation.invariants)), "")


@dataclass(frozen=True)
class Catch:
    """How an ablation was caught, or that it was not."""

    place: int
    """In `ABLATIONS`."""
    seed: int | None
    anomaly: str
    tried: int
    seconds: float


@cache
def holds(seed: int, plan: Plan) -> bool:
    """Tell whether the seed holds every promise with all safeguards; many ablations ask of the same run."""
    return not run_seed(seed, plan).anomalies


def catch(place: int, first: int | None, most: int) -> Catch:
    """Look for a seed that catches an ablation: `first` if there is one, then the hint, then the others.

    The same run with the safeguard must hold every promise, or the anomaly is another's.
    """
    ablation, began = ABLATIONS[place], perf_counter()
    firsts = [ablation.hint] if first is None else [first, ablation.hint]
    seeds = dict.fromkeys([*firsts, *range(most)])
    for tried, seed in enumerate(seeds, start=1):
        verdict = run_without(ablation, seed)
        found = catches(ablation, verdict)
        if found and holds(seed, ablation.plan):
            return Catch(place, seed, found, tried, perf_counter() - began)
    return Catch(place, None, "", len(seeds), perf_counter() - began)


_PAUSES: Final = Plan(
    kinds=("pause_worker", "slow_database_down"), faults=(3, 5), steps=("before_read",), messages=(80, 120)
)
_JOINS: Final = Plan(
    kinds=("delay_replies", "delay_replies", "delay_replies", "kill_gateway"),
    faults=(8, 12),
    messages=(8, 16),
    changes=(3, 5),
    churn_seconds=(1.0, 2.5),  # else the next invitation tells what was missed of the last one
    guests=(9,),
    visits=2.0,
    told_seconds=5.0,
)
_LATE_ANSWERS: Final = Plan(
    kinds=("delay_replies", "delay_replies", "cut_socket"),
    faults=(8, 16),
    messages=(8, 16),
    changes=(6, 9),
    visits=1.5,
    greetings=1,
)
_ERASURES: Final = Plan(
    kinds=("lose_wake_ups", "stop_redis", "kill_worker"), faults=(3, 5), messages=(12, 24), erasures=(2, 3)
)
_DEPARTURES: Final = Plan(
    kinds=("kill_worker", "slow_database_down"), faults=(1, 2), messages=(8, 16), departures=1.0
)
_STALE_BATCHES: Final = Plan(
    kinds=("pause_worker",),
    faults=(1, 1),
    steps=("read",),
    pauses=((11.0, 14.0),),
    messages=(4, 4),
    changes=(5, 5),
    guests=(1,),
    tries=4,
)
_NO_LEASE_CHECK: Final[Patches] = (
    (writer, "not_mine", _nothing_lost),
    (writer.Writer, "_write_single", _nothing),  # its statement compares too
    (LeaseKeeper, "still_owns", lambda *_: True),
)

ABLATIONS: Final = (
    Ablation(
        "the unique key, by which repeats are found",
        ((batch, "_known", _nothing_known),),
        ("command_once",),
        invariants=("I2",),
    ),
    Ablation(
        "head lock, lease check and unique keys",
        _NO_LEASE_CHECK,
        ("command_once", "seq_once"),
        has_row_locks=False,
        plan=_PAUSES,
        invariants=("I2", "I3"),
        hint=4,
    ),
    Ablation("the lease check", _NO_LEASE_CHECK, plan=_STALE_BATCHES, invariants=("I10",), hint=30),
    Ablation(
        "reading from 0",
        (
            (Bus, "_taken", _take_and_remember),
            (Bus, "_own", _own_and_remember),
            (Bus, "rewind", _nothing),
        ),
        plan=Plan(kinds=("wipe_redis", "lose_commit")),
        hint=1,
    ),
    Ablation(
        "deletion after the commit",
        ((Consumer, "_commit", _delete_and_commit),),
        plan=Plan(kinds=("kill_worker", "lose_commit", "stop_database"), faults=(4, 8)),
        hint=5,
    ),
    Ablation(
        "answers after the commit",
        ((Consumer, "_commit", _answer_and_commit),),
        plan=Plan(kinds=("lose_commit", "kill_worker", "stop_database"), faults=(4, 8)),
        invariants=("I1",),
        hint=2,
    ),
    Ablation(
        "the heads poll",
        # A recheck after a lost link finds heads too.
        patches=((HeadPoll, "run", _no_poll), (gateway, "LOST_SLOTS", gateway.RECHECK_SLOTS)),
        plan=Plan(kinds=("lose_notices", "cut_link", "cut_gateway_off"), faults=(4, 8)),
        invariants=("I9",),
        hint=7,
    ),
    Ablation(
        "the gap fetch",
        patches=((GapFetcher, "watch", _nothing), (GapFetcher, "doubt", _nothing)),
        invariants=("I9",),
        hint=3,
    ),
    Ablation(
        "held events on select_room",
        patches=((Delivery, "_hold", _nothing), (Delivery, "release", _release_without_held)),
        plan=_LATE_ANSWERS,
        invariants=("I9",),
        hint=7,
    ),
    Ablation(
        "the second read on authenticate",
        patches=((Authentication, "_read_and_subscribe", _read_once),),
        plan=_JOINS,
        invariants=("G5", "I9"),
        hint=1,
    ),
    Ablation("the body hash", ((rules, "hash_of", lambda command, data: ""),), invariants=("I5",)),
    Ablation(
        "the sweep of pending commands",
        (
            (Consumer, "_next_sweep", property(lambda _: math.inf, _nothing)),
            (Consumer, "_without_redis", _nothing),
        ),
        plan=Plan(kinds=("stop_redis", "wipe_redis", "fill_redis"), faults=(4, 8)),
        hint=4,
    ),
    Ablation(
        "the wait of an erasure for its own batch",
        ((decisions, "erase_messages", _erase_rows_alone),),
        plan=_ERASURES,
        invariants=("I15",),
        hint=3,
    ),
    Ablation(
        "waiting commands in an erasure",
        ((asking, "_place", _nothing),),
        plan=_ERASURES,
        invariants=("I15",),
        hint=3,
    ),
    Ablation(
        "the end of the hash in an erasure",
        ((erasure, "ERASED", F("body_hash")),),
        plan=_ERASURES,
        invariants=("I15",),
    ),
    Ablation("repeats of erased messages", ((rules, "ERASED", None),), plan=_ERASURES, invariants=("I15",)),
    Ablation(
        "a deleted account's removals as events",
        ((departures, "_leave_all_rooms", _take_memberships),),
        plan=_DEPARTURES,
        invariants=("I16",),
    ),
    Ablation(
        "the look at who is invited",
        ((members, "hold_active", set),),
        plan=_DEPARTURES,
        invariants=("I16",),
        hint=2,
    ),
    Ablation(
        "the outbox bound",
        patches=((Outbox, "push_event", _push_without_bound),),
        plan=Plan(kinds=("stall_socket",)),
        invariants=("I12",),
        hint=4,
    ),
    *CONTENT_ABLATIONS,
    *MARK_ABLATIONS,
    *CHANGE_ABLATIONS,
    *MODERATION_ABLATIONS,
    *TYPING_ABLATIONS,
    *PRESENCE_ABLATIONS,
    *RECEIPT_ABLATIONS,
    *MENTION_ABLATIONS,
    *JOINING_ABLATIONS,
    *RETENTION_ABLATIONS,
    *FILE_ABLATIONS,
    *HOOK_ABLATIONS,
    *REPLICA_ABLATIONS,
    *BLOCK_ABLATIONS,
)
