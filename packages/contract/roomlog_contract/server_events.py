"""What the server says on its own and keeps in no log: one frozen struct for each."""

from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from .commands import Cursor
from .events import RoomSummary, User


class ServerEvent(Struct, frozen=True, kw_only=True, tag_field="action"):
    """A frame that no command asked for and that is in no log."""


class Heads(ServerEvent, frozen=True, kw_only=True, tag="heads"):
    """The last seq of rooms that the client seems to be behind in."""

    rooms: dict[str, Cursor]


class SyncRequired(ServerEvent, frozen=True, kw_only=True, tag="sync_required"):
    """Nothing later of these rooms is sent until select_room with since."""

    rooms: list[UUID]


class Reset(ServerEvent, frozen=True, kw_only=True, tag="reset"):
    """The log began anew from a restored database: throw the cursor away, select afresh."""

    room: UUID
    epoch: str


class RoomJoined(ServerEvent, frozen=True, kw_only=True, tag="room_joined"):
    """The user is a member of one more room; its events above the head follow."""

    room: RoomSummary


class RoomLeft(ServerEvent, frozen=True, kw_only=True, tag="room_left"):
    """The user is no longer a member."""

    room: UUID


class RoomMarked(ServerEvent, frozen=True, kw_only=True, tag="room_marked"):
    """The user's read mark or level of notifications of a room has changed, by whichever connection."""

    room: RoomSummary


class UserBlocked(ServerEvent, frozen=True, kw_only=True, tag="user_blocked"):
    """The user has blocked somebody or ended that, by whichever connection."""

    user: User
    """Whom it concerns."""
    blocked: bool


class RoomTyping(ServerEvent, frozen=True, kw_only=True, tag="room_typing"):
    """These other members are writing something in the room; shown for TYPING_SHOWN_SECONDS."""

    room: UUID
    users: list[User]
    """Up to TYPING_NAMES."""


class RoomPresence(ServerEvent, frozen=True, kw_only=True, tag="room_presence"):
    """These members of a watched room are connected, the user too."""

    room: UUID
    users: list[int] | None
    """Their ids, ascending; null if there are more than PRESENCE_USERS."""
    count: int
    """How many they are; above PRESENCE_USERS about so many."""


class ReadUpTo(Struct, frozen=True):
    """How far a member has read."""

    user: int
    seq: int


class RoomReceipts(ServerEvent, frozen=True, kw_only=True, tag="room_receipts"):
    """How far members of a watched room have read it, the user too."""

    room: UUID
    epoch: str
    whole: bool
    """They are all that there are; else those that have changed."""
    marks: list[ReadUpTo]
    """Up to RECEIPT_MEMBERS, by the users' ids, ascending."""


class Reconnect(ServerEvent, frozen=True, kw_only=True, tag="reconnect"):
    """The socket will be closed; come back after the delay."""

    after_ms: int
    reason: str


class Expiring(ServerEvent, frozen=True, kw_only=True, tag="expiring"):
    """The connection's token, or its ticket's session, is about to end: authenticate again by then."""

    expires_in_ms: int


class Degraded(ServerEvent, frozen=True, kw_only=True, tag="degraded"):
    """Nothing is accepted and nothing arrives: Redis, the database or the rooms' worker is away.

    A later one replaces it.
    """

    since_ms: int
    rooms: list[UUID] | UnsetType = UNSET
    """Those of the connection's rooms that are concerned; left out: all."""


class Recovered(ServerEvent, frozen=True, kw_only=True, tag="recovered"):
    """None of the connection's rooms is concerned any more; missed events follow."""

    since_ms: int
