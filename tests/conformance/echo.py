"""The gateway's own sockets with an echo in the place of its commands, for a suite that knows no chat.

Edge of the message's way: upgrade, reading, outbox, frames, pings, pongs and the goodbye are the product's;
only what a message means is replaced. gunicorn calls `create_app` in its worker. It must not be installed
anywhere: what it answers is what it was sent.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import WSMsgType, web

from roomlog_contract import limits
from roomlog_gateway.config import read_config
from roomlog_gateway.gateway import Gateway
from roomlog_gateway.sockets.connection import Connection, Socket
from roomlog_gateway.sockets.outbox import Frame, Push
from roomlog_gateway.sockets.read_throttle import Allowance
from roomlog_gateway.sockets.session import Session, SessionState
from roomlog_gateway.sockets.upgrade import Handler

MESSAGE_BYTES_VARIABLE = "ECHO_MESSAGE_BYTES"
"""The largest message that is taken, where the suite sends larger ones than a client of Roomlog may."""
UNLIMITED = Allowance(1e12, 1e12, 1e12, 1e12)
"""The suite asks what a socket understands, not how much it takes."""
_BINARY = 0x82
_TEXT = 0x81
"""Final, unfragmented (RFC 6455 section 5.2)."""


class EchoSession(Session):
    """Answers each text with itself and every ping with a pong, at any rate."""

    def receive(self, text: str) -> None:
        """Takes one text message."""
        self.echo(_TEXT, text.encode())

    def receive_ping(self) -> bool:
        """Takes a ping frame."""
        return True

    def echo(self, first: int, payload: bytes) -> None:
        """Sends a message back the way that answers go."""
        if self.outbox.push_answer(Frame(_frame(first, payload))) is Push.FIRST:
            self._services.schedule(self)


class EchoConnection(Connection):
    """A connection that is nobody's and takes binary messages too."""

    __slots__ = ()

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        socket, *_, services, clock = parts
        socket.inlet.allow(UNLIMITED)
        self.session = EchoSession(self, services, clock)
        self.session.state = SessionState.ACTIVE

    def _receive(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.BINARY and isinstance(self.session, EchoSession):
            self.session.echo(_BINARY, data)
        else:
            super()._receive(kind, data)


class EchoGateway(Gateway):
    """Keeps time for its connections, without Redis."""

    def start(self) -> None:
        """Begins to keep time."""
        self.spawn(self._keep_time())

    def open(self, socket: Socket, transport: asyncio.WriteTransport) -> Connection:
        """Counts an upgraded socket in."""
        connection = EchoConnection(socket, transport, self, self, self.clock)
        self.connections[connection] = len(self.connections)
        return connection

    def tick(self, now: float, second: int) -> None:
        """Does what is due each second for connections."""
        for connection, slot in list(self.connections.items()):
            self._check(connection, slot + second, now)


async def create_app() -> web.Application:
    """Returns the application that gunicorn's aiohttp worker serves."""
    limits.FRAME_BYTES = int(os.environ.get(MESSAGE_BYTES_VARIABLE, limits.FRAME_BYTES))  # type: ignore[misc]
    config = read_config()
    gateway = EchoGateway(config, asyncio.get_running_loop().time)
    app = web.Application()
    app.router.add_route("*", "/ws", Handler(gateway, config, lambda: False).__call__)

    async def life(_: web.Application) -> AsyncIterator[None]:
        gateway.start()
        yield
        await gateway.stop()

    app.cleanup_ctx.append(life)
    return app


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload
