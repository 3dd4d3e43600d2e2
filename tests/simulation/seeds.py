"""One seed, from the first connection to the verdict; and many of them, on all cores.

The whole of tier 1 but for its report. The same seed gives the same history, byte for byte.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.blocking import settle_blocks
from tests.harness.receipts import know_all
from tests.harness.watching import watch_all, watch_some
from tests.judge.blocks import Blocks
from tests.judge.checker.report import in_flight
from tests.judge.history import History, Outcome
from tests.judge.joining import NO_DOORS
from tests.judge.retention import Retention

from .blockers import block_some
from .files import bring_some
from .habits import look_back, new_uuid, report_some, show_some
from .hooks import Hooks
from .joining import join_some
from .judging import anomalies_of, history_of
from .keeping import KEPT_SECONDS, Keeping
from .knobs import turned
from .loop import SimulatedLoop, run
from .mishaps import Mishaps
from .people import People
from .plan import EVERYTHING, MORE_SHARDS, Plan
from .replica import LateReplica
from .store import Store, new_store
from .watch import watch
from .world import World

REST_SECONDS: Final = 30.0
"""G9: so long after the last fault everything has reached everybody."""
END_SECONDS: Final = 60.0
"""For the answers of what was repeated: a reconnect, an authenticate and a time-out of the outbox."""
Weaken = Callable[[World], None]
MEMBER_SECONDS: Final = 65.0
"""A member whose notice was lost is found by the recheck of each 60 s."""


@dataclass
class Verdict:
    """What one seed showed."""

    digest: str
    anomalies: list[str]
    operations: Counter[str]
    faults: Counter[str]
    in_flight: int
    """Sendings that were unanswered when a fault began."""
    seconds: float
    """Virtual ones."""
    singles: int = 0
    """Rows that were stored by the way of a message that is alone in its batch."""
    tokens: int = 0
    """Tokens that people were asked for, where tokens end."""
    history: History | None = field(default=None, repr=False)


def run_seed(seed: int, plan: Plan = EVERYTHING, weaken: Weaken = lambda world: None) -> Verdict:
    """Run one world to its rest and judge it; `weaken` takes something away before its processes start."""
    structlog.configure(processors=[_silent])
    with new_store() as store:
        return run(lambda loop: _live(loop, store, seed, plan, weaken), seed)


async def _live(loop: SimulatedLoop, store: Store, seed: int, plan: Plan, weaken: Weaken) -> Verdict:
    dice, began = random.Random(seed), loop.time()
    with ExitStack() as patches:
        patches.enter_context(turned(dice))
        shards = MORE_SHARDS if _is_drawn(seed, "shards", plan.shards) else DEFAULT_SHARDS
        world = World(loop, dice, store, shards)
        world.tokens_end = _is_drawn(seed, "tokens", plan.ending_tokens)
        world.keeping, world.hooks = _keeping_of(seed, plan), _hooks_of(loop, seed, plan)
        world.replica = _replica_of(loop, store, seed, plan)
        weaken(world)
        patches.enter_context(world.running())
        await world.start()
        people = People(world, plan)
        _draw_habits(world, people, seed, plan)
        mishaps = Mishaps(world, plan)
        watching = loop.create_task(watch(world, people, plan.told_seconds))
        living = loop.create_task(people.live())
        looking = _looking(world, people, seed, plan)
        telling = loop.create_task(world.hooks.live()) if world.hooks is not None else None
        showing = _showing(world, people, seed, plan)
        await mishaps.happen()
        mishaps.end_all()
        mended_at = loop.time()
        is_over = await _is_true_within(END_SECONDS, lambda: living.done() and showing.done())
        people.wake_up()
        await _is_true_within(REST_SECONDS, lambda: not (people.is_behind() or world.store.pending()))
        await _outlast(world, people)
        await _is_true_within(REST_SECONDS, lambda: all(one.hears(mended_at) for one in world.hosts.values()))
        await _settle(world, people, looking, telling, is_shown=_is_drawn(seed, "receipts", plan.receipts))
        history = history_of(world, seed, at_rest=True)
        await _is_true_within(MEMBER_SECONDS, lambda: not (people.strangers() or people.intruders()))
        anomalies = anomalies_of(world, people, history)
        if not is_over:
            anomalies.append("G9 not everything that was sent has an end")
        for task in (watching, living, showing):
            task.cancel()
        await asyncio.gather(living, showing, return_exceptions=True)
        await people.leave()
        await world.stop()
    return _verdict(world, history, anomalies, loop.time() - began)


async def _settle(
    world: World,
    people: People,
    looking: asyncio.Task[None] | None,
    telling: asyncio.Task[None] | None,
    *,
    is_shown: bool,
) -> None:
    """Let everybody read everything afresh and be told who is there and who has read what, for comparison."""
    readers = [one.reader for one in people.everybody]
    await settle_blocks(world.journal.blocks, readers, partial(new_uuid, world.dice))
    await people.mark_all()
    await people.look_at_all()
    if looking is not None:
        looking.cancel()
        await watch_all(world.journal, readers)
    if is_shown:
        await know_all(world.journal, readers, lambda: world.store.tables().receipts)
    await _tell(world, telling)


def _looking(world: World, people: People, seed: int, plan: Plan) -> asyncio.Task[None] | None:
    """Begin to let people look at rooms, by dice of their own, where that is drawn."""
    dice = _dice_of(seed, "watching", plan.watching)
    if dice is None:
        return None
    rooms = [room.hex for room in world.rooms]
    readers = lambda: [one.reader for one in people.everybody]  # noqa: E731 - they come one after the other
    return world.loop.create_task(watch_some(readers, rooms, dice, lambda: True))


def _showing(world: World, people: People, seed: int, plan: Plan) -> asyncio.Future[None]:
    """Begin to let people turn receipts on and off, by dice of their own, where that is drawn."""
    dice = _dice_of(seed, "receipts", plan.receipts)
    if dice is None:
        done: asyncio.Future[None] = world.loop.create_future()
        done.set_result(None)
        return done
    return world.loop.create_task(show_some(people.everybody, dice, [room.hex for room in world.rooms]))


def _keeping_of(seed: int, plan: Plan) -> Keeping | None:
    dice = _dice_of(seed, "retention", plan.retention)
    return None if dice is None else Keeping(dice)


def _hooks_of(loop: SimulatedLoop, seed: int, plan: Plan) -> Hooks | None:
    dice = _dice_of(seed, "webhooks", plan.webhooks)
    return None if dice is None else Hooks(loop, dice)


def _replica_of(loop: SimulatedLoop, store: Store, seed: int, plan: Plan) -> LateReplica | None:
    dice = _dice_of(seed, "replica", plan.replica)
    return None if dice is None else LateReplica(store.path, dice, loop.time)


async def _tell(world: World, telling: asyncio.Task[None] | None) -> None:
    """Wait until all that goes wrong with a webhook has, and then until it is told of everything."""
    if world.hooks is not None and telling is not None:
        await telling
        hooks = world.hooks
        await _is_true_within(REST_SECONDS, lambda: hooks.has_told(world.store))


async def _outlast(world: World, people: People) -> None:
    """Wait until what was said is pruned, if anything is, and let somebody come then."""
    if world.keeping is not None:
        await asyncio.sleep(KEPT_SECONDS)
        await people.come_late()
        await _is_true_within(REST_SECONDS, lambda: not people.is_behind())


def _draw_habits(world: World, people: People, seed: int, plan: Plan) -> None:
    people.posts_cards = _is_drawn(seed, "cards", plan.cards)
    people.archives_rooms = _is_drawn(seed, "archives", plan.archives)
    people.typing = _dice_of(seed, "typing", plan.typing)
    people.mentioning = _dice_of(seed, "mentions", plan.mentions), _dice_of(seed, "calls", plan.calls)
    people.noting = _dice_of(seed, "levels", plan.levels)
    if dice := _dice_of(seed, "files", plan.files):
        people.apart.append(bring_some(world, people.everybody, dice))
    if dice := _dice_of(seed, "blocks", plan.blocks):
        people.apart.append(block_some(world.journal.blocks, people.everybody, dice))
    if dice := _dice_of(seed, "reports", plan.reports):
        people.apart.append(report_some(world.journal.reports, people.everybody, dice))
    people.naming = _dice_of(seed, "topics", plan.topics)
    if dice := _dice_of(seed, "looking back", plan.replica):
        people.apart.append(look_back(people.everybody, dice))
    if dice := _dice_of(seed, "joining", plan.joining):
        people.apart.append(join_some(world, people.everybody, dice))


def _is_drawn(seed: int, what: str, likely: float) -> bool:
    """Decide apart from all else that is drawn: a seed without it keeps its history."""
    return random.Random(f"{seed} {what}").random() < likely


def _dice_of(seed: int, what: str, likely: float) -> random.Random | None:
    """Return dice of their own for a habit, where it is drawn."""
    return random.Random(f"{seed} {what} dice") if _is_drawn(seed, what, likely) else None


async def _is_true_within(seconds: float, condition: Any) -> bool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not condition():
        if loop.time() > deadline:
            return False
        await asyncio.sleep(0.2)
    return True


def _digest(history: History) -> str:
    """Return what tells histories apart; what did not happen leaves them as before it was known of."""
    facts = msgspec.to_builtins(history)
    for name in ("erasures", "departures", "typed", "typists"):
        if not facts[name]:
            del facts[name]
    if not any(history.topics.values()):
        del facts["topics"], facts["names"]
    if history.doors == NO_DOORS:
        del facts["doors"]
    if history.shards == DEFAULT_SHARDS:
        del facts["shards"]
    if not history.attendance.told:
        del facts["attendance"]
    if history.deliveries.since is None:
        del facts["deliveries"]
    if not history.reports.asked:
        del facts["reports"]
    if history.blocks == Blocks():
        del facts["blocks"]
    if not history.receipts.told and not history.receipts.at_rest:
        del facts["receipts"]
    if history.retention == Retention():
        del facts["retention"]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def _verdict(world: World, history: History, anomalies: list[str], seconds: float) -> Verdict:
    outcomes = Counter(attempt.outcome.value for attempt in history.attempts())
    return Verdict(
        _digest(history),
        anomalies,
        Counter({outcome.value: outcomes[outcome.value] for outcome in Outcome}),
        Counter(fault.name for fault in history.faults),
        sum(in_flight(history, fault) for fault in history.faults),
        seconds,
        world.singles,
        world.tokens_given,
        history,
    )


def _silent(logger: Any, method: str, event: Any) -> Any:
    raise structlog.DropEvent
