"""One transaction for a batch: leases, heads, repeats, events, COMMIT; then the frames.

The stage between the stream and the publication. Raises what the database raises: whose fault it was
is decided by the consumer.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import encode
from roomlog_contract.events import RoomSummary, User
from roomlog_store import services
from roomlog_store.batch import Batch, open_batch
from roomlog_store.errors import RefusedWrite
from roomlog_store.frames import frame_of
from roomlog_store.leases import lock_leases, not_mine
from roomlog_store.models import DeadLetter, PendingCommand, RoomEvent
from roomlog_store.selectors import summaries_by_user, users_by_id

from .crash import CrashPoint
from .entries import Entry
from .errors import LeaseLost
from .leases import LeaseKeeper
from .outcomes import Outcome, Recorded, Refused, brings_members


@dataclass(frozen=True, slots=True)
class _Decision:
    entry: Entry
    written: services.Written
    epoch: str


class Writer:
    """Writes batches of entries of shards that this process owns."""

    def __init__(self, leases: LeaseKeeper, crash: CrashPoint) -> None:
        self._leases = leases
        self._crash = crash

    def write(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Commit the entries in order and return what became of each; those that must wait are left out.

        Raises:
            LeaseLost: nothing was written; the entries of the named shards are another's work.
        """
        with transaction.atomic(durable=True):
            epochs = self._epochs({entry.shard for entry in entries})
            wanted = [services.wanted_by(entry.write, entry.envelope.user) for entry in entries]
            batch = open_batch(wanted, timezone.now(), epochs)
            if lost := not_mine(epochs, self._leases.uuid, batch.leases):
                raise LeaseLost(lost)
            decided = _decide_all(batch, entries)
            _delete_pending(decision.entry for decision in decided)
            self._crash.reached("in_transaction")
            batch.store(commits=True)
        return _outcomes(decided, batch.users)

    def bury(self, entry: Entry, error: str) -> bool:
        """Keep an entry that can't be carried out where people find it; it will not be tried again.

        Returns False where its command is an event all the same: what failed came after the commit.
        """
        command = entry.envelope.command
        with transaction.atomic():
            epochs = self._epochs({entry.shard})
            if lost := lock_leases(epochs, self._leases.uuid):
                raise LeaseLost(lost)
            _keep_letter(
                entry.shard,
                entry.key[1],
                action=entry.action,
                uuid=command.uuid,
                room=getattr(command, "room", None),
                error=error,
                envelope=encode(entry.envelope),
            )
            _delete_pending([entry])
            return entry.is_read or not services.is_event(entry.write, entry.envelope.user)

    def bury_undecodable(self, shard: int, label: str, value: bytes, pending: int | None = None) -> None:
        """Keep what no release that this one knows has written: perhaps a newer one's gateway did."""
        with transaction.atomic():
            _keep_letter(shard, label, error="undecodable", envelope=value)
            if pending is not None:
                PendingCommand.objects.filter(pk=pending).delete()

    def _epochs(self, shards: Collection[int]) -> dict[int, int]:
        """Return the epochs that the shards' leases must have."""
        return {shard: self._leases.epochs.get(shard, -1) for shard in shards}


def _outcomes(decided: Sequence[_Decision | Refused], known: Mapping[int, User]) -> list[Outcome]:
    recorded = [decision for decision in decided if isinstance(decision, _Decision)]
    users = _everybody(recorded, known)
    joined = _joined(recorded)
    return [
        decision
        if isinstance(decision, Refused)
        else Recorded(
            decision.entry,
            decision.written.event,
            decision.epoch,
            frame_of(decision.written.event, decision.epoch, users),
            decision.written.duplicate,
            joined.get(decision.entry.key, ()),
        )
        for decision in decided
    ]


def _everybody(recorded: Sequence[_Decision], known: Mapping[int, User]) -> Mapping[int, User]:
    """Return all whom the events name: few name more people than their commands did."""
    named = {number for decision in recorded for number in decision.written.event.names()}
    unknown = named - known.keys()
    return {**known, **users_by_id(unknown)} if unknown else known


def _decide_all(batch: Batch, entries: Iterable[Entry]) -> list[_Decision | Refused]:
    """Decide in order; entries of rooms that others hold wait, and who changes a room where one was refused.

    A refusal leaves no row. If this process died before it deletes the entry, the entry would be decided
    again: in a room that has changed since it could be stored, behind what was sent after it.
    """
    waiting = set(batch.held_by_others)
    refused: set[UUID] = set()
    decided: list[_Decision | Refused] = []
    for entry in entries:
        if entry.room in refused and not isinstance(entry.write, NewMessage):
            waiting.add(entry.room)
        if entry.room in waiting:
            continue
        decision = _decide(batch, entry)
        if isinstance(decision, Refused):
            refused.add(entry.room)
        decided.append(decision)
    return decided


def _decide(batch: Batch, entry: Entry) -> _Decision | Refused:
    envelope = entry.envelope
    try:
        written = services.carry_out(batch, entry.write, envelope.user, staff=envelope.staff)
    except RefusedWrite as refused:
        return Refused(entry, refused.code, refused.message)
    return _Decision(entry, written, batch.rooms[written.event.room_id].epoch)


def _keep_letter(shard: int, label: str, **facts: object) -> None:
    DeadLetter.objects.get_or_create(shard=shard, entry=label, defaults=facts)


def _delete_pending(entries: Iterable[Entry]) -> None:
    if rows := [entry.pending for entry in entries if entry.pending is not None]:
        PendingCommand.objects.filter(pk__in=rows).delete()


def _joined(recorded: Sequence[_Decision]) -> dict[tuple[int, str], list[tuple[int, RoomSummary]]]:
    """Return, by entry's key, whom each command made a member and who still is one."""
    brought = {
        decision.entry.key: (decision.written.event.room_id, _members(decision.written.event))
        for decision in recorded
        if brings_members(decision.entry)
    }
    if not brought:
        return {}
    summaries = summaries_by_user(set().union(*(users for _, users in brought.values())))
    rooms = {(user, summary.id): summary for user, mine in summaries.items() for summary in mine}
    return {
        key: [(user, rooms[user, room]) for user in users if (user, room) in rooms]
        for key, (room, users) in brought.items()
    }


def _members(event: RoomEvent) -> set[int]:
    data = event.data or {}
    return {data["member"]} if "member" in data else {number for number, _ in data["members"]}
