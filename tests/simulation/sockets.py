"""A WebSocket between the real client and the real gateway, without aiohttp: frames on two model wires.

First and last stage of a message's way in a simulation. The gateway's frames are parsed from its bytes, as a
client's library would; handshakes and masks are left to the tiers with real sockets.
"""

import asyncio
import random
from asyncio import Queue
from typing import Any, Final, NamedTuple, Self

from aiohttp import WSMsgType

from .wires import Wire

WAY_SECONDS: Final = (0.001, 0.03)
"""Between a client and a gateway."""
INBOX: Final = 100_000
"""More frames than any simulation sends."""
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89


class Message(NamedTuple):
    """One frame, in the words of aiohttp."""

    type: WSMsgType
    data: Any


class Line:
    """Both ends of one WebSocket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random) -> None:
        self.loop = loop
        self.up, self.down = Wire(loop, dice, WAY_SECONDS), Wire(loop, dice, WAY_SECONDS)
        self.client = ClientEnd(self)
        self.server = ServerEnd(self)
        self.transport = ServerTransport(self)
        self.is_over = False

    def cut(self) -> None:
        """Break it: what is under way is lost, and both ends see that it is gone."""
        if not self.is_over:
            self.is_over = True
            self.up.cut()
            self.down.cut()
            self.loop.call_soon(self.server.end, None)
            self.loop.call_soon(self.client.end, None)


class ServerEnd:
    """What the gateway's `Connection` needs of aiohttp's socket."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._inbox: Queue[Message | None] = Queue(INBOX)
        self.close_code: int | None = None
        self.throttle: None = None
        """Bytes are not modelled."""

    def attach(self, owner: object) -> None:
        """Framing never breaks here, and nobody floods."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        message = await self._inbox.get()
        if message is None:
            raise StopAsyncIteration
        return message

    def receive(self, message: Message) -> None:
        """Take a frame of the client."""
        self._inbox.put_nowait(message)

    def end(self, code: int | None) -> None:
        """The client has said goodbye, or the line is broken."""
        self.close_code = code
        self._inbox.put_nowait(None)

    async def close(self, *, code: int, drain: bool) -> None:
        """Say goodbye and end the socket."""
        self._line.transport.close()


class ServerTransport:
    """Takes the gateway's bytes; what the client has not got yet waits in it."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._waiting = 0
        self._is_closing = False

    def write(self, data: bytes) -> None:
        self._waiting += len(data)
        self._line.down.carry(self._arrive, data)

    def get_write_buffer_size(self) -> int:
        return self._waiting

    def is_closing(self) -> bool:
        return self._is_closing or self._line.is_over

    def close(self) -> None:
        """End after what was written."""
        if not self._is_closing:
            self._is_closing = True
            self._line.down.carry(self._line.cut)

    def abort(self) -> None:
        self._line.cut()

    def _arrive(self, data: bytes) -> None:
        self._waiting -= len(data)
        for kind, payload in frames_of(data):
            self._line.client.take(kind, payload)


class ClientEnd:
    """What the client's `Driver` needs of aiohttp's socket."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._inbox: Queue[Message] = Queue(INBOX)
        self.close_code: int | None = None

    async def receive(self, timeout: float) -> Message:
        """Return the next frame."""
        async with asyncio.timeout(timeout):
            return await self._inbox.get()

    async def send_str(self, text: str) -> None:
        """Send a text frame; a broken line swallows it until the client notices."""
        self._line.up.carry(self._line.server.receive, Message(WSMsgType.TEXT, text))

    async def close(self) -> None:
        """Say goodbye."""
        self._line.up.carry(self._line.server.end, 1000)

    def take(self, kind: int, payload: bytes) -> None:
        """Take a frame of the gateway; pings and goodbyes are answered."""
        if kind == _TEXT:
            self._inbox.put_nowait(Message(WSMsgType.TEXT, payload.decode()))
        elif kind == _PING:
            self._line.up.carry(self._line.server.receive, Message(WSMsgType.PONG, payload))
        elif kind == _CLOSE:
            code = int.from_bytes(payload[:2], "big")
            self._line.up.carry(self._line.server.end, code)
            self.end(code)

    def end(self, code: int | None) -> None:
        """The gateway has said goodbye, or the line is broken."""
        if self.close_code is None:
            self.close_code = code
        self._inbox.put_nowait(Message(WSMsgType.CLOSED, None))


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """Return first byte and payload of each unmasked frame."""
    frames = []
    while data:
        length, head = data[1], 2
        if length >= 126:
            head = 4 if length == 126 else 10
            length = int.from_bytes(data[2:head], "big")
        frames.append((data[0], data[head : head + length]))
        data = data[head + length :]
    return frames
