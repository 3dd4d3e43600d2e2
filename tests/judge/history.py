"""What a run under faults recorded: the facts that the checker judges, and nothing else.

All times are seconds of one monotonic clock. Rooms are 32 hex digits, users numbers, payloads unique.
It must not judge: what is wrong with a history is said in `checker`.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from roomlog_contract.shards import DEFAULT_SHARDS

from .attendance import Attendance
from .blocks import Blocks
from .deliveries import Deliveries
from .joining import NO_DOORS, Doors
from .leaving import Departure, Erasure
from .marks import Mark
from .moderation import NOBODY, Ban, Member, Membership, Moderation
from .pages import PageSeen
from .pins import PinList
from .reactions import Group, Reaction
from .receipts import Receipts
from .reports import Reports
from .retention import Retention
from .samples import Ownership, Sample
from .topics import ROOM_KINDS
from .typists import ToldTypists, Typed

MESSAGE_KIND: Final = "new_message"
"""The kind of rows that people read as messages; the other kinds change them."""
SILENCED: Final = frozenset({"muted", "forbidden", "not_member", "archived"})
"""What somebody muted, banned or a reader is refused with, and everybody in an archived room, for good."""
EDIT_KIND: Final = "edit_message"
DELETION_KIND: Final = "delete_message"

Key = tuple[str, int, str]
"""Room, sender, uuid: for one of them at most one message exists (G2)."""


class Outcome(StrEnum):
    """How an invocation ended for its client (G7)."""

    SUCCESS = "success"
    ERROR = "error"
    UNKNOWN = "unknown"


class Attempt(NamedTuple):
    """One sending of an operation's frame on one connection."""

    connection: int
    position: int
    """Counts the frames of the connection in the order in which they were sent."""
    invoked_at: float
    completed_at: float
    """When it was answered, or given up: the connection was lost or the history ended."""
    outcome: Outcome
    error_code: str = ""


class Operation(NamedTuple):
    """One message, or change of one, that a client wanted stored, with every repeat of it."""

    client: str
    user: int
    room: str
    uuid: str
    text: str
    """What it says: a message, an edit, a room's topic, or whether it is open."""
    attempts: tuple[Attempt, ...]
    seqs: tuple[int, ...] = ()
    """The seq of every answer, in order of arrival; all must be the same (I4)."""
    answered_at: float | None = None
    """When its first success arrived, as an answer, an event or within a page."""
    data: str = ""
    """What went beside the text, by `content_of`: a project's data, files."""
    kind: str = MESSAGE_KIND
    target: int = 0
    """Of a change: the seq of the message that it changes."""
    emoji: str = ""
    """Of a reaction, added or removed."""
    moderation: Moderation = NOBODY
    mentions: tuple[int, ...] = ()

    @property
    def key(self) -> Key:
        """Return what is unique in the database."""
        return self.room, self.user, self.uuid

    @property
    def outcome(self) -> Outcome:
        """Return how it ended over all attempts; an error only where no attempt can have been stored."""
        if self.seqs:
            return Outcome.SUCCESS
        refused = all(attempt.outcome is Outcome.ERROR for attempt in self.attempts)
        return Outcome.ERROR if refused else Outcome.UNKNOWN

    @property
    def is_open(self) -> bool:
        """Return True if it has no definite end: a change, and what may not be said, may be refused."""
        last = self.attempts[-1]
        refusals = SILENCED | ({"not_found"} if self.mentions or self.data else set())
        may_be_refused = self.kind != MESSAGE_KIND or last.error_code in refusals
        return not (self.seqs or (last.outcome is Outcome.ERROR and may_be_refused))


class Row(NamedTuple):
    """One row of the database's log."""

    room: str
    seq: int
    user: int
    uuid: str
    kind: str
    text: str
    data: str = ""
    target: int = 0
    """Of a change: the seq of the message that it changes."""
    edited_seq: int = 0
    """Of a message: where the row says that its last edit is."""
    is_deleted: bool = False
    body_hash: str = ""
    at_ms: int = 0
    """When it was stored, by the server's clock."""
    emoji: str = ""
    """Of a reaction, added or removed."""
    reacted_seq: int = 0
    """Of a message: where the row says that its last reaction was added or removed."""
    reactions: tuple[Reaction, ...] = ()
    """Of a message: those that the database holds besides the log, in the order of seq."""
    moderation: Moderation = NOBODY
    pinned_seq: int = 0
    """Of a message: the seq of the event that pinned it, by the database besides the log."""
    mentions: tuple[int, ...] = ()
    mentioned: tuple[int, ...] = ()
    """Of a message: whom the database holds besides the log, in ascending order."""

    @property
    def key(self) -> Key:
        """Return what is unique in the database."""
        return self.room, self.user, self.uuid


