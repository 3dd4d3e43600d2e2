"""How much one socket may make the gateway read. First stage of a message's way, before a frame is parsed.

It walks over frame headers, counts frames and bytes of every kind, and gives aiohttp's parser a bounded piece
in each turn of the loop. Over the allowance the socket is not read, so TCP slows its client down; one that
pushes on is a flood. It must not judge a frame: what is wrong with one, the parser says.
"""

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from roomlog_contract import limits

from .. import metrics
from .token_bucket import TokenBucket

TURN_BYTES: Final = limits.FRAME_BYTES
"""For the parser in one turn of the loop: one of the largest messages, then it is the neighbours' turn."""
TURN_FRAMES: Final = 64
"""The same for small ones."""
AGAIN_SECONDS: Final = 0.05
"""Until a socket over its allowance is given more."""
RECOVERED: Final = 0.5
"""With this part of its burst free again, a client that was held back counts as one that has stopped."""
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
"""Of the second byte: the length stands in the next two or eight bytes (RFC 6455 section 5.2)."""


class Allowance(NamedTuple):
    """What a connection may send, on average and at once."""

    frames_per_second: float
    frames_burst: float
    bytes_per_second: float
    bytes_burst: float


STRANGER: Final = Allowance(
    limits.STRANGER_FRAMES_PER_SECOND,
    limits.STRANGER_FRAMES_BURST,
    limits.STRANGER_BYTES_PER_SECOND,
    limits.STRANGER_BYTES_BURST,
)
MEMBER: Final = Allowance(
    limits.FRAMES_PER_SECOND, limits.FRAMES_BURST, limits.BYTES_PER_SECOND, limits.BYTES_BURST
)


class Parser(Protocol):
    """aiohttp's reader of frames."""

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take bytes; True where the stream is broken."""

    def feed_eof(self) -> None:
        """Note that nothing follows."""


class ReadThrottle:
    """Stands between a socket and its parser; aiohttp's protocol takes it for the parser."""

    def __init__(
        self,
        parser: Parser,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        on_flood: Callable[[], None],
    ) -> None:
        """`on_flood` is called, perhaps often, when a client does not stop."""
        self._parser = parser
        self._transport = transport
        self._loop = loop
        self._on_flood = on_flood
        self._waiting = b""
        self._rest = 0
        """Bytes of the present frame that have not come by yet."""
        self._again: asyncio.Handle | None = None
        self._held_since: float | None = None
        self._is_paused = False
        self._is_broken = False
        self.allow(STRANGER)

    def allow(self, allowance: Allowance) -> None:
        """Count with these figures from here on, beginning with the whole burst."""
        now = self._loop.time()
        self._allowance = allowance
        self._frames = TokenBucket(allowance.frames_per_second, allowance.frames_burst, now)
        self._bytes = TokenBucket(allowance.bytes_per_second, allowance.bytes_burst, now)
        self._held_since = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what was read; True where the parser has found the stream to be broken."""
        if not self._waiting and self._is_frame(data):
            self._is_broken, _ = self._parser.feed_data(data)
            return self._is_broken, b""
        self._waiting += data
        if self._again is None:
            self._pass_on()
        return self._is_broken, b""

    def feed_eof(self) -> None:
        """Stop: the socket is gone."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._waiting = b""
        self._parser.feed_eof()

    def _is_frame(self, data: bytes) -> bool:
        """Tell whether this is one whole frame that may pass at once, as nearly always, and count it then."""
        size = len(data)
        if self._rest or self._is_broken or self._held_since is not None or size > TURN_BYTES:
            return False
        now = self._loop.time()
        if frame_length(data, 0) != size or self._bytes.level(now) < size or self._frames.level(now) < 1:
            return False
        self._bytes.spend(size)
        self._frames.spend(1)
        return True

    def _pass_on(self) -> None:
        """Give the parser what it may have now, and see to the rest."""
        self._again = None
        now = self._loop.time()
        self._forget_the_past(now)
        size, is_over = self._measure(now)
        if size:
            piece, self._waiting = self._waiting[:size], self._waiting[size:]
            self._is_broken, _ = self._parser.feed_data(piece)
        if self._is_broken:
            self._waiting = b""
        if not self._waiting or (self._rest == 0 and frame_length(self._waiting, 0) is None):
            self._pause(False)
            return
        self._pause(True)
        if is_over:
            self._again = self._loop.call_later(AGAIN_SECONDS, self._pass_on)
            self._hold_back(now)
        else:
            self._again = self._loop.call_soon(self._pass_on)

    def _measure(self, now: float) -> tuple[int, bool]:
        """Return how many of the waiting bytes may pass, and whether the allowance is what stops the rest."""
        data, position, begun = self._waiting, 0, 0
        free_bytes, free_frames = int(self._bytes.level(now)), int(self._frames.level(now))
        most_bytes, most_frames = min(TURN_BYTES, free_bytes), min(TURN_FRAMES, free_frames)
        while position < min(len(data), most_bytes):
            if self._rest == 0:
                length = frame_length(data, position)
                if length is None or begun == most_frames:
                    break
                begun += 1
                self._rest = length
            step = min(self._rest, len(data) - position, most_bytes - position)
            position += step
            self._rest -= step
        self._bytes.spend(position)
        self._frames.spend(begun)
        return position, position == free_bytes or begun == free_frames

    def _pause(self, is_paused: bool) -> None:
        """Stop or go on reading the socket, so that TCP slows the client down."""
        if is_paused is self._is_paused or self._transport.is_closing():
            return
        self._is_paused = is_paused
        if is_paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _hold_back(self, now: float) -> None:
        if self._held_since is None:
            self._held_since = now
            metrics.HELD_BACK.inc()
        elif now - self._held_since >= limits.FLOOD_SECONDS:
            self._on_flood()

    def _forget_the_past(self, now: float) -> None:
        if (
            self._held_since is not None
            and self._frames.level(now) >= RECOVERED * self._allowance.frames_burst
            and self._bytes.level(now) >= RECOVERED * self._allowance.bytes_burst
        ):
            self._held_since = None


def frame_length(data: bytes, start: int) -> int | None:
    """Return the length of the frame that begins there, header included; None where its header is cut off."""
    if len(data) < start + 2:
        return None
    flag = data[start + 1] & 0x7F
    size = 2 + (2 if flag == _LENGTH_16 else 8 if flag == _LENGTH_64 else 0)
    if len(data) < start + size:
        return None
    payload = flag if size == 2 else int.from_bytes(data[start + 2 : start + size], "big")
    return size + (4 if data[start + 1] & 0x80 else 0) + payload
