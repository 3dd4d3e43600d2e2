"""The order of each room's events at the client: the next is handed on, a gap is asked for. Pure.

The cursor moves before an event is handed on, so that nothing is handed on twice (G5). What the application
has no space for is not taken: it is in the log and read again. Says which rooms to ask for; sends nothing.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import Final, Literal

from msgspec.structs import replace

from roomlog_contract import limits
from roomlog_contract.commands import Cursor

from .events import (
    Event,
    Hint,
    Item,
    RoomJoined,
    RoomLeft,
    RoomMarked,
    RoomReceipts,
    RoomReset,
    RoomSummary,
    UserBlocked,
)
from .incoming import Page, Selected
from .receipts import Receipts

Start = Literal["head", "beginning"]
"""Where a room begins for a client that has no cursor of it."""

WAITING_ITEMS: Final = 1_000
"""Items that the application has not taken yet; beyond it events stay in the log until there is space."""
ROOMS_ASKED: Final = 4
"""Rooms read at once: each answer is a page of up to 200 events."""
NO_PROGRESS_SECONDS: Final = 1.0
"""Pause after a page that brought nothing although something is missing."""
ASKED_SECONDS: Final = limits.UNANSWERED_SECONDS + 1.0
"""After this an answer is not awaited any longer: ask again."""


class Ask(Enum):
    """What a room needs to be told by the server."""

    NOTHING = auto()
    SINCE = auto()
    """Events after the cursor."""
    AFRESH = auto()
    """The present state: the cursor is worth nothing."""


@dataclass(slots=True)
class Room:
    """One followed room."""

    summary: RoomSummary
    epoch: str
    seq: int
    """The cursor: the last event that was handed on."""
    head: int
    """The highest seq that is known to exist."""
    ask: Ask = Ask.NOTHING
    asked_at: float | None = None
    """When the question under way was sent."""
    is_overtaken: bool = False
    """The log was reset while a question was under way: its answer may be about the log before."""
    not_before: float = 0.0
    """The server asked to wait until then, or its answer brought nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """A select_room that is to be sent."""

    room: str
    since: Cursor | None


