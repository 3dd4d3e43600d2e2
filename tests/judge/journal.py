"""Writes down what every client of a load did and saw, in the words of the checker.

Beside the message's way: one `Journal` a load, one `Witness` a client. It judges nothing.
"""

import asyncio
import itertools
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from roomlog_client import (
    Event,
    Item,
    Messages,
    Observer,
    RoomJoined,
    RoomLeft,
    RoomPresence,
    RoomReceipts,
    RoomReset,
    RoomSummary,
    RoomTyping,
)
from roomlog_client.incoming import Answer, Incoming, Marked, Page, Refusal, Selected
from tests.judge.attendance import Attendance, ToldPresence
from tests.judge.blocks import Blocks
from tests.judge.following import Following
from tests.judge.hinted import note_hint
from tests.judge.history import (
    MESSAGE_KIND,
    Applied,
    Attempt,
    Connection,
    History,
    Operation,
    Outcome,
    Reading,
    ResetSeen,
    Row,
    Shown,
)
from tests.judge.marks import Mark
from tests.judge.mentions import as_told, mentions_in
from tests.judge.moderation import Moderation, Tables, told_by
from tests.judge.pages import PageSeen, Recall
from tests.judge.pins import PinList
from tests.judge.reactions import groups_of
from tests.judge.receipts import Receipts
from tests.judge.reports import Reports
from tests.judge.topics import words_of
from tests.judge.typists import ToldTypists, Typed
from tests.judge.values import content_of_frame
from tests.judge.wanted import Wanted

RECENT: Final = 20


class Known(NamedTuple):
    """A message that a client was handed, by which it can be changed."""

    room: str
    seq: int
    id: int
    user: int


class Journal:
    """All clients of one load, each with its own `Witness`; the first `showing` show what they read."""

    def __init__(self, showing: int = 4) -> None:
        self.showing = showing
        self.numbers = itertools.count(1)
        """Numbers every socket of every client."""
        self.witnesses: list[Witness] = []
        self.has_sent = asyncio.Event()
        """Set whenever a message goes out."""
        self.typed: list[Typed] = []
        self.typists: list[ToldTypists] = []
        self.attendance, self.blocks, self.receipts = Attendance(), Blocks(), Receipts()
        self.reports = Reports()
        self.fresh_marks: list[Mark] = []
        """Read marks as the server listed them in the end."""
        self.known_marks: list[Mark] = []
        """What the clients believed then."""
        self.pages: list[PageSeen] = []
        self.believed: list[Shown] = []
        """What the connected clients showed at rest."""

    def witness(self, client: str, user: int) -> "Witness":
        """Return the observer of one more client."""
        witness = Witness(self, client, user, shows=len(self.witnesses) < self.showing)
        self.witnesses.append(witness)
        return witness

    def operations(self) -> list[Operation]:
        """Return every message that was sent at least once."""
        now = time.monotonic()
        wanted = (wanted for witness in self.witnesses for wanted in witness.wanted.values())
        return [operation for one in wanted if (operation := one.operation(now)).attempts]

    def connections(self) -> list[Connection]:
        """Return every socket that was authenticated."""
        return [connection for witness in self.witnesses for connection in witness.connections.values()]

    def readings(self) -> list[Reading]:
        """Return every client's way through each of its rooms."""
        return [reading for witness in self.witnesses for reading in witness.readings()]

    def shown(self) -> list[Shown]:
        """Return every message that a client was shown in its present state."""
        return [one for witness in self.witnesses for one in witness.shown]

    def pin_lists(self) -> list[PinList]:
        """Return every list of pins that a client was given."""
        return [one for witness in self.witnesses for one in witness.pin_lists]

    def marks(self) -> list[Mark]:
        """Return all that clients were told of read marks."""
        return [mark for witness in self.witnesses for mark in witness.marks]

    def history(self, rows: list[Row], tables: Tables) -> History:
        """Return what clients have told, and what the database has."""
        return History(
            operations=self.operations(),
            rows=rows,
            readings=self.readings(),
            shown=self.shown(),
            believed=self.believed,
            connections=self.connections(),
            members=tables.members,
            bans=tables.bans,
            topics=tables.topics,
            names=tables.names,
            doors=tables.doors,
            pin_lists=self.pin_lists(),
            pages=self.pages,
            marks=self.marks(),
            fresh_marks=self.fresh_marks,
            known_marks=self.known_marks,
            typed=self.typed,
            typists=self.typists,
            attendance=self.attendance,
            blocks=replace(self.blocks, stored=list(tables.blocks)),
            receipts=replace(self.receipts, stored=tables.receipts),
            reports=replace(self.reports, stored=list(tables.reports)),
        )

    def note_believed(self) -> None:
        """Note what each client shows; call it at rest."""
        self.believed = [one for witness in self.witnesses for one in witness.believed()]

    def successes(self) -> int:
        """Return how many messages were answered so far."""
        return sum(witness.answered for witness in self.witnesses)

    def has_open(self) -> bool:
        """Tell whether some sending waits for its answer."""
        return any(witness.endless() for witness in self.witnesses)

    def has_unknown(self) -> bool:
        """Tell whether some sending was never answered."""
        wanted = (wanted for witness in self.witnesses for wanted in witness.wanted.values())
        return any(attempt.outcome is Outcome.UNKNOWN for one in wanted for attempt in one.ended)


