"""Builds what a committed batch sends to Redis: notices, deletions, answers.

No I/O, except for two reads: names of people whom no command of the batch named, and rooms of new members.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog

from roomlog.frames import Event, frame_of, named_in
from roomlog.kinds import MESSAGE
from roomlog.selectors import summaries_of, users_by_id
from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import CreateRoom, InviteUser, JoinRoom
from roomlog_contract.envelope import Answered, Joined, Notice, Reply, Rights
from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from roomlog_contract.events import ErrorAnswer, RoomSummary, User
from roomlog_runtime.logs import is_debug

from .bus import ChannelNotice
from .decisions import Outcome
from .entries import Entry, hop_of
from .log.erasure import Erased
from .log.errors import RefusedWrite
from .log.rules import Recorded

log = structlog.get_logger()

_NOBODY: Final[Mapping[int, User]] = {}
_JOINING: Final = (CreateRoom, InviteUser, JoinRoom)
_LEAVING: Final = ("leave_room", "remove_user", "ban_user")
_RIGHTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Rights]]] = {
    "set_role": lambda data: Rights(data["member"], role=data["role"]),
    "mute_user": lambda data: Rights(data["member"], muted=True),
    "unmute_user": lambda data: Rights(data["member"], muted=False),
    "archive_room": lambda data: Rights(archived=True),
    "restore_room": lambda data: Rights(archived=False),
}


@dataclass(slots=True)
class Publications:
    """The outcomes of one batch and what it sends, in the order in which it must leave."""

    outcomes: Sequence[Outcome] = ()
    notices: list[ChannelNotice] = field(default_factory=list)
    done: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Entries to delete, by stream."""
    replies: defaultdict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    """Results, by gateway."""
    refusals: defaultdict[str, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    """Errors, by gateway; sent only when it is certain that no other worker processes the entries."""


def publications(outcomes: Sequence[Outcome], known: Mapping[int, User] = _NOBODY) -> Publications:
    """Return what is published, deleted and answered for a committed batch; `known` are users of it."""
    out = Publications(outcomes)
    users = _everybody(outcomes, known)
    joined = _joined(outcomes)
    if is_debug():
        _trace(outcomes)
    for outcome in outcomes:
        entry = outcome.entry
        if entry.stream:
            out.done[entry.stream].append(entry.id)
        match outcome.result:
            case Recorded() as recorded:
                _announce(out, entry, recorded, users)
                if joined:
                    out.notices.extend((user, Joined(summary)) for user, summary in joined.get(entry.key, ()))
            case RefusedWrite(code=code, message=message, retry_after_ms=retry_after_ms):
                frame = encode_frame(error_answer(entry, code, message, retry_after_ms))
                _reply(out.refusals, entry, frame)
            case Erased():
                pass  # who has the messages keeps them until reading the room afresh
    return out


def _trace(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        entry, result = outcome.entry, type(outcome.result).__name__
        log.debug(
            "command_decided",
            action=entry.action,
            request=entry.envelope.request,
            result=result,
            **hop_of(entry),
        )


def event_notice(
    event: Event, epoch: str, frame: bytes, entry: Entry | None = None, traceparent: str = ""
) -> Notice:
    """Return the notice of an event; with the entry that caused it, its gateway finds the sender."""
    left = (event.data or {})["member"] if event.kind in _LEAVING else 0
    gateway, request = (entry.envelope.gateway, entry.envelope.request) if entry else ("", 0)
    rights, (mentions, for_all) = _rights(event), _mentions(event)
    receipts = (event.data or {}).get("receipts") if event.kind == "set_receipts" else None
    return Notice(
        *(epoch, event.seq, frame, event.user_id, gateway, request, left),
        *(rights, mentions, for_all, traceparent, receipts),
    )


def _rights(event: Event) -> Rights | None:
    """Return what an event says of who may write from here on."""
    make = _RIGHTS.get(event.kind)
    return make(event.data or {}) if make else None


def _mentions(event: Event) -> tuple[list[int], bool]:
    """Return those for whom a new message counts as one that mentions them, and whether for everybody."""
    data = (event.data or {}) if event.kind == MESSAGE else {}
    mentions = [user for user in data.get("mentions", ()) if user != event.user_id]
    return mentions, "mentions_room" in data


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


def _announce(out: Publications, entry: Entry, recorded: Recorded, users: Mapping[int, User]) -> None:
    event = recorded.event
    frame = frame_of(event, recorded.epoch, users)
    # A repeat is published too: its first owner may have died between commit and publication.
    waiting = None if _is_answered_apart(entry, recorded) else entry
    traceparent = entry.envelope.traceparent
    notice = event_notice(event, recorded.epoch, encode_frame(frame), waiting, traceparent)
    out.notices.append((event.room_id, notice))
    if waiting is None:
        mine = msgspec.structs.replace(
            frame, uuid=entry.write.uuid, duplicate=True if recorded.duplicate else msgspec.UNSET
        )
        _reply(out.replies, entry, encode_frame(mine))


def _is_answered_apart(entry: Entry, recorded: Recorded) -> bool:
    """Tell whether the event on the room's channel can't be the sender's answer."""
    return recorded.duplicate or isinstance(entry.write, CreateRoom) or entry.envelope.wants_reply


def _everybody(outcomes: Sequence[Outcome], known: Mapping[int, User]) -> Mapping[int, User]:
    """Return all whom the events name; most are among `known`, whom the commands named."""
    named = {number for _, recorded in _recorded(outcomes) for number in named_in(recorded.event)}
    unknown = named - known.keys()
    return {**known, **users_by_id(unknown)} if unknown else known


def _joined(outcomes: Sequence[Outcome]) -> dict[tuple[int, str], list[tuple[int, RoomSummary]]]:
    """Return, by entry's key, whom each command made a member and who still is one."""
    brought = {
        entry.key: (recorded.event.room_id, _members(recorded.event))
        for entry, recorded in _recorded(outcomes)
        if isinstance(entry.write, _JOINING)
    }
    if not brought:
        return {}
    rooms = summaries_of({(room, user) for room, users in brought.values() for user in users})
    return {
        key: [(user, rooms[room, user]) for user in users if (room, user) in rooms]
        for key, (room, users) in brought.items()
    }


def _recorded(outcomes: Sequence[Outcome]) -> list[tuple[Entry, Recorded]]:
    return [(one.entry, one.result) for one in outcomes if isinstance(one.result, Recorded)]


def _members(event: Event) -> Collection[int]:
    data = event.data or {}
    return {data["member"]} if "member" in data else {number for number, _ in data["members"]}


def _reply(replies: Mapping[str, list[Reply]], entry: Entry, frame: bytes) -> None:
    envelope = entry.envelope
    if envelope.gateway:
        replies[envelope.gateway].append(Answered(envelope.request, frame))