class Rooms:
    """Every room that the client follows, and what the application is still to take."""

    def __init__(self, start: Start, only: Collection[str], cursors: dict[str, Cursor]) -> None:
        """`only` empty follows every room; `cursors` are where an earlier run of the program stopped."""
        self._start = start
        self._only = frozenset(only)
        self._known = dict(cursors)
        self._rooms: dict[str, Room] = {}
        self._incomplete: dict[str, Room] = {}
        """Those of which something must be asked, in the order in which that was found."""
        self._untold: dict[str, RoomSummary] = {}
        """Rooms whose read marks the application has had no space for."""
        self.receipts = Receipts()
        self._waiting = 0
        self.items: list[Item] = []
        """What is to be handed on, in order; the caller takes it out."""

    def __contains__(self, room: str) -> bool:
        return room in self._rooms

    def summaries(self) -> list[RoomSummary]:
        """Return the followed rooms as they were when they were joined, with the last known read marks."""
        return [room.summary for room in self._rooms.values()]

    def head(self, room: str) -> int:
        """Return the highest seq that is known of a followed room."""
        return self._rooms[room].head

    def cursors(self) -> dict[str, Cursor]:
        """Return how far the application was handed each room: to be given to the next client."""
        known = {key: Cursor(room.epoch, room.seq) for key, room in self._rooms.items()}
        return {**self._known, **known}

    def authenticated(self, summaries: Iterable[RoomSummary]) -> None:
        """Compare with the rooms that the server says; rooms that are not among them were left."""
        present = {summary.id: summary for summary in summaries}
        for room in [room for room in self._rooms if room not in present]:
            self.left(room)
        for room, summary in present.items():
            if room in self._rooms:
                self.marked(summary)
                self._compare(self._rooms[room], summary.epoch, summary.seq)
            else:
                self.joined(summary)

    def joined(self, summary: RoomSummary) -> None:
        """Begin to follow a room, from its known cursor, its head or its beginning."""
        if (self._only and summary.id not in self._only) or summary.id in self._rooms:
            return
        first = summary.seq if self._start == "head" else 0
        cursor = self._known.pop(summary.id, Cursor(summary.epoch, first))
        room = Room(summary, cursor.epoch, cursor.seq, cursor.seq)
        self._rooms[summary.id] = room
        self.hand_on(RoomJoined(summary, cursor.seq))
        self._compare(room, summary.epoch, summary.seq)

    def marked(self, summary: RoomSummary) -> None:
        """Take a room's read mark, which only moves forward within an epoch, and the level of notifications.

        An application that is far behind is told of a room's last mark when it has space.
        """
        room = self._rooms.get(summary.id)
        if room is None or _mark(summary) == _mark(room.summary):
            return
        if summary.epoch == room.summary.epoch and summary.read_seq < room.summary.read_seq:
            return
        epoch, read_seq, notify = _mark(summary)
        counts = {"unread": summary.unread, "unread_mentions": summary.unread_mentions}
        room.summary = replace(room.summary, epoch=epoch, read_seq=read_seq, notify=notify, **counts)
        self._untold[summary.id] = summary
        self._tell_marks()

    def left(self, key: str) -> None:
        """Stop following a room; again is harmless."""
        self._incomplete.pop(key, None)
        self._untold.pop(key, None)
        self.receipts.forget(key)
        if self._rooms.pop(key, None) is not None:
            self.hand_on(RoomLeft(key))

    def event(self, event: Event) -> None:
        """Take one event: hand it on if it is the next, ask if one before it is missing."""
        room = self._rooms.get(event.room)
        if room is None:
            return
        is_next = event.epoch == room.epoch and event.seq == room.seq + 1
        if is_next and not event.duplicate and room.ask is not Ask.AFRESH and self._waiting < WAITING_ITEMS:
            room.seq = event.seq
            room.head = max(room.head, event.seq)
            self.receipts.event(event)
            self.hand_on(event)
        else:
            self._compare(room, event.epoch, event.seq)

    def head_is(self, key: str, cursor: Cursor) -> None:
        """Take what the server says of a room's head."""
        room = self._rooms.get(key)
        if room is not None:
            self._compare(room, cursor.epoch, cursor.seq)

    def must_ask(self, key: str, ask: Ask = Ask.SINCE) -> None:
        """The server sends nothing of the room until it is asked; AFRESH: the cursor is worth nothing.

        A question under way suffices: its answer comes after this demand and says where to go on.
        """
        room = self._rooms.get(key)
        if room is not None:
            room.is_overtaken = ask is Ask.AFRESH and room.asked_at is not None
            self._need(room, ask)

    def reset(self, key: str, epoch: str) -> None:
        """The log began anew in this epoch; an answer that crossed this may have brought the room there."""
        room = self._rooms.get(key)
        if room is not None:
            self.must_ask(key, Ask.SINCE if room.epoch == epoch else Ask.AFRESH)

    def page(self, page: Page, now: float) -> None:
        """Take a page of missed events; the room is asked for again while something is still missing."""
        room = self._answered(page.room)
        if room is None or room.ask is Ask.AFRESH:
            return
        if page.reset:
            self._need(room, Ask.AFRESH)
            return
        before = room.seq
        if not page.more:
            room.head = max(page.seq, room.seq)
            self._settle_unless_overtaken(room)
        for event in page.events:
            self.event(event)
        self._compare(room, page.epoch, page.seq)
        if room.ask is not Ask.NOTHING and room.seq == before:
            room.not_before = now + NO_PROGRESS_SECONDS

    def selected(self, answer: Selected) -> None:
        """Take a room's present state in place of everything before."""
        room = self._answered(answer.room)
        if room is None:
            return
        if room.ask is not Ask.AFRESH:  # it was asked for before the room was left and joined again
            self._compare(room, answer.epoch, answer.seq)
            return
        old_epoch, room.epoch = room.epoch, answer.epoch
        room.seq = room.head = answer.seq if self._start == "head" else answer.first_seq - 1
        self._settle_unless_overtaken(room)
        self.receipts.forget(answer.room)
        self.hand_on(RoomReset(answer.room, old_epoch, room.epoch, room.seq, answer.room_messages))
        self._compare(room, answer.epoch, answer.seq)

    def refused(self, key: str, not_before: float) -> None:
        """The question was refused or not answered: ask again at `not_before`."""
        room = self._answered(key)
        if room is not None:
            room.not_before = not_before

    def disconnected(self) -> None:
        """No question is under way any more; the next authenticate tells what is missing."""
        self.receipts.disconnected()
        for room in list(self._incomplete.values()):
            room.asked_at, room.not_before, room.is_overtaken = None, 0.0, False
            if room.ask is Ask.SINCE:
                self._settle(room)

    def hint(self, told: Hint) -> None:
        """Hand on who types, reads or is in a followed room, or is blocked, if the application keeps up."""
        if not (isinstance(told, UserBlocked) or told.room in self._rooms):
            return
        if isinstance(told, RoomReceipts):
            self.receipts.hear(told)
        if self._waiting < WAITING_ITEMS:
            self.hand_on(told)

    def hand_on(self, item: Item) -> None:
        """Give an item to the application, after those before it."""
        self._waiting += 1
        self.items.append(item)

    def taken(self, items: int) -> None:
        """The application has taken that many items."""
        self._waiting -= items
        self._tell_marks()

    def questions(self, now: float) -> list[Question]:
        """Return what to ask now: few rooms at once, and only what there is space for."""
        if not self._incomplete:
            return []
        asked = sum(room.asked_at is not None for room in self._incomplete.values())
        space = (WAITING_ITEMS - self._waiting) // limits.PAGE_EVENTS - asked
        wanted = (
            room for room in self._incomplete.values() if room.asked_at is None and room.not_before <= now
        )
        return [_question(room) for room in islice(wanted, max(0, min(ROOMS_ASKED - asked, space)))]

    def asked(self, key: str, now: float) -> None:
        """The question was sent."""
        self._rooms[key].asked_at = now

    def expire(self, now: float) -> None:
        """Ask again where no answer came in time."""
        for room in self._incomplete.values():
            if room.asked_at is not None and now >= room.asked_at + ASKED_SECONDS:
                room.asked_at = None

    def next_at(self, now: float) -> float | None:
        """Return when a question falls due or expires by time alone.

        What is due already does not count; what should have expired already does, or nobody would expire it.
        """
        rooms = self._incomplete.values()
        times = [room.asked_at + ASKED_SECONDS for room in rooms if room.asked_at is not None]
        times += [room.not_before for room in rooms if room.asked_at is None and room.not_before > now]
        return min(times, default=None)

    def _tell_marks(self) -> None:
        while self._untold and self._waiting < WAITING_ITEMS:
            self.hand_on(RoomMarked(self._untold.pop(next(iter(self._untold)))))

    def _compare(self, room: Room, epoch: str, seq: int) -> None:
        """Ask where the server knows more; another epoch is asked for too, and answered with a reset."""
        if epoch == room.epoch:
            room.head = max(room.head, seq)
        if epoch != room.epoch or room.head > room.seq:
            self._need(room, Ask.SINCE)

    def _need(self, room: Room, ask: Ask) -> None:
        self._incomplete[room.summary.id] = room
        if room.ask is not Ask.AFRESH:
            room.ask = ask

    def _settle_unless_overtaken(self, room: Room) -> None:
        self._settle(room)
        if room.is_overtaken:
            room.is_overtaken = False
            self._need(room, Ask.SINCE)

    def _settle(self, room: Room) -> None:
        room.ask = Ask.NOTHING
        self._incomplete.pop(room.summary.id, None)

    def _answered(self, key: str) -> Room | None:
        """Return the room whose question is answered; the answer may be older than the last demand."""
        room = self._rooms.get(key)
        if room is not None:
            room.asked_at = None
        return room


def _mark(summary: RoomSummary) -> tuple[str, int, str]:
    return summary.epoch, summary.read_seq, summary.notify


def _question(room: Room) -> Question:
    is_afresh = room.ask is Ask.AFRESH
    return Question(room.summary.id, None if is_afresh else Cursor(room.epoch, room.seq))
