"""Answers the commands of the `read` streams: who is this, which rooms, what happened in a room.

Beside the writer, of committed rows alone. A head is read before its rows, and rows above it are left out, so
that the gateway can continue from it.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, TypeGuard, TypeVar
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS

from roomlog import selectors
from roomlog.blocking import blocks_of
from roomlog.bots import signed_in_bots
from roomlog.configuration import configuration
from roomlog.frames import frame_of
from roomlog.models import RoomEvent, RoomHead
from roomlog.people import users_by_token
from roomlog.policy import hides_presence
from roomlog.read_marks import Pair
from roomlog.receipts import marks_of
from roomlog.replica import Replica
from roomlog.signed_in import SignedIn
from roomlog.tickets import signed_in_by_ticket
from roomlog_contract import limits
from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import (
    BlockUser,
    GetHistory,
    ListBlocks,
    ListPins,
    ListRooms,
    MarkRead,
    OwnView,
    ReportMessage,
    SelectRoom,
    SetNotifications,
    UnblockUser,
)
from roomlog_contract.envelope import (
    Answered,
    Envelope,
    EventsFetched,
    FetchEvents,
    HeadsRead,
    Identified,
    Identify,
    KnownLogin,
    MarksRead,
    ReadHeads,
    ReadMarks,
    Reply,
    Selected,
)
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import (
    GetHistoryAnswer,
    ListBlocksAnswer,
    ListPinsAnswer,
    ListRoomsAnswer,
    MarkReadAnswer,
    RoomSummary,
    SelectRoomAnswer,
    SelectRoomPage,
    SetNotificationsAnswer,
)

from .blocks import BlockAnswer
from .comparisons import compare_heads, compare_logins
from .entries import Entry
from .publications import error_answer, event_notice
from .reports import ReportAnswer

StoredAnswer = ReportAnswer | BlockAnswer

AROUND_BYTES: Final = 1024
"""Of an answer's frame beside its items: an escaped uuid of 64 code points, an epoch, names."""
_PAGE_BYTES: Final = limits.PAGE_BYTES - AROUND_BYTES
_NONE_MARKED: Final[Mapping[Pair, RoomSummary]] = {}
_NONE_STORED: Final[Mapping[tuple[int, str], StoredAnswer]] = {}
_Item = TypeVar("_Item", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class _Known:
    """Rows that are read once for all entries of a batch."""

    signed_in: Mapping[tuple[str, bool], SignedIn]
    """By token or ticket, and whether it is a recheck."""
    rooms: Mapping[int, selectors.Rooms]
    heads: Mapping[UUID, RoomHead]
    members: Set[tuple[UUID, int]]
    """Those askers who are members of the room that they ask of."""
    marked: Mapping[Pair, RoomSummary]
    """Rooms as seen by the members who moved their marks or set their levels."""
    stored: Mapping[tuple[int, str], StoredAnswer]
    """Answers to reports and blocks, by the entry's key."""
    replica: Replica | None
    is_judged_by_project: bool
    """Tokens are."""


def read(
    entries: Sequence[Entry],
    verdicts: Mapping[str, SignedIn] | None = None,
    marked: Mapping[Pair, RoomSummary] = _NONE_MARKED,
    stored: Mapping[tuple[int, str], StoredAnswer] = _NONE_STORED,
    replica: Replica | None = None,
) -> list[Reply]:
    """Return the reply to each entry, in order.

    `verdicts` are the project's own on their tokens, by token; without any, tokens are DRF's. `marked` is
    what `marks.move` has made of the entries' marks, `stored` what became of reports and blocks.
    The `replica` answers what history it can.
    """
    known = _read_ahead(entries, verdicts, marked, stored, replica)
    return [_reply(entry, known) for entry in entries]


def _read_ahead(
    entries: Sequence[Entry],
    verdicts: Mapping[str, SignedIn] | None,
    marked: Mapping[Pair, RoomSummary],
    stored: Mapping[tuple[int, str], StoredAnswer],
    replica: Replica | None,
) -> _Known:
    signed_in = _signed_in(entries, verdicts)
    asking: set[int] = set()
    rooms: set[UUID] = set()
    askers: set[tuple[UUID, int]] = set()
    for entry in entries:
        match entry.envelope.command:
            case Identify() as command:
                if found := signed_in.get((command.secret, command.is_recheck)):
                    asking.add(found.user.id)
            case ReadHeads() as command if not command.seqs:
                rooms.update(command.rooms)
            case FetchEvents() as command:
                rooms.add(command.room)
            case SelectRoom() | GetHistory() | ListPins() as command:
                rooms.add(command.room)
                askers.add((command.room, entry.envelope.user))
            case _:
                pass
    return _Known(
        signed_in=signed_in,
        rooms=selectors.rooms_by_user(asking) if asking else {},
        heads=selectors.heads_of(rooms) if rooms else {},
        members=selectors.memberships(askers) if askers else frozenset(),
        marked=marked,
        stored=stored,
        replica=replica,
        is_judged_by_project=verdicts is not None,
    )


def _signed_in(
    entries: Sequence[Entry], verdicts: Mapping[str, SignedIn] | None
) -> dict[tuple[str, bool], SignedIn]:
    """Return the active user of each valid token and ticket.

    A ticket opens a socket in its first minute. At a recheck only what it is bound to counts.
    """
    questions = [command for entry in entries if isinstance(command := entry.envelope.command, Identify)]
    asked: list[tuple[Identify | KnownLogin, bool]] = [(one, one.is_recheck) for one in questions]
    asked += [(login, True) for one in questions for login in one.logins]
    found = verdicts
    if found is None:
        tokens = {command.token for command, _ in asked if command.token}
        users = users_by_token(tokens)
        found = {key: SignedIn(user) for key, user in users.items()} | signed_in_bots(tokens)
    by_token = {(key, is_recheck): one for key, one in found.items() for is_recheck in (False, True)}
    return by_token | signed_in_by_ticket(
        {(one.ticket, is_recheck) for one, is_recheck in asked if one.ticket}
    )


def _reply(entry: Entry, known: _Known) -> Reply:  # noqa: PLR0911, PLR0912 - one for each command
    request, user, command = entry.envelope.request, entry.envelope.user, entry.envelope.command
    match command:
        case Identify(logins=[_, *_]):
            return compare_logins(request, command, known.signed_in)
        case Identify():
            return _identified(request, command, known)
        case ReadHeads(seqs=[_, *_]):
            return compare_heads(request, command)
        case ReadHeads():
            heads = {room: known.heads[room] for room in command.rooms if room in known.heads}
            epoch = next((head.epoch for head in heads.values()), "")
            return HeadsRead(request, epoch, {room: head.last_seq for room, head in heads.items()})
        case ReadMarks():
            return MarksRead(request, marks_of(command.rooms))
        case FetchEvents():
            return _fetch_events(request, command, known)
        case ListRooms():
            return _list_rooms(request, command, user)
        case SelectRoom():
            return _for_member(
                entry, command.room, known, lambda head: _select_room(request, user, command, head)
            )
        case GetHistory():
            return _for_member(
                entry, command.room, known, lambda head: _get_history(entry.envelope, command, head, known)
            )
        case ListPins():
            return _for_member(
                entry, command.room, known, lambda head: _list_pins(request, user, command, head)
            )
        case MarkRead() | SetNotifications():
            return _marked(entry, command, known)
        case ListBlocks():
            return _list_blocks(request, command, user)
        case ReportMessage() | BlockUser() | UnblockUser():
            return Answered(request, encode_frame(known.stored[entry.key]))
        case _:
            return _refused(entry, ErrorCode.INVALID_ACTION)


def _identified(request: int, command: Identify, known: _Known) -> Identified:
    found = known.signed_in.get((command.secret, command.is_recheck))
    if found is None:
        return Identified(request, None, [])
    rooms = known.rooms.get(found.user.id) or selectors.Rooms()
    facts = rooms.summaries, found.expires_in_ms, rooms.readers, rooms.muted, not hides_presence()
    is_by_project = known.is_judged_by_project and bool(command.token)
    return Identified(request, found.user, *facts, is_by_project=is_by_project)


def _for_member(entry: Entry, room: UUID, known: _Known, answer: Callable[[RoomHead], Reply]) -> Reply:
    head = known.heads.get(room)
    if head is None or (room, entry.envelope.user) not in known.members:
        return _refused(entry, ErrorCode.NOT_MEMBER)  # one answer: strangers learn of no room
    return answer(head)


def _refused(entry: Entry, code: ErrorCode) -> Answered:
    return Answered(entry.envelope.request, encode_frame(error_answer(entry, code)))


def _select_room(request: int, user: int, command: SelectRoom, head: RoomHead) -> Selected:
    if command.since is not None:
        return _select_since(request, command.uuid, command.since.epoch, command.since.seq, head)
    rows = selectors.last_messages(head.room_id, head.last_seq, limits.SELECT_MESSAGES)
    answer = SelectRoomAnswer(
        uuid=command.uuid,
        room=head.room_id,
        epoch=head.epoch,
        seq=head.last_seq,
        room_messages=_fitting(selectors.in_present_state(rows, user)[::-1])[::-1],
        first_seq=head.first_seq,
    )
    return Selected(request, encode_frame(answer), head.room_id, head.epoch, head.last_seq, more=False)


def _select_since(request: int, uuid: str, epoch: str, since: int, head: RoomHead) -> Selected:
    reset = epoch != head.epoch or since > head.last_seq
    events = [] if reset else selectors.events_after(head.room_id, since, head.last_seq, limits.PAGE_EVENTS)
    if not reset and selectors.is_cut(events, since, head.last_seq):
        reset, events = True, []
    frames = _frames(events, head.epoch)
    reached = 0 if reset else events[len(frames) - 1].seq if frames else since
    more = not reset and reached < head.last_seq
    page = SelectRoomPage(
        uuid=uuid,
        room=head.room_id,
        epoch=head.epoch,
        seq=reached,
        events=[msgspec.Raw(frame) for frame in frames],
        more=more,
        reset=True if reset else msgspec.UNSET,
    )
    return Selected(request, encode_frame(page), head.room_id, head.epoch, reached, more or reset)


def _fetch_events(request: int, command: FetchEvents, known: _Known) -> EventsFetched:
    head = known.heads.get(command.room)
    if head is None:
        return EventsFetched(request, command.room, "", 0, [])
    limit = min(command.limit, limits.PAGE_EVENTS)
    events = selectors.events_after(command.room, command.after, head.last_seq, limit)
    if selectors.is_cut(events, command.after, head.last_seq):
        return EventsFetched(request, command.room, head.epoch, head.last_seq, [], is_cut=True)
    notices = [
        event_notice(event, head.epoch, frame)
        for event, frame in zip(events, _frames(events, head.epoch), strict=False)
    ]
    return EventsFetched(request, command.room, head.epoch, head.last_seq, notices)


def _frames(events: Sequence[RoomEvent], epoch: str) -> list[bytes]:
    """Return the frames of the first events, at least of one, that a page has room for."""
    users = selectors.users_of(events)
    frames: list[bytes] = []
    size = 0
    for event in events:
        frame = encode_frame(frame_of(event, epoch, users))
        size += len(frame) + 1  # and a comma
        if frames and size > _PAGE_BYTES:
            break
        frames.append(frame)
    return frames


def _get_history(envelope: Envelope, command: GetHistory, head: RoomHead, known: _Known) -> Answered:
    """Return a page from the replica, unless the asker was told of more than it has; else the primary's."""

    def at_replica(alias: str) -> Answered | None:
        there = selectors.heads_of([command.room], alias).get(command.room)
        return _history_at(envelope, command, there, alias) if _has_all(there, envelope) else None

    answer = known.replica.ask(at_replica) if known.replica is not None and envelope.known_epoch else None
    return answer or _history_at(envelope, command, head)


def _has_all(there: RoomHead | None, envelope: Envelope) -> TypeGuard[RoomHead]:
    """Tell whether a replica's head is not before what the asker was told."""
    return there is not None and there.epoch == envelope.known_epoch and there.last_seq >= envelope.known_seq


def _history_at(
    envelope: Envelope, command: GetHistory, head: RoomHead, using: str = DEFAULT_DB_ALIAS
) -> Answered:
    one_more, user = command.limit + 1, envelope.user
    if command.after is not None:
        rows = selectors.messages_after(head.room_id, command.after, one_more, using)
        messages = _fitting(selectors.in_present_state(rows[: command.limit], user, using))
    else:
        before = head.last_seq if command.before is None else command.before - 1
        rows = selectors.last_messages(head.room_id, before, one_more, using)
        messages = _fitting(selectors.in_present_state(rows[-command.limit :], user, using)[::-1])[::-1]
    answer = GetHistoryAnswer(
        uuid=command.uuid,
        room=head.room_id,
        seq=head.last_seq,
        room_messages=messages,
        more=len(messages) < len(rows),
        first_seq=head.first_seq,
    )
    return _as_of(head, envelope.request, encode_frame(answer), using)


def _list_pins(request: int, user: int, command: ListPins, head: RoomHead) -> Answered:
    pinned = selectors.pins_of(head.room_id, user)
    messages = _fitting(pinned)
    answer = ListPinsAnswer(
        uuid=command.uuid,
        room=head.room_id,
        seq=head.last_seq,
        room_messages=messages,
        more=len(messages) < len(pinned),
    )
    return _as_of(head, request, encode_frame(answer))


def _as_of(head: RoomHead, request: int, frame: bytes, using: str = DEFAULT_DB_ALIAS) -> Answered:
    """Return an answer that shows a room; how far it does matters to whom a replica may answer next."""
    if configuration().read_replica is None:
        return Answered(request, frame)
    if using == DEFAULT_DB_ALIAS:  # what was committed after its head was read may be in its rows
        head = selectors.heads_of([head.room_id]).get(head.room_id, head)
    return Answered(request, frame, head.epoch, head.last_seq)


def _list_rooms(request: int, command: ListRooms, user: int) -> Answered:
    rows = selectors.summaries_after(user, command.after, limits.PAGE_ROOMS + 1)
    rooms = _fitting(rows[: limits.PAGE_ROOMS])
    answer = ListRoomsAnswer(uuid=command.uuid, rooms=rooms, more=len(rooms) < len(rows))
    return Answered(request, encode_frame(answer))


def _list_blocks(request: int, command: ListBlocks, user: int) -> Answered:
    found = blocks_of(user, command.after, limits.PAGE_BLOCKS + 1)
    users = found[: limits.PAGE_BLOCKS]
    answer = ListBlocksAnswer(uuid=command.uuid, users=users, more=len(users) < len(found))
    return Answered(request, encode_frame(answer))


def _marked(entry: Entry, command: OwnView, known: _Known) -> Answered:
    room = known.marked.get((command.room, entry.envelope.user))
    if room is None:
        return _refused(entry, ErrorCode.NOT_MEMBER)
    kind = MarkReadAnswer if isinstance(command, MarkRead) else SetNotificationsAnswer
    answer = kind(uuid=command.uuid, room=room)
    return Answered(entry.envelope.request, encode_frame(answer))


def _fitting(items: Sequence[_Item]) -> list[_Item]:
    """Return the first items, at least one, that a page has room for, as JSON writes them."""
    size = 0
    for count, item in enumerate(items):
        size += len(encode_frame(item)) + 1  # and a comma
        if count and size > _PAGE_BYTES:
            return list(items[:count])
    return list(items)
