"""One pipelined connection to Redis. Between gateway and Redis, below the meaning of commands.

redis-py finds the server, perhaps by its Sentinels, and logs in (TLS, password, database); then this protocol
takes the socket over, so that replies are handled as they arrive: no task, no retry, nothing that could be
cancelled in flight. It must not re-send: whether a lost command was executed is unknown, and only the one who
sent it may repeat it.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

import hiredis
import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import RedisError

from roomlog_runtime.causes import cause_of
from roomlog_runtime.redis_address import asyncio_pool

log = structlog.get_logger()

CONNECT_SECONDS: Final = 2.0
"""For name, TCP, TLS and login together."""
SILENCE_SECONDS: Final = 3.0
"""Without a byte from Redis it is asked to ping; after the same time again the link is cut."""
FIRST_BACKOFF_SECONDS: Final = 0.05
STABLE_SECONDS: Final = 1.0
"""A link that lived for less is made again with growing pauses: something refuses us."""
MAX_BACKOFF_SECONDS: Final = 1.0
"""A Redis that comes back is found within this."""
_NOTHING: Final = object()


class Speaker(Protocol):
    """Who speaks through a link; all calls come from the event loop and must not block or raise."""

    name: str
    """What logs and metrics call the link."""

    def link_up(self) -> None:
        """Begin anew: Redis knows no subscription and no command in flight."""

    def link_reply(self, reply: Any) -> None:
        """Take one whole reply; errors are hiredis.ReplyError objects."""

    def link_silent(self) -> None:
        """Send something that Redis answers: nothing was heard for a while."""

    def link_writable(self) -> None:
        """Write on: the socket takes more again."""

    def link_down(self) -> None:
        """Give up what was in flight: the link broke or could not be made."""


class RedisLink(asyncio.Protocol):
    """Keeps one connection open for its speaker."""

    def __init__(self, url: str, speaker: Speaker, clock: Callable[[], float]) -> None:
        self._pool = pool_of(url)
        self._speaker = speaker
        self._clock = clock
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._transport: asyncio.Transport | None = None
        self._lost: asyncio.Future[None] | None = None
        self._heard_at = 0.0
        self.heard_at = clock()
        """When Redis last said anything, through whatever connection: one that only opens says nothing."""
        self._asked = False
        self._is_missed = False
        self.is_writable = False
        """True while the socket takes what is written."""
        self.is_trying = True
        """True while a connection is being made: it is soon known whether Redis is there."""

    async def run(self) -> None:
        """Connect again and again until it is cancelled."""
        backoff = FIRST_BACKOFF_SECONDS
        try:
            while True:
                self.is_trying = True
                connection = await self._open()
                self.is_trying = False
                if connection is not None:
                    began = self._clock()
                    await self._serve(connection)
                    if self._clock() - began >= STABLE_SECONDS:
                        backoff = FIRST_BACKOFF_SECONDS
                self._speaker.link_down()
                await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)
        finally:
            self.cut()

    def write(self, data: bytes) -> None:
        """Send bytes; without a connection they are gone, as `link_down` says.

        A lost connection is told of a turn of the loop later, and uvloop refuses to write to it meanwhile.
        """
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def tick(self, now: float) -> None:
        """Find out, when called each second, whether a silent Redis is still there."""
        if self._transport is None or now - self._heard_at < SILENCE_SECONDS:
            return
        if self._asked:
            log.warning("redis_silent", link=self._speaker.name, seconds=round(now - self._heard_at, 1))
            self.cut()
            return
        self._asked = True
        self._heard_at = now
        self._speaker.link_silent()

    def cut(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def _open(self) -> AbstractConnection | None:
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError, RuntimeError) as error:
            # RuntimeError: uvloop's word for a socket that was reset before the login was written.
            if not self._is_missed:
                log.warning("redis_unreachable", link=self._speaker.name, **cause_of(error))
            self._is_missed = True
            await connection.disconnect(nowait=True)
            return None
        return connection

    async def _serve(self, connection: AbstractConnection) -> None:
        """Take over the logged-in socket; nothing was read ahead, because every login step was answered."""
        writer = connection._writer
        if writer is None or writer.transport.is_closing():
            return
        self._lost = asyncio.get_running_loop().create_future()
        self._transport = cast(asyncio.Transport, writer.transport)
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._transport.set_protocol(self)
        self._heard_at, self._asked, self.is_writable = self._clock(), False, True
        self._is_missed = False
        log.info("redis_connected", link=self._speaker.name)
        self._speaker.link_up()
        try:
            await self._lost
        finally:
            self._transport, self.is_writable = None, False
            await connection.disconnect(nowait=True)
        log.warning("redis_lost", link=self._speaker.name)

    def data_received(self, data: bytes) -> None:
        self._heard_at, self._asked = self._clock(), False
        self.heard_at = self._heard_at
        reader, handle = self._reader, self._speaker.link_reply
        try:
            reader.feed(data)
            while (reply := reader.gets()) is not _NOTHING:
                handle(reply)
        except Exception:  # out of step with Redis: only a new connection is certain again
            log.exception("redis_out_of_step", link=self._speaker.name)
            self.cut()

    def pause_writing(self) -> None:
        self.is_writable = False

    def resume_writing(self) -> None:
        self.is_writable = True
        self._speaker.link_writable()

    def connection_lost(self, error: Exception | None) -> None:
        self.is_writable = False
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)


def pool_of(url: str) -> ConnectionPool:
    """Return what makes a link's connections."""
    return asyncio_pool(url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=CONNECT_SECONDS)


def pack(*words: str | bytes) -> bytes:
    """Return the bytes of a command."""
    packed: bytes = hiredis.pack_command(words)  # type: ignore[arg-type]  # its stub allows one word only
    return packed
