"""Answers the commands of the `read` streams from the model store, as `roomlog_worker.reader` does.

Beside the model worker's transaction: a head is read before its rows, and rows above it are left out.
"""

from typing import Any
from uuid import UUID

import msgspec

from roomlog_contract import limits
from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import ListRooms, SelectRoom, action_of
from roomlog_contract.envelope import (
    Answered,
    Envelope,
    EventsFetched,
    FetchEvents,
    HeadsRead,
    Identified,
    Identify,
    Notice,
    ReadHeads,
    Reply,
    Selected,
)
from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from roomlog_contract.events import (
    ErrorAnswer,
    ListRoomsAnswer,
    RoomSummary,
    SelectRoomAnswer,
    SelectRoomPage,
    User,
)

from .ledger import frame_of, left_by, message_of
from .store_model import EventRow, ModelStore, RoomRow


def reply_to(store: ModelStore, envelope: Envelope) -> Reply:
    """Return the reply to one entry of a `read` stream."""
    request, command = envelope.request, envelope.command
    match command:
        case Identify():
            user = store.tokens.get(command.token or "")
            who = None if user is None else User(user, store.users[user])
            return Identified(request, who, [] if user is None else summaries(store, user))
        case ReadHeads():
            rooms = [store.rooms[room] for room in command.rooms if room in store.rooms]
            epoch = rooms[0].epoch if rooms else ""
            return HeadsRead(request, epoch, {room.id: room.last_seq for room in rooms})
        case FetchEvents():
            return _fetched(store, request, command)
        case ListRooms():
            answer = ListRoomsAnswer(uuid=command.uuid, rooms=summaries(store, envelope.user))
            return Answered(request, encode_frame(answer))
        case SelectRoom():
            return _for_member(store, envelope, command)
        case _:
            return Answered(request, error_frame(command, ErrorCode.INVALID_ACTION))


def summaries(store: ModelStore, user: int) -> list[RoomSummary]:
    """Return the user's rooms with their heads."""
    return [summary(room) for room in store.rooms.values() if user in room.members]


def summary(room: RoomRow) -> RoomSummary:
    """Return a room as a member sees it who never said how far it has read."""
    return RoomSummary(room.id, room.name, "group", room.epoch, room.last_seq, 0, room.messages)


def error_frame(command: Any, code: ErrorCode) -> bytes:
    """Return an error answer with the code's usual sentence."""
    return encode_frame(
        ErrorAnswer(
            uuid=command.uuid,
            action=action_of(command),
            error_code=code.value,
            error_message=ERROR_MESSAGES[code],
            room=getattr(command, "room", msgspec.UNSET),
        )
    )


def notice_of(store: ModelStore, event: EventRow, epoch: str, gateway: str = "", request: int = 0) -> Notice:
    """Return the notice of an event; with gateway and request its sender is found."""
    frame = encode_frame(frame_of(event, epoch, store.users))
    return Notice(epoch, event.seq, frame, event.user, gateway, request, left_by(event))


def _for_member(store: ModelStore, envelope: Envelope, command: SelectRoom) -> Reply:
    room = store.rooms.get(command.room)
    if room is None or envelope.user not in room.members:
        return Answered(envelope.request, error_frame(command, ErrorCode.NOT_MEMBER))
    if command.since is None:
        return _selected(store, envelope.request, command.uuid, room)
    return _page(store, envelope.request, command, room)


def _selected(store: ModelStore, request: int, uuid: str, room: RoomRow) -> Selected:
    messages = [row for row in store.logs[room.id] if row.kind == "new_message"]
    answer = SelectRoomAnswer(
        uuid=uuid,
        room=room.id,
        epoch=room.epoch,
        seq=room.last_seq,
        room_messages=[message_of(row, store.users) for row in messages[-limits.SELECT_MESSAGES :]],
    )
    return Selected(request, encode_frame(answer), room.id, room.epoch, room.last_seq, more=False)


def _page(store: ModelStore, request: int, command: SelectRoom, room: RoomRow) -> Selected:
    assert command.since is not None
    since = command.since.seq
    reset = command.since.epoch != room.epoch or since > room.last_seq
    events = [] if reset else _after(store, room.id, since)
    reached = 0 if reset else events[-1].seq if events else since
    more = not reset and reached < room.last_seq
    page = SelectRoomPage(
        uuid=command.uuid,
        room=room.id,
        epoch=room.epoch,
        seq=reached,
        events=[msgspec.Raw(encode_frame(frame_of(event, room.epoch, store.users))) for event in events],
        more=more,
        reset=True if reset else msgspec.UNSET,
    )
    return Selected(request, encode_frame(page), room.id, room.epoch, reached, more or reset)


def _fetched(store: ModelStore, request: int, command: FetchEvents) -> EventsFetched:
    room = store.rooms.get(command.room)
    if room is None:
        return EventsFetched(request, command.room, "", 0, [])
    events = _after(store, room.id, command.after)[: command.limit]
    notices = [notice_of(store, event, room.epoch) for event in events]
    return EventsFetched(request, room.id, room.epoch, room.last_seq, notices)


def _after(store: ModelStore, room: UUID, seq: int) -> list[EventRow]:
    """Return the first page of events after a place."""
    later = sorted((event for event in store.logs[room] if event.seq > seq), key=lambda event: event.seq)
    return later[: limits.PAGE_EVENTS]