class Witness(Observer):
    """Writes down one client's sockets, sendings, answers and events."""

    def __init__(self, journal: Journal, client: str, user: int, *, shows: bool) -> None:
        self._journal = journal
        self.client = client
        self.user = user
        self.wanted: dict[str, Wanted] = {}
        self.connections: dict[int, Connection] = {}
        self.answered = 0
        self.shown: list[Shown] = []
        self.pin_lists: list[PinList] = []
        self.recall = Recall(client, user, journal.pages)
        self.recent: deque[Known] = deque(maxlen=RECENT)
        """The last messages that the client was handed."""
        self._shows = shows
        self.marks: list[Mark] = []
        self._wanted_marks: dict[str, tuple[int, float | None]] = {}
        """Seq and time of the first sending of each mark, by its uuid."""
        self._presence: dict[str, ToldPresence] = {}
        self._numbers: dict[int, int] = {}
        self._positions: Counter[int] = Counter()
        self._following: dict[str, Following] = {}
        self._refused: dict[str, int] = {}
        """Rooms that a worker has said the client is out of, until its gateway says so: with its cursors."""
        self._ended: list[Reading] = []

    def want(self, room: str, uuid: str, text: str, mentions: Iterable[int] = (), data: str = "") -> None:
        """Write down that the client wants a message stored, before it is sent."""
        facts, mentioned = (self.client, self.user, room, uuid, text), tuple(sorted(mentions))
        self.wanted[uuid] = Wanted(*facts, mentions=mentioned, data=data)

    def want_change(
        self, kind: str, known: Known, uuid: str, text: str = "", mentions: Iterable[int] = ()
    ) -> None:
        """Write down that the client wants to edit, delete, pin or unpin a message, before it is sent."""
        facts = (self.client, self.user, known.room, uuid, text)
        self.wanted[uuid] = Wanted(*facts, kind=kind, target=known.seq, mentions=tuple(sorted(mentions)))

    def want_reaction(self, kind: str, known: Known, uuid: str, emoji: str) -> None:
        """Write down that the client wants a reaction added or removed, before it is sent."""
        facts = (self.client, self.user, known.room, uuid, "")
        self.wanted[uuid] = Wanted(*facts, kind=kind, target=known.seq, emoji=emoji)

    def want_moderation(self, kind: str, room: str, uuid: str, moderation: Moderation) -> None:
        """Write down that the client wants to say what another may, before it is sent."""
        self.wanted[uuid] = Wanted(self.client, self.user, room, uuid, "", kind=kind, moderation=moderation)

    def want_mark(self, uuid: str, seq: int) -> None:
        """Write down that the client marks a room read, before it is sent."""
        self._wanted_marks[uuid] = seq, None

    def type(self, room: str) -> None:
        """Write down that the client says that its user is typing, before it does."""
        self._journal.typed.append(Typed(self.user, room, time.monotonic()))

    def readings(self) -> list[Reading]:
        """Return the way through each room, those left behind first."""
        present = self._following.items()
        return [*self._ended, *(way.reading(self.client, self.user, room) for room, way in present)]

    def believed(self) -> list[Shown]:
        """Return the messages that the client shows, each with the seq up to which it was handed the room."""
        now, found = time.monotonic(), []
        for room, way in self._following.items():
            head = way.reading(self.client, self.user, room).cursor
            if way.shown is not None:
                found += [self._shown(room, one, head, now) for one in way.shown.in_order()]
        return found

    def endless(self) -> list[Wanted]:
        """Return the messages that went out last and have no answer yet."""
        return [wanted for wanted in self.wanted.values() if wanted.open]

    def told_presence(self, room: str) -> ToldPresence | None:
        """Return what the client was told last of who is in a room."""
        return self._presence.get(room)

    def cursors(self) -> dict[str, int]:
        """Return how far the client was handed each room that it follows."""
        return {reading.room: reading.cursor for reading in self.readings() if not reading.left}

    def authenticated(self, connection: int) -> None:
        """A socket is usable."""
        number = self._number(connection)
        self.connections[number] = Connection(self.client, number, time.monotonic())

    def disconnected(self, connection: int, close_code: int | None) -> None:
        """A socket is gone, or never was one; what it did not answer is unknown."""
        now, number = time.monotonic(), self._number(connection)
        if number in self.connections:
            ended = self.connections[number]._replace(closed_at=now, close_code=close_code)
            self.connections[number] = ended
        self._refused.clear()
        for wanted in self.wanted.values():
            wanted.end(number, Outcome.UNKNOWN, now)

    def sent(self, connection: int, uuid: str) -> None:
        """A message goes out, perhaps again."""
        number, now = self._number(connection), time.monotonic()
        self._positions[number] += 1
        seq, invoked_at = self._wanted_marks.get(uuid, (0, now))
        if invoked_at is None:
            self._wanted_marks[uuid] = seq, now
        wanted = self.wanted.get(uuid)
        if wanted is None:
            self.recall.asked(uuid, now)
        else:
            wanted.end(number, Outcome.UNKNOWN, now)
            wanted.open.append(Attempt(number, self._positions[number], now, now, Outcome.UNKNOWN))
            self._journal.has_sent.set()

    def heard(self, connection: int, incoming: Incoming) -> None:
        """A frame arrived: an answer, the event within a page that tells the same, or messages."""
        number = self._number(connection)
        self._note_refused(incoming)
        self.recall.heard(incoming, time.monotonic())
        match incoming:
            case Event():
                self._answer(number, incoming)
            case Page():
                for event in incoming.events:
                    self._answer(number, event)
            case Marked():
                uuid = incoming.answer.uuid if incoming.answer else ""
                self.marks.append(self._mark(incoming.room, *self._wanted_marks.get(uuid, (0, None))))
            case RoomTyping() | RoomPresence() | RoomReceipts():
                told = note_hint(self._journal, self._told(incoming.room), number, incoming)
                if told is not None:
                    self._presence[told.room] = told
            case Refusal() if incoming.uuid in self.wanted:
                code = incoming.error_code
                self.wanted[incoming.uuid].end(number, Outcome.ERROR, time.monotonic(), code)
            case Selected():
                self._show(incoming.room, incoming.room_messages, incoming.seq)
            case Answer(action="list_pins"):
                body, now = incoming.body, time.monotonic()
                self._show(body["room"], body["room_messages"], body["seq"])
                seqs = tuple(one["seq"] for one in body["room_messages"])
                facts = (self.client, self.user, body["room"], now, body["seq"], seqs)
                self.pin_lists.append(PinList(*facts, has_more=body.get("more", False)))
            case Answer(action="get_history"):
                body = incoming.body
                self._show(body["room"], body["room_messages"], body["seq"])
                way = self._following.get(body["room"])
                if way is not None and way.shown is not None and body["seq"] >= way.shown_since:
                    way.shown.add(body)
            case _:
                pass

    def handed_on(self, item: Item) -> None:
        """An item goes to the application."""
        now = time.monotonic()
        match item:
            case Event():
                data = content_of_frame(item.body.get("message", {}))
                emoji, text = item.body.get("emoji", ""), words_of(item.action, item.body, item.text)
                facts = (item.seq, item.user.id, item.uuid, text, now, data, emoji)
                mentions = as_told(item.mentions, item.mentions_room)
                applied = Applied(*facts, told_by(item.action, item.body), mentions)
                way = self._following[item.room]
                way.events.append(applied)
                way.show(item)
                if item.action == MESSAGE_KIND and "id" in item.body.get("message", {}):
                    number = item.body["message"]["id"]
                    self.recent.append(Known(item.room, item.seq, number, item.user.id))
            case RoomJoined():
                shown = Messages(self.user) if self._shows else None
                self._following[item.room.id] = Following(item.cursor, shown, self.user, item.cursor)
            case RoomLeft():
                way = self._following.pop(item.room)
                way.left = True
                self._ended.append(way.reading(self.client, self.user, item.room))
            case RoomReset():
                way = self._following[item.room]
                seen = ResetSeen(len(way.events), item.old_epoch, item.epoch, item.seq, now)
                way.resets.append(seen)
                if way.shown is not None:
                    way.shown.reset(item)
            case _:
                pass

    def _told(self, room: str) -> tuple[str, int, str, float, int | None]:
        """Return who is told something of a room, when, and how far it was handed the room."""
        way = self._following.get(room)
        seq = self._refused.get(room) if way is None else way.reading(self.client, self.user, room).cursor
        return self.client, self.user, room, time.monotonic(), seq

    def _note_refused(self, incoming: Incoming) -> None:
        match incoming:
            case Refusal(error_code="not_member", room=room) if way := self._following.get(room):
                self._refused[room] = way.reading(self.client, self.user, room).cursor
            case RoomLeft(room=room):
                self._refused.pop(room, None)
            case _:
                pass

    def _answer(self, number: int, event: Event) -> None:
        wanted = self.wanted.get(event.uuid)
        if wanted is None or event.user.id != self.user or event.room != wanted.room:
            return
        now = time.monotonic()
        wanted.seqs.append(event.seq)
        wanted.end(number, Outcome.SUCCESS, now)
        if wanted.answered_at is None:
            wanted.answered_at = now
            self.answered += 1

    def _show(self, room: str, messages: list[dict[str, Any]], head: int) -> None:
        now = time.monotonic()
        self.shown += [self._shown(room, one, head, now) for one in messages]

    def _shown(self, room: str, one: dict[str, Any], head: int, at: float) -> Shown:
        facts = (self.client, room, one["seq"], one["user"]["id"], one["text"], content_of_frame(one), at)
        reactions = self.user, one.get("reacted_seq") or 0, groups_of(one.get("reactions", {}))
        last = one.get("pinned"), mentions_in(one)
        return Shown(*facts, head, one["edited_at"], one["deleted"], *reactions, *last)

    def _mark(self, room: RoomSummary, wanted: int = 0, invoked_at: float | None = None) -> Mark:
        counts = room.seq, room.read_seq, room.unread, wanted, invoked_at, room.unread_mentions
        return Mark(self.client, self.user, room.id, time.monotonic(), *counts, room.notify)

    def _number(self, connection: int) -> int:
        """Return the socket's number among all clients' sockets."""
        if connection not in self._numbers:
            self._numbers[connection] = next(self._journal.numbers)
        return self._numbers[connection]
