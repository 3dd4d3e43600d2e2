"""From rows to frames: the same event gives the same bytes, whether it is new, repeated or read again.

Pure functions of loaded rows and names; no query happens here.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, NamedTuple, TypedDict, cast
from uuid import UUID

import msgspec

from roomlog_contract.actions import EVENTS
from roomlog_contract.events import (
    Attachment,
    DurableEvent,
    Member,
    Message,
    MessageReference,
    NewMessageEvent,
    Reactions,
    User,
)

from .kinds import MESSAGE
from .models import RoomEvent
from .new_event import NewEvent

Event = RoomEvent | NewEvent
Users = Mapping[int, User]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class _Position(TypedDict):
    """What every durable event's frame has."""

    uuid: str
    room: UUID
    epoch: str
    seq: int


def frame_of(event: Event, epoch: str, users: Users) -> DurableEvent:
    """Return the frame of a durable event; `users` must hold everybody whom the event names."""
    position = _Position(uuid=event.uuid, room=event.room_id, epoch=epoch, seq=event.seq)
    if event.kind == MESSAGE:
        return NewMessageEvent(**position, message=message_of(event, users))
    struct, own_fields = _form_of(event.kind)
    return struct(**position, **{name: _value(name, event, users) for name in own_fields})


@cache
def _form_of(kind: str) -> tuple[type[DurableEvent], list[str]]:
    """Return a kind's struct, and what it has besides the event's position in the log.

    After a rollback the log may hold kinds of the later release: their frames say who acted at this seq.
    """
    struct = EVENTS.get(kind)
    if struct is None:
        later = msgspec.defstruct(
            "LaterEvent", [("user", User)], bases=(DurableEvent,), tag=kind, frozen=True, kw_only=True
        )
        struct = cast("type[DurableEvent]", later)
    own = [name for name in struct.__struct_fields__ if name not in DurableEvent.__struct_fields__]
    return struct, own


def _value(name: str, event: Event, users: Users) -> Any:  # noqa: PLR0911 - one return for each field
    """Return a field of a frame: people by their present names, all else as the rule wrote it."""
    data = event.data or {}
    match name:
        case "user":
            return users[event.user_id]
        case "member":
            return _member(data["member"], data["role"], users)
        case "members":
            return [_member(number, role, users) for number, role in data["members"]]
        case "message":
            return MessageReference(data["message_id"], event.target or 0, data["author"])
        case "text":
            return event.text
        case "mentions":
            return data.get("mentions", [])
        case "mentions_room":
            return data.get("mentions_room", msgspec.UNSET)
        case "edited_at" | "pinned_at":
            return milliseconds(event.date_created)
        case _:
            return data[name]


class Reacted(NamedTuple):
    """The reactions to a message, as of the seq of one of them."""

    seq: int | None
    by_emoji: dict[str, Reactions]


def message_of(
    event: Event,
    users: Users,
    edit: RoomEvent | None = None,
    reacted: Reacted | None = None,
    pin: RoomEvent | None = None,
) -> Message:
    """Return a message as it was sent, or as `edit`, its last one, reactions and `pin` left it.

    A deleted one has no text, mentions and reactions, and is not pinned.
    """
    created_ms = milliseconds(event.date_created)
    data = event.data or {}
    # Edits are read after their messages: one without a text tells of a deletion in between.
    is_deleted = event.deleted_at is not None or (edit is not None and not edit.text)
    mentioning = {} if is_deleted else (edit or event).data or {}
    # As it was sent: PostgreSQL would order its keys and write numbers otherwise.
    sent: str | None = None if is_deleted else data.get("data")
    return Message(
        id=event.id,
        seq=event.seq,
        number=event.number or 0,
        user=users[event.user_id],
        room=event.room_id,
        timestamp=created_ms // 1000,
        timestamp_ms=created_ms,
        text=event.text if edit is None else edit.text,
        edited_at=None if edit is None else milliseconds(edit.date_created),
        deleted=is_deleted,
        reply_to=data.get("reply_to_id"),
        mentions=mentioning.get("mentions", []),
        attachments=[] if is_deleted else attachments_of(data),
        reactions={} if is_deleted or reacted is None else reacted.by_emoji,
        reacted_seq=reacted and reacted.seq,
        pinned=None if is_deleted or pin is None else milliseconds(pin.date_created),
        data=msgspec.UNSET if sent is None else cast("dict[str, Any]", msgspec.Raw(sent.encode())),
        mentions_room=mentioning.get("mentions_room", msgspec.UNSET),
    )


def attachments_of(data: Mapping[str, Any]) -> list[Attachment]:
    """Return the files of a message by what its event keeps of them."""
    return [Attachment(UUID(file), *facts) for file, *facts in data.get("attachments", ())]


def parsed(message: Message) -> Message:
    """Return a message for code instead of a frame: its `data` are an object, not the text of one."""
    if message.data is msgspec.UNSET:
        return message
    return msgspec.structs.replace(message, data=msgspec.json.decode(cast("msgspec.Raw", message.data)))


def named_in(event: Event) -> set[int]:
    """Return the ids of all users whom the event names."""
    if not (data := event.data):
        return {event.user_id}
    members = {number for number, _ in data.get("members", ())}
    return {event.user_id, *members, *([data["member"]] if "member" in data else [])}


def milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970; in integers, because 1.001 s as a float is 1,000.99… ms."""
    return (moment - _EPOCH) // _MILLISECOND


def _member(number: int, role: str, users: Users) -> Member:
    return Member(number, users[number].username, role)
