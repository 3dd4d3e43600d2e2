"""What travels inside: entries of the streams, replies to gateways, notices on channels (msgpack).

Gateways and workers of two releases run side by side during a rollout: fields are only ever added
at the end, with a default.
"""

from collections.abc import Sequence
from typing import Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from .commands import ClientCommand, Command
from .events import RoomSummary, User
from .shards import DEFAULT_SHARDS

Inner = TypeVar("Inner")
ENTRY_FIELD: Final = b"e"
"""The one field of a stream entry; its value is an encoded Envelope, or empty for a mere wake-up."""


class KnownLogin(Struct, frozen=True, omit_defaults=True):
    """A token or ticket that was accepted on a connection, and the `fingerprint` of what is known by it."""

    fingerprint: bytes
    token: str | None = None
    ticket: str | None = None


class Identify(Command, frozen=True, kw_only=True, tag="identify"):
    """Asks whose token or ticket this is, and for the rooms with heads. Sent by gateways only.

    With `logins` it asks instead which of them are still as the gateway knows them. A worker of an earlier
    release sees no token then, and says that it is nobody's.
    """

    token: str | None = None
    ticket: str | None = None
    is_recheck: bool = False
    """This very token or ticket was accepted on this connection before: a ticket's age no longer counts."""
    logins: list[KnownLogin] = []
    has_heads: bool = False
    """The fingerprints of `logins` are made of memberships with heads. A worker that knows no such sees that
    they differ."""

    @property
    def secret(self) -> str:
        """Return the token or ticket."""
        return self.token or self.ticket or ""


class ReadHeads(Command, frozen=True, kw_only=True, tag="read_heads"):
    """Asks for the heads of rooms, of whatever shards. Sent by gateways only."""

    rooms: list[UUID]
    epoch: str = ""
    seqs: list[int] = []
    """The heads that the gateway knows, in the order of `rooms`: only for others an answer is wanted."""


class ReadMarks(Command, frozen=True, kw_only=True, tag="read_marks"):
    """Asks how far the members of rooms have read, of whatever shards. Sent by gateways only."""

    rooms: list[UUID]


class FetchEvents(Command, frozen=True, kw_only=True, tag="fetch_events"):
    """Asks for a page of a room's log, to fill a gap. Sent by gateways only."""

    room: UUID
    after: int
    limit: int


class SyncMembers(Command, frozen=True, kw_only=True, tag="sync_members"):
    """Asks for a group to have exactly these members. Stored by a project's own transaction only."""

    room: UUID
    users: list[int]


class EraseMessages(Command, frozen=True, kw_only=True, tag="erase_messages"):
    """Asks for somebody's messages of a room to lose their texts. Stored by an operator's command only."""

    room: UUID
    sender: int
    uuids: list[str]
    """The uuids of the commands that became these messages."""


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A command on its way to a worker."""

    command: ClientCommand | Identify | ReadHeads | ReadMarks | FetchEvents | SyncMembers | EraseMessages
    gateway: str = ""
    """The gateway process that waits for the reply; empty where nobody does."""
    request: int = 0
    """The gateway's number for its reply."""
    user: int = 0
    """Who asks; 0 where a gateway asks for itself."""
    staff: bool = False
    """Set by the api only: membership and roles were checked there."""
    received_ms: int = 0
    """The gateway's wall clock, for latency metrics only."""
    wants_reply: bool = False
    """The gateway does not hear the room's channel yet: the event can't be the sender's answer."""
    data: str = ""
    """With a message of a project's own code: a JSON object in the form of `codec.data_text`."""
    traceparent: str = ""
    """The W3C trace context of the gateway's span, if that traces; ignored by those who can't read it."""
    known_epoch: str = ""
    """With get_history: the log of which the gateway has told the asker, up to `known_seq` at most."""
    known_seq: int = 0
    """No answer may be older. Without `known_epoch` nothing is known of what the asker was told."""


class Answered(Struct, frozen=True, tag=True):
    """A finished frame for the connection that asked."""

    request: int
    frame: bytes
    epoch: str = ""
    """Of the log that the frame shows; empty if it shows none."""
    seq: int = 0
    """The head as of which it shows the log."""


