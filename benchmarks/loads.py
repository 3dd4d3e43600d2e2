"""The two ways to load a system: as fast as it answers (closed loop), and at a steady rate (open loop).

Both drive a `Fleet`: the connections of one run, their wire and their tally. Neither knows which system it
loads.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.connection import Connection, ConnectionFailed
from benchmarks.tally import Number, Tally
from benchmarks.wires import Member, Numbering, Wire

TEXT = "The parcel is at the back door, under the green box."
"""What every message says: 52 characters, a common length for a line of chat."""

CONNECTS_PER_SECOND = 250
"""Under every system's accept limit; connecting is not what is measured."""

CONNECTS_AT_ONCE = 16
"""No more wait for an answer: a peer that still closes an earlier run's connections resets what queues up."""

CONNECT_TRIES = 5
CONNECT_PAUSE_SECONDS = 1.0
"""Before a refused or reset connection is tried again."""

OPENING_SECONDS = 30.0
ANSWER_SECONDS = 5.0
"""A message unanswered for so long leaves the window to a new one and counts as unanswered."""

RETRY_SECONDS = 0.1
"""After an error answer without `retry_after_ms`."""

SWEEP_SECONDS = 0.5
QUIET_SECONDS = 3.0
DRAIN_SECONDS = 20.0
"""After the last send: done when everybody has everything, after 3 s without a delivery, or after 20 s."""


