"""From the server's frames to typed facts: the client's border, behind it nothing is looked up by key.

Tolerant of later releases: unknown fields are ignored, an unknown action with a `seq` is a durable event like
any other, an unknown server event is `Unknown`. Pure. What the contract's structs say as the client needs it
is theirs; those here say rooms as applications do, or fewer fields.
"""

from typing import Any, Final

import msgspec
from msgspec import Struct

from roomlog_contract.events import User
from roomlog_contract.server_events import Expiring, Heads, Reconnect, Recovered, Reset, SyncRequired

from .errors import ProtocolError
from .events import (
    Degraded,
    Event,
    RoomLeft,
    RoomPresence,
    RoomReceipts,
    RoomSummary,
    RoomTyping,
    UserBlocked,
)

RENEWAL: Final = "renew"
"""The uuid of an authenticate that renews: its answer says nothing of rooms."""


class Authenticated(Struct, frozen=True):
    """The answer to authenticate, or a part of it."""

    uuid: str
    user: User
    rooms: list[RoomSummary]
    more: bool = False
    """The next frame has further rooms."""


class Selected(Struct, frozen=True):
    """The answer to select_room without `since`."""

    uuid: str
    room: str
    epoch: str
    seq: int
    room_messages: list[dict[str, Any]]
    first_seq: int = 1
    """Where the log begins."""


class Page(Struct, frozen=True):
    """The answer to select_room with `since`."""

    uuid: str
    room: str
    epoch: str
    seq: int
    events: list[Event]
    more: bool
    reset: bool


class Answer(Struct, frozen=True):
    """Any other success that is no event."""

    uuid: str
    action: str
    body: dict[str, Any]


class Marked(Struct, frozen=True):
    """The user's read mark and level of a room, by its own command or another connection's."""

    room: RoomSummary
    answer: Answer | None = None


class Refusal(Struct, frozen=True):
    """An error answer."""

    error_code: str
    error_message: str = ""
    uuid: str | None = None
    action: str | None = None
    room: str = ""
    retry_after_ms: int | None = None


class Joined(Struct, frozen=True):
    """The user is a member of one more room."""

    room: RoomSummary


class Unknown(Struct, frozen=True):
    """Something that a later release says."""

    action: str


Incoming = (
    Event
    | Authenticated
    | Selected
    | Page
    | Answer
    | Refusal
    | Heads
    | SyncRequired
    | Reset
    | Joined
    | RoomLeft
    | Marked
    | UserBlocked
    | RoomTyping
    | RoomPresence
    | RoomReceipts
    | Reconnect
    | Expiring
    | Degraded
    | Recovered
    | Unknown
)

_SERVER_EVENTS: Final[dict[str, Any]] = {
    "heads": Heads,
    "sync_required": SyncRequired,
    "reset": Reset,
    "room_joined": Joined,
    "room_left": RoomLeft,
    "room_marked": Marked,
    "room_typing": RoomTyping,
    "room_presence": RoomPresence,
    "user_blocked": UserBlocked,
    "room_receipts": RoomReceipts,
    "reconnect": Reconnect,
    "expiring": Expiring,
    "degraded": Degraded,
    "recovered": Recovered,
}


class _Durable(Struct):
    room: str
    epoch: str
    seq: int
    action: str
    uuid: str
    message: dict[str, Any] | None = None
    user: User | None = None
    text: str = ""
    duplicate: bool = False
    mentions: list[int] = []
    mentions_room: bool = False


def parse(data: str | bytes) -> Incoming:
    """Return what a text frame says.

    Raises:
        ProtocolError: it is no JSON object, or lacks what its action needs.
    """
    try:
        body = msgspec.json.decode(data, type=dict[str, Any])
        return _incoming(body)
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        raise ProtocolError(f"unreadable frame: {type(error).__name__}") from None


def _incoming(body: dict[str, Any]) -> Incoming:
    action, status = str(body.get("action") or ""), body.get("status")
    if status == "error":
        return msgspec.convert(body, Refusal)
    if status is None:
        facts = _SERVER_EVENTS.get(action)
        return Unknown(action) if facts is None else _converted(body, facts)
    return _success(action, body)


def _converted(body: dict[str, Any], facts: Any) -> Incoming:
    incoming: Incoming = msgspec.convert(body, facts)
    return incoming


def _success(action: str, body: dict[str, Any]) -> Incoming:
    if action == "authenticate" and body.get("uuid") != RENEWAL:
        return msgspec.convert(body, Authenticated)
    if action == "select_room" and "events" in body:
        return _page(body)
    if action == "select_room":
        return msgspec.convert(body, Selected)
    if "seq" in body and "epoch" in body:
        return event_of(body)
    answer = Answer(str(body["uuid"]), action, body)
    if action in ("mark_read", "set_notifications"):
        return Marked(msgspec.convert(body["room"], RoomSummary), answer)
    return answer


def _page(body: dict[str, Any]) -> Page:
    events = [event_of(event) for event in msgspec.convert(body["events"], list[dict[str, Any]])]
    rest = {key: value for key, value in body.items() if key != "events"}
    return msgspec.convert({"more": False, "reset": False, **rest, "events": events}, Page)


def event_of(body: dict[str, Any]) -> Event:
    """Return the durable event of a frame.

    Raises:
        msgspec.ValidationError: it lacks room, epoch, seq or uuid, or says nobody's name.
    """
    facts = msgspec.convert(body, _Durable)
    user, text, mentions, for_all = facts.user, facts.text, facts.mentions, facts.mentions_room
    if facts.action == "new_message" and facts.message is not None:
        user, text = msgspec.convert(facts.message["user"], User), str(facts.message.get("text") or "")
        mentions = msgspec.convert(facts.message.get("mentions") or [], list[int])
        for_all = facts.message.get("mentions_room") is True
    return Event(
        facts.room,
        facts.epoch,
        facts.seq,
        facts.action,
        facts.uuid,
        user if user is not None else User(0, ""),
        text,
        body,
        facts.duplicate,
        mentions,
        for_all,
    )