class Selected(Struct, frozen=True, tag=True):
    """The answer to select_room, with what the gateway must know to continue the room from it."""

    request: int
    frame: bytes
    room: UUID
    epoch: str
    seq: int
    more: bool
    """True: nothing of the room is sent until the next page was asked for (also after a reset)."""


class Identified(Struct, frozen=True, tag=True):
    """Whose token it is and the rooms with heads; `user` is None where the token is not valid."""

    request: int
    user: User | None
    rooms: list[RoomSummary]
    expires_in_ms: int | None = None
    """How long the token, or the ticket's session, still lasts; None: no end is known.

    A duration, because the clock that judges the token and the gateway's may differ.
    """
    readers: list[UUID] = []
    """Those of the rooms in which the user is a reader."""
    muted: list[UUID] = []
    """Those in which the user is muted now."""
    sees_presence: bool = False
    """Whether members may be told who is connected: False where the project has a rule about that."""
    is_by_project: bool = False
    """The project's own code has judged the token. It may take long, so no other login waits with it."""


class LoginsCompared(Struct, frozen=True, tag=True):
    """Which of the asked logins are as the gateway knows them."""

    request: int
    unchanged: dict[int, int | None]
    """Their places in the question, each with its `expires_in_ms`; of the others nothing is said."""


class HeadsRead(Struct, frozen=True, tag=True):
    """The heads of the asked rooms; rooms that are gone are missing, and those whose head was known."""

    request: int
    epoch: str
    heads: dict[UUID, int]


class RoomMarks(Struct, frozen=True):
    """How far the members of a room have read."""

    epoch: str
    seq: int
    """The head, read before the marks: who has left above it is a member no more."""
    marks: dict[int, int]
    """By user."""


class MarksRead(Struct, frozen=True, tag=True):
    """The marks of the asked rooms; those that show no receipts, or have too many members, are missing."""

    request: int
    rooms: dict[UUID, RoomMarks]


class Rights(Struct, frozen=True, omit_defaults=True):
    """What an event changed of who may write, as far as it says so; None: nothing."""

    user: int = 0
    """Whose role or mute it is."""
    role: str | None = None
    muted: bool | None = None
    archived: bool | None = None
    """Whether the room is archived, so that nobody may write."""


class Notice(Struct, frozen=True, tag=True, omit_defaults=True):
    """One durable event on its room's channel; `frame` is the same for every member."""

    epoch: str
    seq: int
    frame: bytes
    user: int
    """Who caused it: for this user's request it is the answer."""
    gateway: str = ""
    request: int = 0
    left: int = 0
    """The user whose membership ended with this event."""
    rights: Rights | None = None
    """Only of events that change who may write."""
    mentions: list[int] = []
    """Those whom a new message mentions, but its sender."""
    mentions_room: bool = False
    """A new message mentions everybody but its sender."""
    traceparent: str = ""
    """That of the envelope which became the event."""
    receipts: bool | None = None
    """Whether the room shows receipts from here on; None: as before."""


class EventsFetched(Struct, frozen=True, tag=True):
    """A page of a room's log, without a gap from `after` + 1 on, and the head it was read at."""

    request: int
    room: UUID
    epoch: str
    head: int
    events: list[Notice]
    is_cut: bool = False
    """Events after `after` were pruned: there is no page without a gap."""


class HeadMoved(Struct, frozen=True, tag=True):
    """An owner's reminder of a room's head on its channel."""

    epoch: str
    seq: int


class HaveRead(Struct, frozen=True, tag=True):
    """Members have read further, in a room that shows it; committed, and may be lost for good."""

    epoch: str
    seq: int
    """The head when they were members: who has left above it is one no more."""
    marks: dict[int, int]
    """By user."""


class IsTyping(Struct, frozen=True, tag=True):
    """A member is writing something; published by a gateway, and forgotten."""

    user: int
    username: str
    seq: int
    """The room's last seq that the gateway knew: who has left above it is a member no more."""


