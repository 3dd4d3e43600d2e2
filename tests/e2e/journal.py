"""Writes down what every client of a load did and saw, in the words of the checker.

Beside the message's way: one `Journal` a load, one `Witness` a client. It judges nothing.
"""

import itertools
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from roomlog_client.events import Event, Item, RoomReset
from roomlog_client.incoming import Incoming, Page, Refusal
from roomlog_client.observer import Observer
from tests.faults.history import Applied, Attempt, Connection, Operation, Outcome, Reading, ResetSeen


@dataclass
class OpenAttempt:
    """A sending whose end is not known yet."""

    connection: int
    position: int
    at: float


@dataclass
class OpenOperation:
    """A message that a client wants stored."""

    client: str
    user: int
    room: str
    uuid: str
    text: str
    wanted_at: float
    attempts: list[Attempt] = field(default_factory=list)
    open: list[OpenAttempt] = field(default_factory=list)
    seqs: list[int] = field(default_factory=list)
    answered_at: float | None = None

    def end_attempts(self, connection: int | None, outcome: Outcome, code: str = "", at: float = 0.0) -> None:
        """End the sendings of one connection, or all of them, with the same outcome."""
        at = at or time.monotonic()
        ended = [attempt for attempt in self.open if connection in (None, attempt.connection)]
        self.open = [attempt for attempt in self.open if attempt not in ended]
        self.attempts += [
            Attempt(attempt.connection, attempt.position, attempt.at, at, outcome, code) for attempt in ended
        ]

    def close(self) -> Operation:
        """Return it as the checker wants it; what is still open stays unknown."""
        self.end_attempts(None, Outcome.UNKNOWN)
        words = (self.client, self.user, self.room, self.uuid, self.text)
        return Operation(*words, tuple(self.attempts), tuple(self.seqs), self.answered_at)


class Journal:
    """All clients of one load."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.witnesses: list[Witness] = []

    def witness(self, client: str, user: int, rooms: Sequence[str]) -> "Witness":
        """Return the observer of one more client; `rooms` begin with an empty log."""
        witness = Witness(self, client, user, rooms)
        self.witnesses.append(witness)
        return witness

    def operations(self) -> list[Operation]:
        """Return every message that anybody wanted stored and that was sent at least once."""
        wanted = [operation for witness in self.witnesses for operation in witness.operations.values()]
        return [closed for closed in (operation.close() for operation in wanted) if closed.attempts]

    def connections(self) -> list[Connection]:
        """Return every socket."""
        return [connection for witness in self.witnesses for connection in witness.connections.values()]

    def readings(self) -> list[Reading]:
        """Return every client's way through each of its rooms."""
        return [reading for witness in self.witnesses for reading in witness.readings()]

    def successes(self) -> int:
        """Return how many messages were answered so far."""
        return sum(witness.answered for witness in self.witnesses)


class Witness(Observer):
    """Writes down one client's sockets, sendings, answers and events."""

    def __init__(self, journal: Journal, client: str, user: int, rooms: Sequence[str]) -> None:
        self._journal = journal
        self._client = client
        self._user = user
        self._rooms = rooms
        self._numbers: dict[int, int] = {}
        self._positions: Counter[int] = Counter()
        self._events: defaultdict[str, list[Applied]] = defaultdict(list)
        self._resets: defaultdict[str, list[ResetSeen]] = defaultdict(list)
        self.connections: dict[int, Connection] = {}
        self.operations: dict[str, OpenOperation] = {}
        self.answered = 0
        self.offline_since: float | None = None
        self.longest_offline = 0.0

    def want(self, room: str, uuid: str, text: str) -> None:
        """Write down that the client wants a message stored, before it is sent."""
        words = (self._client, self._user, room, uuid, text)
        self.operations[uuid] = OpenOperation(*words, wanted_at=time.monotonic())

    def authenticated(self, connection: int) -> None:
        """A socket is usable."""
        now, number = time.monotonic(), self._number(connection)
        self.connections[number] = Connection(self._client, number, now)
        if self.offline_since is not None:
            self.longest_offline = max(self.longest_offline, now - self.offline_since)
            self.offline_since = None

    def disconnected(self, connection: int, close_code: int | None) -> None:
        """A socket is gone, or never was one."""
        now, number = time.monotonic(), self._number(connection)
        if number in self.connections:
            self.connections[number] = self.connections[number]._replace(closed_at=now, close_code=close_code)
            self.offline_since = now
        for operation in self.operations.values():
            operation.end_attempts(number, Outcome.UNKNOWN, at=now)

    def sent(self, connection: int, uuid: str) -> None:
        """A message goes out, perhaps again."""
        number = self._number(connection)
        self._positions[number] += 1
        if uuid in self.operations:
            attempt = OpenAttempt(number, self._positions[number], time.monotonic())
            self.operations[uuid].open.append(attempt)

    def heard(self, connection: int, incoming: Incoming) -> None:
        """A frame arrived: perhaps an answer."""
        match incoming:
            case Event():
                self._answer(self._number(connection), incoming)
            case Page():
                for event in incoming.events:
                    self._answer(self._number(connection), event)
            case Refusal() if incoming.uuid in self.operations:
                operation = self.operations[incoming.uuid]
                operation.end_attempts(self._number(connection), Outcome.ERROR, incoming.error_code)

    def handed_on(self, item: Item) -> None:
        """An event reached the application."""
        now = time.monotonic()
        match item:
            case Event():
                applied = Applied(item.seq, item.user.id, item.uuid, item.text, now)
                self._events[item.room].append(applied)
            case RoomReset():
                seen = ResetSeen(len(self._events[item.room]), item.old_epoch, item.epoch, item.seq, now)
                self._resets[item.room].append(seen)

    def readings(self) -> list[Reading]:
        """Return the way through each room, from its first event on."""
        return [
            Reading(self._client, self._user, room, 0, tuple(self._events[room]), tuple(self._resets[room]))
            for room in self._rooms
        ]

    def _answer(self, number: int, event: Event) -> None:
        operation = self.operations.get(event.uuid)
        if operation is None or event.user.id != self._user or event.room != operation.room:
            return
        operation.seqs.append(event.seq)
        operation.end_attempts(number, Outcome.SUCCESS)
        if operation.answered_at is None:
            operation.answered_at = time.monotonic()
            self.answered += 1

    def _number(self, connection: int) -> int:
        """Return the socket's number among all clients' sockets."""
        if connection not in self._numbers:
            self._numbers[connection] = next(self._journal.numbers)
        return self._numbers[connection]