class Applied(NamedTuple):
    """One durable event that a client handed to its application."""

    seq: int
    user: int
    uuid: str
    text: str
    at: float
    data: str = ""
    emoji: str = ""
    moderation: Moderation = NOBODY
    mentions: tuple[int, ...] = ()


class Shown(NamedTuple):
    """One message as a client was shown it in a room's present state, by `select_room` or `get_history`."""

    client: str
    room: str
    seq: int
    user: int
    text: str
    data: str
    at: float
    head: int = 0
    """The seq as of which the answer is: all changes up to it are in its messages."""
    edited_at: int | None = None
    is_deleted: bool = False
    asker: int = 0
    """The user who was shown it."""
    reacted_seq: int = 0
    """The seq as of which it has its reactions."""
    groups: tuple[Group, ...] = ()
    pinned_at: int | None = None
    mentions: tuple[int, ...] = ()


class ResetSeen(NamedTuple):
    """A client was told to throw its cursor away."""

    position: int
    """Events of the reading that were applied before it."""
    from_epoch: str
    to_epoch: str
    to_seq: int
    """The cursor from which the client went on."""
    at: float


class Reading(NamedTuple):
    """One client's way through one room's log, from joining it to leaving it or to the end."""

    client: str
    user: int
    room: str
    start: int
    """The cursor from which it began: the first event that it applies is `start` + 1."""
    events: tuple[Applied, ...]
    resets: tuple[ResetSeen, ...] = ()
    left: bool = False
    """The server said `room_left`: the client no longer follows the room."""

    @property
    def cursor(self) -> int:
        """Return the last seq that the client knows to have."""
        last_reset = self.resets[-1] if self.resets else None
        if last_reset is not None and last_reset.position == len(self.events):
            return last_reset.to_seq
        return self.events[-1].seq if self.events else self.start


class Connection(NamedTuple):
    """One socket from its authentication on; still open at the end where `closed_at` is None."""

    client: str
    number: int
    opened_at: float
    closed_at: float | None = None
    close_code: int | None = None


class Fault(NamedTuple):
    """Something that was broken on purpose."""

    name: str
    target: str
    started_at: float
    ended_at: float
    leaves_no_owner: bool = False
    """While it lasts no worker can own anything: the database is away or every worker is stopped."""


class Epoch(NamedTuple):
    """The install's epoch from that moment on."""

    at: float
    epoch: str


