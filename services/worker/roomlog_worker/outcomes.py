"""What became of an entry, and what Redis must be told of it: notices, deletions, answers.

After the commit, before the next read. Pure: from outcomes to publications, no I/O.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec

from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import CreateRoom, InviteUser
from roomlog_contract.envelope import Answered, HeadMoved, Joined, Notice, Reply
from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from roomlog_contract.events import ErrorAnswer, RoomEventFrame, RoomSummary
from roomlog_store.frames import Event
from roomlog_store.models import RoomEvent

from .bus import Told
from .entries import Entry

_LEAVING: Final = (RoomEvent.Kind.LEAVE_ROOM, RoomEvent.Kind.REMOVE_USER)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The entry is an event of the log, committed."""

    entry: Entry
    event: Event
    epoch: str
    frame: RoomEventFrame
    duplicate: bool
    joined: Sequence[tuple[int, RoomSummary]] = ()
    """Users that are members since this event, with the room as each sees it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The entry became nothing and never will."""

    entry: Entry
    code: ErrorCode
    message: str
    retry_after_ms: int | None = None


Outcome = Recorded | Refused


@dataclass(slots=True)
class Publications:
    """What one batch became and what it sends, in the order in which it must leave."""

    outcomes: Sequence[Outcome] = ()
    notices: list[Told] = field(default_factory=list)
    done: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Entries to delete, by stream."""
    replies: defaultdict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    """Results, by gateway."""
    refusals: defaultdict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    """Errors, by gateway; sent only when it is certain that nobody else carries the entries out."""


def publications(outcomes: Sequence[Outcome]) -> Publications:
    """Return what is published, deleted and answered for a committed batch."""
    out = Publications(outcomes)
    for outcome in outcomes:
        entry = outcome.entry
        if entry.stream:
            out.done[entry.stream].append(entry.id)
        if isinstance(outcome, Recorded):
            _announce(out, outcome)
        else:
            error = error_answer(entry, outcome.code, outcome.message, outcome.retry_after_ms)
            frame = encode_frame(error)
            _reply(out.refusals, entry, frame)
    return out


def event_notice(event: Event, epoch: str, frame: bytes, entry: Entry | None = None) -> Notice:
    """Return the notice of an event; with the entry that caused it, its gateway finds the sender."""
    left = (event.data or {})["member"] if event.kind in _LEAVING else 0
    gateway, request = (entry.envelope.gateway, entry.envelope.request) if entry else ("", 0)
    return Notice(epoch, event.seq, frame, event.user_id, gateway, request, left)


def head_moved(room: UUID, epoch: str, seq: int) -> Told:
    """Return a reminder of a room's head."""
    return room, HeadMoved(epoch, seq)


def error_answer(
    entry: Entry, code: ErrorCode, message: str | None = None, retry_after_ms: int | None = None
) -> ErrorAnswer:
    """Return the error frame of an entry's command."""
    command = entry.envelope.command
    room = getattr(command, "room", msgspec.UNSET)
    return ErrorAnswer(
        uuid=command.uuid,
        action=entry.action,
        error_code=code.value,
        error_message=message or ERROR_MESSAGES[code],
        room=room,
        retry_after_ms=msgspec.UNSET if retry_after_ms is None else retry_after_ms,
    )


def _announce(out: Publications, outcome: Recorded) -> None:
    entry, event = outcome.entry, outcome.event
    frame = encode_frame(outcome.frame)
    # A repeat is published too: its first owner may have died between commit and publication.
    waiting = None if _is_answered_apart(outcome) else entry
    notice = event_notice(event, outcome.epoch, frame, waiting)
    out.notices.append((event.room_id, notice))
    out.notices.extend((user, Joined(summary)) for user, summary in outcome.joined)
    if waiting is None:
        mine = msgspec.structs.replace(
            outcome.frame, uuid=entry.write.uuid, duplicate=True if outcome.duplicate else msgspec.UNSET
        )
        _reply(out.replies, entry, encode_frame(mine))


def _is_answered_apart(outcome: Recorded) -> bool:
    """Tell whether the event on the room's channel can't be the sender's answer."""
    entry = outcome.entry
    return outcome.duplicate or isinstance(entry.write, CreateRoom) or entry.envelope.wants_reply


def _reply(replies: Mapping[str, list[Reply]], entry: Entry, frame: bytes) -> None:
    envelope = entry.envelope
    if envelope.gateway:
        replies[envelope.gateway].append(Answered(envelope.request, frame))


def brings_members(entry: Entry) -> bool:
    """Tell whether the entry's command makes somebody a member."""
    return isinstance(entry.write, CreateRoom | InviteUser)
