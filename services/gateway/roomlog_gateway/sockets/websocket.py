"""aiohttp's side of a WebSocket: its handshake, its parser behind our throttle, its goodbye after what waits.

Edge of the message's way. aiohttp reads and parses; this file sees that it reads no more than it may and says
goodbye only once. It must not know what a message means.
"""

import asyncio
from typing import Any, Final, Protocol

from aiohttp import WSCloseCode, web

from roomlog_contract import limits

from .read_throttle import ReadThrottle
from .turns import Turns

CLOSE_SECONDS: Final = 5.0
"""For the client's half of the closing handshake (RFC 6455 section 7.1.1), then the socket is cut."""


class Owner(Protocol):
    """What a WebSocket needs of the connection that reads it."""

    def flooded(self) -> None:
        """Close it: its client sends far more than it may, and goes on."""

    def end(self) -> bool:
        """Write what waits and return whether a goodbye may follow: there is one (RFC 6455 section 5.5.1)."""


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
        self._owner = owner

    def detach(self) -> None:
        """Let go of its connection and of what reads for it: it is closed."""
        self._owner = self.throttle = None

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """Put the throttle before the parser; bytes that came with the handshake pass through it too.

        aiohttp has no place for this, so three of its private names are used here; the tests of the throttle
        fail if a release renames them.
        """
        connection: Any = request.protocol
        early, connection._message_tail = connection._message_tail, b""
        super()._post_start(request, protocol, writer)
        if request.transport is not None:
            loop = asyncio.get_running_loop()
            self.throttle = ReadThrottle(connection._payload_parser, request.transport, loop, self._flooded)
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
