"""One room as this gateway sees it: the order of its events, and who is sent them. The event stage's
heart.

Pure: time is passed in, frames go to outboxes, questions to the worker are only said to be needed. Events
leave in the order of their seq, each once; what can't be ordered is asked for, never guessed (GUARANTEES G3,
G6).
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.envelope import Notice

from ..sockets.session import Session
from .attendance import Attendance
from .delivery import Delivery, DeliveryState
from .receipts import NOTHING, Receipts
from .restrictions import Restrictions
from .typists import Typists

DEPARTED: Final = 256
"""Remembered leaves of a room: more than can happen between a membership's read and its arrival here."""

MENTIONING: Final = 64
"""Remembered messages of a room that mention somebody, likewise."""


class Arrival(Enum):
    """What an event is to the room."""

    NEXT = auto()
    REPEATED = auto()
    EARLY = auto()
    """Its predecessor is missing; it waits."""
    FOREIGN = auto()
    """Another epoch: the database must say which one holds."""


class Room:
    """A room with at least one member connection here, or about to have one."""

    __slots__ = (
        "_departed",
        "_mentioned",
        "_pending",
        "_shows_receipts_since",
        "_spread",
        "attendance",
        "burst",
        "burst_bytes",
        "epoch",
        "gap_since",
        "id",
        "live",
        "others",
        "pins",
        "receipts",
        "restrictions",
        "seq",
        "shows_receipts",
        "start",
        "target",
        "typists",
        "watchers",
    )

    def __init__(self, room: UUID, spread: Callable[["Room"], None]) -> None:
        """`spread` gives the burst to the live connections; it is called before their circle changes."""
        self.id = room
        self._spread = spread
        self.epoch = ""
        """Empty until the first head is known."""
        self.seq = 0
        """The last seq that went to the members."""
        self.start = 0
        """The head with which it began here: no event up to it was heard."""
        self.target = 0
        """The highest seq that is known to exist."""
        self.gap_since: float | None = None
        """When the first of the missing events was missed."""
        self.pins = 0
        """Authentications that are about to enter; the subscription must stay for them."""
        self.burst: list[bytes] = []
        """Frames of this loop turn that the live connections have not been given yet."""
        self.burst_bytes = 0
        self.restrictions = Restrictions()
        self.typists: Typists | None = None
        """Only while somebody types."""
        self.attendance: Attendance | None = None
        """Only while somebody watches."""
        self.receipts: Receipts | None = None
        """Only while somebody watches here."""
        self.shows_receipts = False
        """Watchers are told how far members have read."""
        self._shows_receipts_since = 0
        """The last event that said so or not: what was read before it is outdated."""
        self.watchers: dict[Session, None] = {}
        """The connections here that watch."""
        self.live: dict[Session, None] = {}
        self.others: dict[Session, Delivery] = {}
        self._pending: dict[int, Notice] = {}
        self._departed: dict[int, int] = {}
        self._mentioned: dict[int, Notice] = {}
        """Messages that went to the members and mention some, by seq."""

    def arrive(self, notice: Notice, now: float) -> Arrival:
        """Take in one event; for NEXT the caller delivers it and then those of `take_ready`."""
        if not self.epoch:
            self._wait(notice)
            return Arrival.EARLY
        if notice.epoch != self.epoch:
            return Arrival.FOREIGN
        if notice.seq <= self.seq:
            return Arrival.REPEATED
        if notice.seq == self.seq + 1:
            self.seq = notice.seq
            return Arrival.NEXT
        self.expect(notice.seq, now)
        self._wait(notice)
        return Arrival.EARLY

    def take_ready(self) -> Notice | None:
        """Return the next event where it has been waiting, and count it as delivered."""
        notice = self._pending.pop(self.seq + 1, None)
        if notice is not None:
            self.seq = notice.seq
        return notice

    def expect(self, head: int, now: float) -> None:
        """Remember that the log goes up to `head`; the missing part becomes a gap after 50 ms."""
        self.target = max(self.target, head)
        if self.gap_since is None and self.target > self.seq:
            self.gap_since = now

    def close_gap(self) -> bool:
        """Return True and end the gap where nothing is missing any more."""
        if self.seq < self.target:
            return False
        self.gap_since = None
        if self._pending:
            self._pending = {seq: notice for seq, notice in self._pending.items() if seq > self.seq}
        return True

    def start_over(self, epoch: str, head: int, now: float) -> list[Session]:
        """Take the log's epoch and head as the new start; return the connections that knew another log.

        Events that came before the first head was known stay, if they are above it.
        """
        strangers = self.members()
        # A new room hears its first events before its first head; of another epoch they mean nothing.
        waiting = [notice for notice in self._pending.values() if notice.epoch == epoch]
        self.epoch, self.start, self.gap_since = epoch, head, None
        self.seq = self.target = head
        self._pending = {notice.seq: notice for notice in waiting if notice.seq > head}
        self._departed.clear()
        self._mentioned.clear()
        self.restrictions.start_over()
        self._shows_receipts_since = 0
        if self.attendance is not None:
            self.attendance.change()
        if self.receipts is not None:
            self.receipts.clear()
        for session in strangers:
            self.fall_behind(session)
            self.others[session].forget()
        if self._pending:
            self.expect(max(self._pending), now)
        return strangers

    def give_up(self) -> None:
        """Stop looking for what the database says does not exist."""
        self.target = self.seq

    def _wait(self, notice: Notice) -> None:
        """Keep an early event; over 256 all are dropped, because they can be fetched."""
        if len(self._pending) >= limits.HELD_EVENTS:
            self._pending.clear()
        else:
            self._pending[notice.seq] = notice

    def __contains__(self, session: Session) -> bool:
        return session in self.live or session in self.others

    def members(self) -> list[Session]:
        """Return all member connections."""
        return [*self.live, *self.others]

    def present(self) -> list[Session]:
        """Return the member connections but for those that may have left before the log began anew."""
        return [*self.live, *(one for one, delivery in self.others.items() if not delivery.is_reset)]

    def is_unused(self) -> bool:
        """Return True if there is nobody to deliver to, now or soon."""
        return not (self.live or self.others or self.pins)

    def admit(self, session: Session, cursor: int) -> None:
        """Begin to deliver to a connection that was told everything up to `cursor`."""
        self.others[session] = Delivery(cursor, is_behind=False)
        if self.attendance is not None:
            self.attendance.change()
        if cursor < self.seq:
            self.fall_behind(session)
        else:
            self.catch_up(session)

    def spread(self) -> None:
        """Give the burst to the live connections now, because one of them is about to change or to end."""
        if self.burst:
            self._spread(self)

    def drop_burst(self) -> None:
        """Forget the burst: it was given."""
        self.burst = []
        self.burst_bytes = 0

    def leave(self, session: Session) -> None:
        """End delivery to a connection after what came until now; again is harmless."""
        self.spread()
        self.live.pop(session, None)
        self.others.pop(session, None)
        self.restrictions.forget(session)
        self.end_watching(session)
        if self.attendance is not None:
            self.attendance.leave(session)

    def end_watching(self, session: Session) -> None:
        """Tell a connection no longer what watchers are told; again is harmless."""
        self.watchers.pop(session, None)
        for told in (self.attendance, self.receipts):
            if told is not None:
                told.watchers.pop(session, None)

    def read_receipts(self, is_shown: bool, seq: int) -> None:
        """Take whether the room showed receipts when its head was `seq`, as the database says."""
        if seq >= self._shows_receipts_since and is_shown != self.shows_receipts:
            self.hear_receipts(is_shown, self._shows_receipts_since)

    def hear_receipts(self, is_shown: bool, seq: int) -> None:
        """Take what an event says of that."""
        self.shows_receipts, self._shows_receipts_since = is_shown, seq
        if self.receipts is not None:
            self.receipts.clear()

    def depart(self, user: int, seq: int) -> None:
        """Remember that the user's membership ended at `seq`, against older reads that arrive later."""
        if len(self._departed) >= DEPARTED:
            self._departed.pop(next(iter(self._departed)))
        self._departed[user] = seq
        if self.attendance is not None:
            self.attendance.seen = None
        if self.receipts is not None:
            self.receipts.discard(user)

    def mention(self, notice: Notice) -> None:
        """Remember whom a message mentions, for reads that are older and arrive later."""
        if len(self._mentioned) >= MENTIONING:
            self._mentioned.pop(next(iter(self._mentioned)))
        self._mentioned[notice.seq] = notice

    def mentions_since(self, user: int, head: int) -> int:
        """Return how many messages after `head` mention the user."""
        return sum(seq > head and _is_meant(user, notice) for seq, notice in self._mentioned.items())

    def has_departed(self, user: int, head: int) -> bool:
        """Return True if a membership that was read at `head` has ended since."""
        return self._departed.get(user, 0) > head

    def may_have_departed(self, user: int, head: int) -> bool:
        """Return True unless it was heard here that a member at `head` is one still."""
        return head < self.start or self.has_departed(user, head)

    def is_reset(self, session: Session) -> bool:
        """Return True if the connection was told that the log began anew, and has not caught up since."""
        delivery = self.others.get(session)
        return delivery is not None and delivery.is_reset

    def hold(self, session: Session, *, is_afresh: bool = False) -> Delivery:
        """Hold the connection's events from here on: a select_room is under way.

        `is_afresh`: it forgets what it knows of the room.
        """
        self.spread()
        if is_afresh and self.receipts is not None and session in self.receipts.watchers:
            self.receipts.watchers[session] = NOTHING
        if session in self.live:
            del self.live[session]
            self.others[session] = Delivery(self.seq, is_behind=False)
        delivery = self.others[session]
        delivery.select()
        return delivery

    def fall_behind(self, session: Session) -> None:
        """Stop delivery to a connection until it asks; the caller has told it or will."""
        if session in self.live:
            del self.live[session]
            self.others[session] = Delivery(self.seq, is_behind=True)
        else:
            self.others[session].fall_behind()

    def catch_up(self, session: Session) -> None:
        """Make a connection live where it has been told as much as everybody."""
        delivery = self.others[session]
        if delivery.state is DeliveryState.AHEAD and delivery.cursor <= self.seq:
            self.spread()
            del self.others[session]
            self.live[session] = None
            if delivery.is_reset and self.attendance is not None:
                self.attendance.change()

    def behind(self) -> list[Session]:
        """Return the connections that must ask before they are sent anything."""
        return [
            session for session, delivery in self.others.items() if delivery.state is DeliveryState.BEHIND
        ]


def _is_meant(user: int, notice: Notice) -> bool:
    return user != notice.user if notice.mentions_room else user in notice.mentions
