"""The gateway's real link to Redis on model wires: bytes there, bytes back, cut at any moment.

Stands in for the socket that redis-py logs in on; `Link` itself, with its parser, deadlines and backoff, is
the product's. It must not know what a command means.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final

import hiredis

from .redis_model import BLOCKED, ModelRedis, RedisRefusal, Words, streams_of
from .wires import LATENCY_SECONDS, Wire

CONNECT_SECONDS: Final = (0.001, 0.01)
_NOTHING: Final = object()
_PUBLISHING: Final = (b"PUBLISH", b"XDEL")
Fate = Callable[[bytes], float | None]
"""Decides of one message, by its channel: how many seconds late it comes, or None where it is lost."""


class LinkTransport(asyncio.Transport):
    """One connection to Redis; also Redis's end of it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, redis: ModelRedis, dice: random.Random) -> None:
        super().__init__()
        self._loop = loop
        self._redis = redis
        self._up, self._down = Wire(loop, dice), Wire(loop, dice)
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._protocol: asyncio.Protocol | None = None
        self._is_closing = False
        self._blocked: Words | None = None
        """An XREAD that waits for entries; what came after it waits too."""
        self.fate: Fate | None = None
        self.ends_after: int | None = None
        """The next pipeline that publishes or deletes breaks the connection after so many of its commands."""

    def take(self, latency: tuple[float, float]) -> None:
        """Let everything take so long from now on."""
        self._up.latency = self._down.latency = latency

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def is_closing(self) -> bool:
        return self._is_closing

    def write(self, data: Any) -> None:
        """Send a pipeline; Redis takes it as a whole."""
        self._up.carry(self._execute, bytes(data))

    def abort(self) -> None:
        """End the connection, at both ends; the product hears of it in a later turn."""
        if self._is_closing:
            return
        self._is_closing = True
        self._up.cut()
        self._down.cut()
        self._redis.forget_listener(self)
        self._redis.forget_reader(self._look_again)
        self._loop.call_soon(self._lost)

    def close(self) -> None:
        self.abort()

    def cut_after_execution(self) -> None:
        """Lose the answers only: what is on its way up is still executed."""
        self._down.cut()
        self._loop.call_later(0.01, self.abort)

    def push(self, message: list[Any]) -> None:
        """Send a channel's message, late or never where that is its fate."""
        late = self.fate(message[1]) if self.fate is not None else 0.0
        if late:
            self._loop.call_later(late, self._down.carry, self._receive, packed(message))
        elif late is not None:
            self._down.carry(self._receive, packed(message))

    def _execute(self, data: bytes) -> None:
        self._reader.feed(data)
        self._go_on()

    def _go_on(self) -> None:
        """Execute what has come, up to a read that waits."""
        replies: list[Any] = []
        executed = 0
        while self._blocked is None and (words := self._reader.gets()) is not _NOTHING:
            if self.ends_after is not None and words[0] in _PUBLISHING:
                if executed >= self.ends_after:
                    self.ends_after = None
                    self.abort()
                    return
                executed += 1
            answer = self._redis.execute(words, self)
            if answer is BLOCKED:
                self._block(words)
            else:
                replies += answer
        if replies:
            self._down.carry(self._receive, b"".join(map(packed, replies)))

    def _block(self, words: Words) -> None:
        self._blocked = words
        milliseconds = int(words[words.index(b"BLOCK") + 1])
        self._timer = self._loop.call_later(milliseconds / 1000, self._unblock, [None])
        self._redis.on_entry(streams_of(words), self._look_again)

    def _look_again(self) -> None:
        """An entry has come to one of the streams that are waited for."""
        if self._blocked is not None and (answer := self._redis.execute(self._blocked, self)) is not BLOCKED:
            self._unblock(answer)

    def _unblock(self, answer: list[Any]) -> None:
        if self._is_closing:
            return
        self._timer.cancel()
        self._blocked = None
        self._redis.forget_reader(self._look_again)
        self._down.carry(self._receive, b"".join(map(packed, answer)))
        self._go_on()

    def _receive(self, data: bytes) -> None:
        if self._protocol is not None:
            self._protocol.data_received(data)

    def _lost(self) -> None:
        if self._protocol is not None:
            self._protocol.connection_lost(None)


class Ways:
    """The connections of one process to Redis, which can be cut."""

    def __init__(self, loop: asyncio.AbstractEventLoop, redis: ModelRedis, dice: random.Random) -> None:
        self.loop, self.dice = loop, dice
        self._redis = redis
        self._links: list[LinkTransport] = []
        self.is_cut_off = False
        """No way to Redis."""
        self.latency = LATENCY_SECONDS
        self.fate: Fate | None = None
        """What becomes of the messages of channels."""

    def connected(self) -> LinkTransport | None:
        """Return a new connection; None where Redis can't be reached."""
        if self._redis.is_down or self.is_cut_off:
            return None
        link = LinkTransport(self.loop, self._redis, self.dice)
        link.take(self.latency)
        link.fate = self.fate
        self._links.append(link)
        return link

    def open_links(self) -> list[LinkTransport]:
        """Return the connections that are up."""
        self._links = [link for link in self._links if not link.is_closing()]
        return self._links

    def take(self, latency: tuple[float, float]) -> None:
        """Let everything take so long from now on."""
        self.latency = latency
        for link in self.open_links():
            link.take(latency)

    def doom(self, fate: Fate | None) -> None:
        """Let this become of what channels bring."""
        self.fate = fate
        for link in self.open_links():
            link.fate = fate

    def cut_off(self) -> None:
        """Break every way to Redis, and let none come up."""
        self.is_cut_off = True
        for link in self.open_links():
            link.abort()


class LoggedIn:
    """What `Link` needs of redis-py's connection."""

    def __init__(self, transport: LinkTransport) -> None:
        self.transport = transport
        self._writer = self

    async def disconnect(self, nowait: bool = False) -> None:
        """End it."""
        self.transport.abort()


def packed(reply: Any) -> bytes:
    """Return a reply as RESP2 writes it."""
    match reply:
        case RedisRefusal():
            return b"-%b\r\n" % str(reply).encode()
        case None:
            return b"$-1\r\n"
        case int():
            return b":%d\r\n" % reply
        case str():
            return b"+%b\r\n" % reply.encode()
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case _:
            return b"*%d\r\n" % len(reply) + b"".join(map(packed, reply))
