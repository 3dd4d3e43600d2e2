"""What becomes of commands, decided on an open batch, in order; then the frames. Between writer and log.

Pure but for the rare names of further people: nothing is stored here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from roomlog_contract.commands import CreateRoom, InviteUser, LeaveRoom, NewMessage, RemoveUser
from roomlog_contract.events import RoomSummary, User
from roomlog_store.frames import Event, frame_of, named_in
from roomlog_store.selectors import summaries_of, users_by_id
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.errors import HeldElsewhere, RefusedWrite

from .entries import Entry
from .outcomes import Outcome, Recorded, Refused, brings_members

MEMBER_CHANGES_AT_ONCE: Final = 16
"""Members who come or go in a transaction: each takes as long as some ten messages."""
ROOM_CHANGES: Final = 8
"""What a new room counts as: it may have a hundred members, and takes as long as hundreds of messages."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A command that is an event, or will be one when the batch is stored."""

    entry: Entry
    written: rules.Written
    epoch: str


def few_changes(entries: Iterable[Entry]) -> list[Entry]:
    """Return what one transaction takes: few changes of members, and nothing behind one that is left out.

    One person's crowd of rooms or invitations must not hold up what others say.
    """
    left_out: set[UUID] = set()
    taken: list[Entry] = []
    changes = 0
    for entry in entries:
        count = _changes(entry)
        if count and changes and changes + count > MEMBER_CHANGES_AT_ONCE:
            left_out.add(entry.room)
        if entry.room not in left_out:
            changes += count
            taken.append(entry)
    return taken


def _changes(entry: Entry) -> int:
    match entry.write:
        case CreateRoom():
            return ROOM_CHANGES
        case InviteUser() | RemoveUser() | LeaveRoom():
            return 1
        case _:
            return 0


def decide_all(batch: Batch, entries: Iterable[Entry]) -> list[Decision | Refused]:
    """Decide in order; entries of rooms that others hold wait, and who changes a room where one was refused.

    A refusal leaves no row. If this process died before it deletes the entry, the entry would be decided
    again: in a room that has changed since it could be stored, behind what was sent after it.
    """
    waiting = set(batch.held_by_others)
    refused: set[UUID] = set()
    decided: list[Decision | Refused] = []
    for entry in entries:
        if entry.room in refused and not isinstance(entry.write, NewMessage):
            waiting.add(entry.room)
        if entry.room in waiting:
            continue
        try:
            decision = decide(batch, entry)
        except HeldElsewhere:
            waiting.add(entry.room)
            continue
        if isinstance(decision, Refused):
            refused.add(entry.room)
        decided.append(decision)
    return decided


def decide(batch: Batch, entry: Entry) -> Decision | Refused:
    """Make one command an event of the batch, or tell why it becomes nothing."""
    envelope = entry.envelope
    try:
        written = rules.carry_out(batch, entry.write, envelope.user, staff=envelope.staff)
    except RefusedWrite as refused:
        return Refused(entry, refused.code, refused.message, refused.retry_after_ms)
    return Decision(entry, written, batch.rooms[written.event.room_id].epoch)


def outcomes(decided: Sequence[Decision | Refused], known: Mapping[int, User]) -> list[Outcome]:
    """Return what the commands became, with the frames; ids are known from here on. `known` are senders."""
    recorded = [decision for decision in decided if isinstance(decision, Decision)]
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


def _everybody(recorded: Sequence[Decision], known: Mapping[int, User]) -> Mapping[int, User]:
    """Return all whom the events name: few name more people than their commands did."""
    named = {number for decision in recorded for number in named_in(decision.written.event)}
    unknown = named - known.keys()
    return {**known, **users_by_id(unknown)} if unknown else known


def _joined(recorded: Sequence[Decision]) -> dict[tuple[int, str], list[tuple[int, RoomSummary]]]:
    """Return, by entry's key, whom each command made a member and who still is one."""
    brought = {
        decision.entry.key: (decision.written.event.room_id, _members(decision.written.event))
        for decision in recorded
        if brings_members(decision.entry)
    }
    if not brought:
        return {}
    rooms = summaries_of({(room, user) for room, users in brought.values() for user in users})
    return {
        key: [(user, rooms[room, user]) for user in users if (room, user) in rooms]
        for key, (room, users) in brought.items()
    }


def _members(event: Event) -> set[int]:
    data = event.data or {}
    return {data["member"]} if "member" in data else {number for number, _ in data["members"]}
