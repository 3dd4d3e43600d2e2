"""aiohttp's side of a WebSocket: its handshake, its parser behind our throttle, its goodbye after what waits.

Edge of the message's way. aiohttp reads and parses; this file sees that it reads no more than it may and says
goodbye only once. It must not know what a message means.
"""

import asyncio
from typing import Any, Final, Protocol

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader

from roomlog_contract import limits

from .read_throttle import ReadThrottle
from .turns import Turns

CLOSE_SECONDS: Final = 5.0
"""For the client's half of the closing handshake (RFC 6455 section 7.1.1), then the socket is cut."""


class Owner(Protocol):
    """What a WebSocket needs of the connection that reads it."""

    def take(self, text: str) -> None:
        """Take a text message; never raises."""

    def flooded(self) -> None:
        """Close it: its client sends far more than it may, and goes on."""

    def end(self) -> bool:
        """Write what waits and return whether a goodbye may follow: there is one (RFC 6455 section 5.5.1)."""


class Inbox(WebSocketDataQueue):
    """aiohttp's queue before its `receive`, which texts pass by: no task has to wake up for each.

    Behind something that waits in the queue they wait too, so the order stays.
    """

    def __init__(self, protocol: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, limits.FRAME_BYTES, loop=loop)
        self.owner: Owner | None = None
        """Takes the texts, from the handshake on."""

    def feed_data(self, data: Any, size: int) -> None:
        """Hand over a text, or queue what else the parser read."""
        if data.type is WSMsgType.TEXT and self.owner is not None and not self._buffer:
            self.owner.take(data.data)
        else:
            super().feed_data(data, size)


class WebSocket(web.WebSocketResponse):
    """A WebSocket whose frames are read through a throttle."""

    def __init__(self, turns: Turns) -> None:
        super().__init__(
            timeout=CLOSE_SECONDS,
            autoclose=False,
            autoping=False,
            compress=False,
            max_msg_size=limits.FRAME_BYTES + 1,
        )
        self.throttle: ReadThrottle | None = None
        """Set by the handshake; only a socket that was gone by then has none."""
        self._owner: Owner | None = None
        self._turns = turns

    def attach(self, owner: Owner) -> None:
        """Name the connection that reads it, from the handshake on."""
        self._own(owner)

    def detach(self) -> None:
        """Let go of its connection and of what reads for it: it is closed."""
        self._own(None)
        self.throttle = None

    def _own(self, owner: Owner | None) -> None:
        self._owner = owner
        if isinstance(self._reader, Inbox):
            self._reader.owner = owner

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """Put the throttle before the parser and the inbox behind it; early bytes pass through both.

        aiohttp has no place for this, so private names of its are used here; the tests of the throttle fail
        if a release renames them.
        """
        connection: Any = request.protocol
        early, connection._message_tail = connection._message_tail, b""
        super()._post_start(request, protocol, writer)
        if request.transport is not None:
            loop = asyncio.get_running_loop()
            self._reader = Inbox(connection, loop)
            self._parser = WebSocketReader(self._reader, self._max_msg_size, compress=False, decode_text=True)
            self.throttle = ReadThrottle(self._parser, request.transport, loop, self._flooded)
            connection._payload_parser = self.throttle
            self.throttle.feed_data(early)

    def _flooded(self) -> None:
        if self._owner is not None:
            self._owner.flooded()

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """Say goodbye after what waits; False where it was said already, or nobody is there any more."""
        is_gone = self._req is None or self._req.transport is None
        if is_gone:
            await self._turns.next()
        if self._owner is not None and not self._owner.end():
            return False
        return not is_gone and await super().close(code=code, message=message, drain=drain)