class Fleet:
    """All connections of one run to one system."""

    def __init__(self, wire: Wire, address: str, rooms: Sequence[Sequence[Member]]) -> None:
        self.wire = wire
        self.address = address
        self.people = [member for room in rooms for member in room]
        indices = iter(range(len(self.people)))
        self.members = [[next(indices) for _ in room] for room in rooms]
        self.room_names = [room[0]["room"] for room in rooms]
        self.connections: list[Connection] = []
        self.begin()

    def begin(self) -> None:
        """Start counting afresh, with new uuids: what an earlier load left under way is nobody's."""
        self.tally = Tally(self.members)
        self.numbering = Numbering()
        self.errors: Counter[str] = Counter()
        self.on_accepted: Callable[[Number], None] = lambda number: None

    async def open(self) -> None:
        """Connect everybody, paced, and wait until each is let in.

        Raises: ConnectionFailed, OSError, TimeoutError.
        """
        started = time.perf_counter()
        turns = asyncio.Semaphore(CONNECTS_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            openings = []
            for index, member in enumerate(self.people):
                await asyncio.sleep(max(0.0, started + index / CONNECTS_PER_SECOND - time.perf_counter()))
                openings.append(group.create_task(self._open_in_turn(turns, index, member)))
        self.connections = [opening.result() for opening in openings]

    def close(self) -> None:
        """Drop all connections."""
        for connection in self.connections:
            connection.close()

    def send(self, sender: int, room: int, sent_at: float) -> Number:
        """Send a new message and return its number."""
        number = self.tally.send(sender, room, sent_at)
        self._transmit(self.tally, number)
        return number

    async def drain(self) -> None:
        """Wait until all that was sent has arrived, or nothing arrives any more."""
        deadline = time.perf_counter() + DRAIN_SECONDS
        seen, quiet_since = self.tally.delivered, time.perf_counter()
        while not self.tally.is_settled and time.perf_counter() < deadline:
            await asyncio.sleep(0.05)
            if self.tally.delivered != seen:
                seen, quiet_since = self.tally.delivered, time.perf_counter()
            elif time.perf_counter() - quiet_since > QUIET_SECONDS:
                return

    @property
    def closed(self) -> Counter[str]:
        """Why connections were lost, with how many of each."""
        return Counter(one.close_reason for one in self.connections if not one.is_open)

    async def _open_in_turn(self, turns: asyncio.Semaphore, index: int, member: Member) -> Connection:
        async with turns:
            for _ in range(CONNECT_TRIES - 1):
                with contextlib.suppress(ConnectionFailed, OSError):
                    return await self._open_one(index, member)
                await asyncio.sleep(CONNECT_PAUSE_SECONDS)
            return await self._open_one(index, member)

    async def _open_one(self, index: int, member: Member) -> Connection:
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        opening = self.wire.opening_of(member)
        receive = self._receive_joined if self.wire.is_joined else self._receive

        def on_text(buffer: bytes, start: int, end: int) -> None:
            if not opened.done() and opening is not None:
                self._finish_opening(opened, buffer[start:end])
            else:
                receive(index, buffer, start, end)

        connection = await Connection.open(self.wire.address_of(self.address, member), on_text)
        if opening is None:
            opened.set_result(None)
        else:
            connection.send(opening)
        async with asyncio.timeout(OPENING_SECONDS):
            await opened
        return connection

    def _transmit(self, tally: Tally, number: Number) -> None:
        if tally is not self.tally:
            return  # a repeat of an earlier load
        room = self.room_names[self.tally.rooms[number]]
        frame = self.wire.send_of(self.numbering.uuid_of(number), room, TEXT)
        self.connections[self.tally.senders[number]].send(frame)

    def _finish_opening(self, opened: asyncio.Future[None], payload: bytes) -> None:
        if self.wire.is_opened(payload):
            opened.set_result(None)
        else:
            opened.set_exception(ConnectionFailed(payload.decode()))

    def _receive_joined(self, index: int, buffer: bytes, start: int, end: int) -> None:
        while start < end:
            line_end = buffer.find(b"\n", start, end)
            line_end = end if line_end < 0 else line_end
            self._receive(index, buffer, start, line_end)
            start = line_end + 1

    def _receive(self, index: int, buffer: bytes, start: int, end: int) -> None:
        position = buffer.find(self.wire.uuid_marker, start, end)
        if position < 0:
            return
        number = self.numbering.number_at(buffer, position + len(self.wire.uuid_marker))
        if number < 0:
            return
        if buffer.find(self.wire.error_marker, start, end) >= 0:
            self._refused(number, json.loads(buffer[start:end]))
        elif self.tally.deliver(index, number):
            self.on_accepted(number)

    def _refused(self, number: Number, answer: dict[str, object]) -> None:
        self.errors[str(answer.get("error_code", "error"))] += 1
        retry_ms = answer.get("retry_after_ms")
        delay = retry_ms / 1000 if isinstance(retry_ms, (int, float)) else RETRY_SECONDS
        # Again with the same uuid, as a client would.
        asyncio.get_running_loop().call_later(delay, self._transmit, self.tally, number)


class ClosedLoop:
    """A window of unanswered sends, spread over rooms, then members; an answer starts the next send."""

    def __init__(self, fleet: Fleet, in_flight: int) -> None:
        self.fleet = fleet
        self.in_flight = in_flight
        self.is_sending = False
        self.window: set[Number] = set()
        self.senders = [itertools.cycle(members) for members in fleet.members]
        """Whose turn it is, by room: nobody sends so fast that a system's limit for one connection is met."""

    async def run(self, warmup_seconds: float, seconds: float, on_window: Callable[[], None]) -> None:
        """Load for warm-up and measurement; `on_window` is called at the measured window's start and end."""
        self.fleet.on_accepted = self._answered
        self.is_sending = True
        for place in range(self.in_flight):
            self._send(place % len(self.senders))
        sweeper = asyncio.create_task(self._sweep())
        await asyncio.sleep(warmup_seconds)
        on_window()
        await asyncio.sleep(seconds)
        on_window()
        self.is_sending = False
        sweeper.cancel()
        await self.fleet.drain()

    def _send(self, room: int) -> None:
        self.window.add(self.fleet.send(next(self.senders[room]), room, time.perf_counter()))

    def _answered(self, number: Number) -> None:
        if number in self.window:
            self._replace(number)

    def _replace(self, number: Number) -> None:
        self.window.discard(number)
        if self.is_sending:
            self._send(self.fleet.tally.rooms[number])

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            oldest = time.perf_counter() - ANSWER_SECONDS
            for number in [n for n in self.window if self.fleet.tally.sent_at[n] < oldest]:
                self._replace(number)


class OpenLoop:
    """A steady rate, whatever the answers: the next send's time is fixed before the last one is answered."""

    def __init__(self, fleet: Fleet, per_second: float) -> None:
        self.fleet = fleet
        self.per_second = per_second

    async def run(self, warmup_seconds: float, seconds: float, on_window: Callable[[], None]) -> None:
        """Load for warm-up and measurement; a message's time counts from when it was due."""
        started = time.perf_counter()
        warmup = int(warmup_seconds * self.per_second)
        for turn in range(warmup + int(seconds * self.per_second)):
            due = started + turn / self.per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if turn == warmup:
                on_window()
            self._send(turn, due)
        on_window()
        await self.fleet.drain()

    def _send(self, turn: int, due: float) -> None:
        members = self.fleet.members
        room = turn % len(members)
        self.fleet.send(members[room][turn // len(members) % len(members[room])], room, due)
