"""How much one socket may make the gateway read: every byte counts, whatever kind of frame it is in."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import limits
from roomlog_gateway.sockets.read_throttle import MEMBER, TURN_BYTES, TURN_FRAMES, ReadThrottle, frame_length
from tests.gateway.client import DEADLINE_SECONDS
from tests.gateway.running import Connect, Running
from tests.harness import raw
from tests.harness.waiting import eventually

MASK = b"\x01\x02\x03\x04"


def frame(first: int, payload: bytes = b"") -> bytes:
    """Return a client's frame, whose mask is of no interest here."""
    return raw.frame(first & 0x0F, payload, final=first >= 0x80, mask=MASK)


KINDS = {
    "pongs": frame(0x8A),
    "pings": frame(0x89),
    "empty fragments": frame(0x00),
    "tiny fragments": frame(0x00, b"x"),
    "commands": frame(0x81, b'{"uuid":"1","action":"ping"}'),
}


class Clockwork:
    """A loop, a transport and a parser in one: time goes on when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns: list[bytes] = []
        self.parsed_bytes = 0
        self.is_reading = True
        self.floods = 0
        self._due: list[tuple[float, Callable[[], None]]] = []
        self.throttle = ReadThrottle(self, self, self, self._flood)  # type: ignore[arg-type]
        self.throttle.allow(MEMBER)

    @property
    def parsed(self) -> bytes:
        return b"".join(self.turns)

    def send(self, data: bytes) -> None:
        """Let bytes come, as far as the socket is read."""
        for start in range(0, len(data), 256 * 1024):
            self.run(self.now)
            if not self.is_reading:
                return
            self.throttle.feed_data(data[start : start + 256 * 1024])
        self.run(self.now)

    def run(self, until: float) -> None:
        """Call what is due."""
        while self._due and min(self._due, key=_when)[0] <= until:
            due = min(self._due, key=_when)
            self._due.remove(due)
            self.now = max(self.now, due[0])
            due[1]()
        self.now = until

    def _flood(self) -> None:
        self.floods += 1

    # What a throttle needs of its loop, its transport and its parser.

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], None]) -> Any:
        self._due.append((self.now + delay, callback))
        return self

    def call_soon(self, callback: Callable[[], None]) -> Any:
        return self.call_later(0.0, callback)

    def cancel(self) -> None:
        self._due.clear()

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.turns.append(data)
        self.parsed_bytes += len(data)
        return False, b""

    def feed_eof(self) -> None:
        self.turns.append(b"")


def _when(due: tuple[float, Any]) -> float:
    return due[0]


def frames_in(data: bytes) -> list[int]:
    """Return the lengths of whole frames."""
    lengths = []
    while data:
        length = frame_length(data, 0)
        assert length is not None
        lengths.append(length)
        data = data[length:]
    return lengths


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_every_kind_are_bounded(kind: str) -> None:
    """At once a burst; then the rate, however small they are and however many wait."""
    clockwork = Clockwork()
    clockwork.send(KINDS[kind] * 20_000)
    assert len(frames_in(clockwork.parsed)) == limits.FRAMES_BURST
    assert not clockwork.is_reading
    clockwork.run(2.0)
    assert len(frames_in(clockwork.parsed)) <= limits.FRAMES_BURST + 2 * limits.FRAMES_PER_SECOND


def test_bytes_are_bounded_and_limits_are_no_hindrance() -> None:
    """What is over the legal rate stays with the client; at its limits none is held back."""
    clockwork = Clockwork()
    message = frame(0x81, b"x" * 65_000)
    for second in range(1, 6):
        for _ in range(80):
            clockwork.send(message)
        clockwork.run(float(second))
    assert len(clockwork.parsed) <= limits.BYTES_BURST + 5 * limits.BYTES_PER_SECOND
    pieces = [frame(0x01, b"x" * 4096)] + [frame(0x00, b"x" * 4096)] * 14 + [frame(0x80, b"x" * 4088)]
    message = b"".join(pieces)
    clockwork = Clockwork()
    for _ in range(limits.COMMANDS_BURST):
        clockwork.send(message)
    for number in range(1, 10 * limits.COMMANDS_PER_SECOND):
        clockwork.run(number / limits.COMMANDS_PER_SECOND)
        sent = clockwork.parsed_bytes
        clockwork.send(message)
        assert clockwork.parsed_bytes == sent + len(message)
    assert clockwork.is_reading
    assert not clockwork.floods


@pytest.mark.parametrize("size", [0, 200, 65_000])
def test_a_turn_of_the_loop_parses_little(size: int) -> None:
    """Neighbours are served between two pieces."""
    clockwork = Clockwork()
    clockwork.send(frame(0x81, b"x" * size) * (256 * 1024 // (size + 8)))
    assert len(clockwork.turns) > 1
    assert max(map(len, clockwork.turns)) <= TURN_BYTES
    if size < 1000:
        assert max(len(frames_in(turn)) for turn in clockwork.turns) <= TURN_FRAMES


def test_who_goes_on_flooding_is_reported_after_three_seconds() -> None:
    """Not a single lump; who stops for a while begins anew."""
    clockwork = Clockwork()
    while clockwork.now < limits.FLOOD_SECONDS - 0.1:
        clockwork.send(KINDS["pongs"] * 5_000)
        clockwork.run(clockwork.now + 0.01)
    assert not clockwork.floods
    while clockwork.now < limits.FLOOD_SECONDS + 0.5:
        clockwork.send(KINDS["pongs"] * 5_000)
        clockwork.run(clockwork.now + 0.01)
    assert clockwork.floods
    clockwork = Clockwork()
    for minute in range(5):
        clockwork.run(minute * 60.0)
        clockwork.send(KINDS["pongs"] * (limits.FRAMES_BURST + limits.FRAMES_PER_SECOND))
    clockwork.run(400.0)
    assert not clockwork.floods
    assert clockwork.is_reading


@given(
    st.lists(st.tuples(st.sampled_from([0x00, 0x81, 0x8A]), st.integers(0, 70_000)), max_size=8),
    st.lists(st.integers(1, 5_000), min_size=1, max_size=20),
)
def test_all_bytes_pass_in_order(frames: list[tuple[int, int]], cuts: list[int]) -> None:
    """However they arrive, and whatever the frames are."""
    data = b"".join(frame(first, bytes(size)) for first, size in frames) + b"\x81"
    clockwork, position = Clockwork(), 0
    while position < len(data):
        cut = cuts[position % len(cuts)]
        clockwork.throttle.feed_data(data[position : position + cut])
        position += cut
    clockwork.run(60.0)
    assert clockwork.parsed == data[:-1]
    clockwork.throttle.feed_data(b"\x80")
    assert clockwork.parsed == data + b"\x80"


def test_the_end_of_the_socket_drops_what_waits() -> None:
    """Nothing is called any more."""
    clockwork = Clockwork()
    clockwork.send(KINDS["pongs"] * 20_000)
    parsed = len(clockwork.parsed)
    clockwork.throttle.feed_eof()
    clockwork.run(60.0)
    assert len(clockwork.parsed) == parsed


@pytest.mark.parametrize("kind", KINDS)
async def test_a_flood_of_any_kind_is_1008(enter: Connect, http: ClientSession, kind: str) -> None:
    """A connection that does not stop is closed, and its neighbour is served meanwhile."""
    flooder, neighbour = await enter(1), await enter(2)
    flood = asyncio.create_task(_flood(flooder.socket, KINDS[kind]))
    try:
        assert await flooder.close_code() == 1008
        assert (await neighbour.ask("ping"))["status"] == "success"
    finally:
        flood.cancel()
        await asyncio.wait([flood])


async def test_bytes_that_came_with_the_handshake_count_too(gateway: Running) -> None:
    """Nobody gets a flood past the throttle by not waiting for the 101."""
    async with raw.RawSocket(gateway.url) as socket:
        flood = KINDS["pongs"] * (limits.STRANGER_FRAMES_BURST + 200)
        await socket.write(raw.upgrade(socket.host) + flood)
        assert await socket.status() == 101
        [connection] = gateway.gateway.connections
        throttle = connection._socket.throttle
        assert throttle is not None
        await eventually(
            lambda: throttle._again is not None and throttle._is_paused, 20, "the rest is held back"
        )
        assert len(throttle._waiting) >= len(KINDS["pongs"]) * 50
    await eventually(lambda: not gateway.gateway.connections, 20, "the connection is gone")


async def test_who_has_authenticated_may_send_more(enter: Connect, guest: Connect) -> None:
    """Forty pings in pieces of a byte are legal for a member, and more than a stranger may send."""
    member = await enter(1)
    command = b'{"uuid":"last","action":"ping"}'
    pieces = (
        [frame(0x01)] + [frame(0x00, bytes([byte])) for byte in command[:-1]] + [frame(0x80, command[-1:])]
    )
    transport: Any = member.socket._writer.transport
    for _ in range(limits.COMMANDS_BURST - 1):
        transport.write(b"".join(pieces))
    for _ in range(limits.COMMANDS_BURST - 1):
        message = await member.socket.receive(DEADLINE_SECONDS)
        assert message.type is WSMsgType.TEXT
        assert message.json()["status"] == "success"


async def _flood(socket: Any, piece: bytes) -> None:
    transport = socket._writer.transport
    if piece[0] & 0x0F == 0:
        transport.write(frame(0x01, b"{"))
    while not transport.is_closing():
        if transport.get_write_buffer_size() < 1_000_000:
            transport.write(piece * 20_000)
        await asyncio.sleep(0)
