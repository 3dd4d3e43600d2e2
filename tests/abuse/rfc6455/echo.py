"""The gateway's own sockets with an echo in the place of its commands, for a suite that knows no chat.

Edge of the message's way: upgrade, reading, outbox, frames, pings, pongs and the goodbye are the product's;
only what a message means is replaced. gunicorn calls `create_app` in its worker. It must not be installed
anywhere: what it answers is what it was sent.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiohttp import WSMsgType, web

from roomlog_contract import limits
from roomlog_gateway.config import read_config
from roomlog_gateway.gateway import TICK_SECONDS, TICKS_PER_SECOND
from roomlog_gateway.rooms.fanout import Fanout
from roomlog_gateway.sockets.connection import Connection
from roomlog_gateway.sockets.connections import Connections
from roomlog_gateway.sockets.outbox import Frame, Push
from roomlog_gateway.sockets.read_throttle import Allowance
from roomlog_gateway.sockets.session import Services, Session
from roomlog_gateway.sockets.upgrade import UpgradeHandler
from roomlog_gateway.sockets.websocket import WebSocket
from roomlog_gateway.sockets.websocket_frames import text_frame

MESSAGE_BYTES_VARIABLE = "ECHO_MESSAGE_BYTES"
"""The largest message that is taken, where the suite sends larger ones than a client of Roomlog may."""
UNLIMITED = Allowance(1e12, 1e12, 1e12, 1e12)
"""The suite asks what a socket understands, not how much it takes."""
_BINARY = b"\x82"
"""Final, unfragmented (RFC 6455 section 5.2)."""


class EchoSession(Session):
    """Answers each text with itself and every ping with a pong, at any rate."""

    def receive(self, text: str) -> None:
        """Takes one text message."""
        self.echo(text_frame(text.encode()))

    def receive_ping(self) -> bool:
        """Takes a ping frame."""
        return True

    def receive_binary(self, payload: bytes) -> None:
        """Takes one binary message, whose frame differs from a text's in the first byte alone."""
        self.echo(_BINARY + text_frame(payload)[1:])

    def echo(self, frame: bytes) -> None:
        """Sends a message back the way that answers go."""
        if self.outbox.push_answer(Frame(frame)) is Push.FIRST:
            self._services.schedule(self)


class EchoConnection(Connection):
    """A connection that is nobody's and takes binary messages too."""

    __slots__ = ()

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        socket, *_, services, clock = parts
        socket.throttle.allow(UNLIMITED)
        self.session = EchoSession(self, services, clock)
        self.session.activate()

    def _receive(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.BINARY and isinstance(self.session, EchoSession):
            self.session.receive_binary(data)
        else:
            super()._receive(kind, data)


class EchoConnections(Connections):
    """Connections that are in no room and authenticate nobody."""

    def _connect(self, socket: WebSocket, transport: asyncio.WriteTransport) -> Connection:
        return EchoConnection(socket, transport, self._stalled, self._services, self._clock)


async def create_app() -> web.Application:
    """Returns the application that gunicorn's aiohttp worker serves."""
    limits.FRAME_BYTES = int(os.environ.get(MESSAGE_BYTES_VARIABLE, limits.FRAME_BYTES))  # type: ignore[misc]
    config = read_config()
    clock = asyncio.get_running_loop().time
    connections = EchoConnections(_services(), clock, config.max_connections)
    app = web.Application()
    app.router.add_route("*", "/ws", UpgradeHandler(connections, config, clock, lambda: False).answer)

    async def life(_: web.Application) -> AsyncIterator[None]:
        timekeeper = asyncio.create_task(_keep_time(connections, clock))
        yield
        timekeeper.cancel()

    app.cleanup_ctx.append(life)
    return app


def _services() -> Services:
    """Return what an echo needs of a gateway: that what waits for its socket is written."""
    fanout = Fanout({})
    return Services(
        authenticate=_nothing,
        forward=_nothing,
        schedule=fanout.schedule,
        collect=fanout.collect,
        leave=_nothing,
        time_ms=lambda: 0,
    )


def _nothing(*_: object) -> None:
    """Do nothing: nobody authenticates here."""


async def _keep_time(connections: Connections, clock: Callable[[], float]) -> None:
    """Do what the gateway does once in a while for its connections."""
    ticks = 0
    while True:
        await asyncio.sleep(TICK_SECONDS)
        connections.retry(clock())
        ticks += 1
        if ticks % TICKS_PER_SECOND == 0:
            connections.tick(clock(), ticks // TICKS_PER_SECOND)