class IsWatched(Struct, frozen=True, tag=True):
    """Somebody looks at the room; published by a gateway, which wants to know who is connected elsewhere."""

    gateway: str


class ArePresent(Struct, frozen=True, tag=True):
    """All who are connected to a gateway as members of the room; published while somebody watches."""

    gateway: str
    epoch: str
    """The epoch of the log that the gateway follows; the notice says nothing about another log."""
    seq: int
    """The room's last seq that the gateway knew: who has left above it is a member no more."""
    users: list[int] | None
    """None: more than PRESENCE_USERS."""
    count: int


class Joined(Struct, frozen=True, tag=True):
    """The user became a member of a room."""

    room: RoomSummary


class Marked(Struct, frozen=True, tag=True):
    """How the user sees a room has changed: the read mark, or the level of notifications."""

    room: RoomSummary


class Blocked(Struct, frozen=True, tag=True):
    """The user has blocked somebody, or ended that."""

    user: User
    """Whom it concerns."""
    is_blocked: bool


class Recheck(Struct, frozen=True, tag=True):
    """Something about the user's tokens or account changed: ask again for every connection."""


class Beacon(Struct, frozen=True, tag=True):
    """What a worker says of itself, four times a second; the gate and `degraded` go by it."""

    worker: str
    shards: list[int]
    """Those that it owns."""
    oldest_ms: dict[int, int]
    """Age of the oldest entry that waits to be written, of shards that have one."""
    drained: float
    """Entries a second of the time in which there were any to write."""
    turn_ms: int
    """Since its writer began the present turn: a turn takes milliseconds."""
    database: bool
    """The writer's last turn met no trouble of the database."""
    install_shards: int = DEFAULT_SHARDS
    """How many shards the install has; the release before, which does not say it, knows no other number."""


Reply = Answered | Selected | Identified | LoginsCompared | HeadsRead | MarksRead | EventsFetched
RoomNotice = Notice | HeadMoved | HaveRead | IsTyping | IsWatched | ArePresent
UserNotice = Joined | Marked | Blocked | Recheck

_encoder: Final = msgspec.msgpack.Encoder(uuid_format="bytes")
_envelopes: Final = msgspec.msgpack.Decoder(Envelope)
_replies: Final = msgspec.msgpack.Decoder(list[Reply])
_room_notices: Final[msgspec.msgpack.Decoder[RoomNotice]] = msgspec.msgpack.Decoder(RoomNotice)
_beacons: Final = msgspec.msgpack.Decoder(Beacon)
_user_notices: Final[msgspec.msgpack.Decoder[UserNotice]] = msgspec.msgpack.Decoder(UserNotice)


def encode(
    value: Envelope | RoomNotice | UserNotice | Beacon | Reply | Sequence[Reply] | Sequence[msgspec.Raw],
) -> bytes:
    """Return the msgpack of an envelope, a notice or one publication's replies, encoded already or not."""
    return _encoder.encode(value)


def decode_envelope(data: bytes) -> Envelope:
    """Return the envelope of a stream entry.

    Raises:
        msgspec.DecodeError: what no release of Roomlog wrote; so do the other three.
    """
    return _read(_envelopes, data)


def decode_replies(data: bytes) -> list[Reply]:
    """Return the replies of one publication on a gateway's channel."""
    return _read(_replies, data)


def decode_room_notice(data: bytes) -> RoomNotice:
    """Return the notice of a publication on a room's channel."""
    return _read(_room_notices, data)


def decode_beacon(data: bytes) -> Beacon:
    """Return what a worker says of itself."""
    return _read(_beacons, data)


def decode_user_notice(data: bytes) -> UserNotice:
    """Return the notice of a publication on a user's channel."""
    return _read(_user_notices, data)


def _read(decoder: msgspec.msgpack.Decoder[Inner], data: bytes) -> Inner:
    try:
        return decoder.decode(data)
    except (UnicodeDecodeError, RecursionError) as error:
        # msgspec lets both through: text that is none, and nesting without an end.
        raise msgspec.DecodeError(str(error)) from None
