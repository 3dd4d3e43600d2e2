"""What an application gets: the durable events of its rooms, and what happened to the rooms themselves.

Last stage of a message's way. Room ids are 32 hex digits.
"""

from typing import Any

from msgspec import Struct

from roomlog_contract.events import User
from roomlog_contract.server_events import ReadUpTo, Recovered


class Event(Struct, frozen=True):
    """One place in a room's log. An application gets each exactly once, in the order of `seq`."""

    room: str
    epoch: str
    seq: int
    action: str
    """`new_message`, `create_room`, `invite_user` …; those of later releases come through too."""
    uuid: str
    user: User
    text: str
    """The message's text, or what an edit made of it; empty for other actions, and once it was deleted."""
    body: dict[str, Any]
    """The whole frame as the server sent it."""
    duplicate: bool = False
    """Only in the answer to a repeat, which no application gets as an event."""
    mentions: list[int] = []
    """The ids of those whom the message mentions, or does since an edit; empty once it was deleted."""
    mentions_room: bool = False
    """Whether it mentions everybody in the room, likewise."""


class RoomSummary(Struct, frozen=True):
    """A room as its member sees it at that moment."""

    id: str
    name: str
    kind: str
    epoch: str
    seq: int
    """The head: the seq of its last event."""
    read_seq: int = 0
    """Everything up to it was read, on whichever device."""
    unread: int = 0
    """Messages of others above it; 100 stands for more, too."""
    archived: bool = False
    unread_mentions: int = 0
    """Messages of others above it that mention the user; 100 stands for more, too."""
    topic: str = ""
    """What the room is about, where anybody has said so."""
    notify: str = "all"
    """Of which messages the user wants to be told: all, mentions or none."""
    discoverable: bool = False
    """Everybody may find the room and join it."""
    receipts: bool = False
    """Whether the room shows how far its members have read."""


class RoomJoined(Struct, frozen=True):
    """The user is a member of one more room; `cursor` is where its events begin."""

    room: RoomSummary
    cursor: int


class RoomLeft(Struct, frozen=True):
    """The user is no longer a member."""

    room: str


class RoomMarked(Struct, frozen=True):
    """The user's read mark has moved, or `room.notify` changed, by this client or another.

    `room.unread` is as of `room.seq`.
    """

    room: RoomSummary


class RoomTyping(Struct, frozen=True):
    """These people are writing something; each counts for five seconds, or until an event of theirs."""

    room: str
    users: list[User]


class RoomPresence(Struct, frozen=True):
    """These members of a watched room are connected; it replaces the last one, until a disconnect."""

    room: str
    users: list[int] | None
    """Their ids, ascending; None: more than 200."""
    count: int


class RoomReceipts(Struct, frozen=True):
    """These members of a watched room have read so far; `RoomlogClient.receipts` keeps what is told."""

    room: str
    epoch: str
    whole: bool
    """They are all that there are; else those that have changed."""
    marks: list[ReadUpTo]


class RoomReset(Struct, frozen=True):
    """The room's log began anew: forget what came before; events after `seq` of `epoch` follow."""

    room: str
    old_epoch: str
    epoch: str
    seq: int
    messages: list[dict[str, Any]]
    """The last messages in their present state, oldest first."""


class Degraded(Struct, frozen=True):
    """Nothing is accepted and nothing arrives until `Recovered`; a later one replaces it."""

    since_ms: int
    rooms: list[str] | None = None
    """Those of your rooms that are concerned; None: all."""


class UserBlocked(Struct, frozen=True):
    """The user has blocked somebody or ended that, by this client or another. It may be lost."""

    user: User
    blocked: bool


Hint = RoomTyping | RoomPresence | RoomReceipts | UserBlocked
"""What is kept in no log, and dropped where the application does not keep up."""
Item = Event | RoomJoined | RoomLeft | RoomMarked | Hint | RoomReset | Degraded | Recovered
"""What `RoomlogClient.events` yields."""


class Sent(Struct, frozen=True):
    """A command is an event of the room's log, for ever (G1)."""

    room: str
    epoch: str
    seq: int
    uuid: str
    duplicate: bool
    """The server had it already from an earlier attempt."""