@dataclass(kw_only=True)
class History:
    """Everything that one run recorded."""

    seed: int = 0
    shards: int = DEFAULT_SHARDS
    operations: list[Operation] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    """The database's log after the run, in any order."""
    readings: list[Reading] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    believed: list[Shown] = field(default_factory=list)
    """The messages of each connected client at rest, by all that it was handed; `head` is its cursor."""
    connections: list[Connection] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    """The database's memberships after the run: of each room all or none."""
    bans: list[Ban] = field(default_factory=list)
    """The database's bans after the run, of the rooms of which it has the members."""
    topics: dict[str, str] = field(default_factory=dict)
    """What the database says that each room is about, after the run."""
    names: dict[str, str] = field(default_factory=dict)
    """What it says that each room is called."""
    doors: Doors = NO_DOORS
    staff: list[int] = field(default_factory=list)
    """Users who need no role."""
    direct_rooms: list[str] = field(default_factory=list)
    pin_lists: list[PinList] = field(default_factory=list)
    pages: list[PageSeen] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    ownership: list[Ownership] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    """All that clients were told of read marks by answers and notices."""
    fresh_marks: list[Mark] = field(default_factory=list)
    """What the server listed in the end, after the last mark."""
    known_marks: list[Mark] = field(default_factory=list)
    """What each client believed then."""
    typed: list[Typed] = field(default_factory=list)
    typists: list[ToldTypists] = field(default_factory=list)
    attendance: Attendance = field(default_factory=Attendance)
    deliveries: Deliveries = field(default_factory=Deliveries)
    receipts: Receipts = field(default_factory=Receipts)
    retention: Retention = field(default_factory=Retention)
    blocks: Blocks = field(default_factory=Blocks)
    reports: Reports = field(default_factory=Reports)
    baseline: dict[str, int] = field(default_factory=dict)
    """The head of each room before the run: rows up to it were sent by nobody whom the history knows."""
    at_rest: bool = True
    """The run ended by waiting for rest after its last fault: only then I9 is asked."""

    @cached_property
    def rows_by_room(self) -> dict[str, list[Row]]:
        """Return each room's log in the order of seq."""
        rooms: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: row.seq):
            rooms[row.room].append(row)
        return dict(rooms)

    @cached_property
    def row_at(self) -> dict[tuple[str, int], Row]:
        """Return the row at each place of each log."""
        return {(row.room, row.seq): row for row in self.rows}

    @cached_property
    def changes(self) -> dict[tuple[str, int], list[Row]]:
        """Return the edits and deletions of each message, by its room and seq, in the order of the log."""
        found: dict[tuple[str, int], list[Row]] = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: row.seq):
            if row.kind in (EDIT_KIND, DELETION_KIND):
                found[row.room, row.target].append(row)
        return dict(found)

    @cached_property
    def stored_seqs(self) -> dict[Key, list[int]]:
        """Return the places at which each (room, sender, uuid) is stored: one, if all is well."""
        places: dict[Key, list[int]] = defaultdict(list)
        for row in self.rows:
            places[row.key].append(row.seq)
        return dict(places)

    @cached_property
    def operation_of(self) -> dict[Key, Operation]:
        """Return the operation behind each (room, sender, uuid)."""
        return {operation.key: operation for operation in self.operations}

    @cached_property
    def membership_ends(self) -> dict[tuple[str, int], int | None]:
        """Return the last seq that each (room, user) may receive; None is no end."""
        ends: dict[tuple[str, int], int | None] = {}
        for membership in self.memberships:
            key = membership.room, membership.user
            known, to_seq = ends.get(key, 0), membership.to_seq
            ends[key] = None if known is None or to_seq is None else max(known, to_seq)
        return ends

    @cached_property
    def connected_clients(self) -> set[str]:
        """Return the clients with a socket open at the end."""
        return {connection.client for connection in self.connections if connection.closed_at is None}

    def is_erased(self, operation: Operation) -> bool:
        """Return True if an erasure must have found the message."""
        at = operation.answered_at
        began = (one.began_at for one in self.erasures if one.user == operation.user)
        is_said = operation.kind not in ROOM_KINDS
        return at is not None and is_said and any(at < began_at for began_at in began)

    def may_be_erased(self, operation: Operation) -> bool:
        """Return True if an erasure or a deletion can have found the message, or the one that it edits."""
        seqs = [operation.target] if operation.target else self.stored_seqs.get(operation.key, [])
        places = [(operation.room, seq) for seq in seqs]
        if any(change.kind == DELETION_KIND for place in places for change in self.changes.get(place, [])):
            return True
        row = self.row_at.get(places[0]) if places else None
        said = self.operation_of.get(row.key, operation) if row else operation
        at = said.attempts[0].invoked_at
        erasures = self.erasures if said.kind not in ROOM_KINDS else ()
        return any(one.user == said.user and at <= one.asked_at for one in erasures)

    def texts_handed_on(self, row: Row) -> set[str]:
        """Return the texts with which clients may have got a row: it may have lost its own since."""
        operation = self.operation_of.get(row.key)
        return {row.text} if row.text or operation is None else {"", operation.text}

    def attempts(self) -> Iterator[Attempt]:
        """Return every sending of every operation."""
        return (attempt for operation in self.operations for attempt in operation.attempts)

    def save(self, path: Path) -> None:
        """Write the history as JSON, so that it can be judged again."""
        path.write_bytes(msgspec.json.encode(self))


def load_history(path: Path) -> History:
    """Read what `History.save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=History)
