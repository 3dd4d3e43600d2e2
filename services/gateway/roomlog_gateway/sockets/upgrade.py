"""The upgrade: who may open a socket. First step of a connection; its task is the one that receives.

Refusals are HTTP answers, before the upgrade, so that a proxy or a browser understands them. It must not
read a token: tokens never stand in URLs or headers here.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import Final

from aiohttp import HttpVersion11, hdrs, web

from ..allowed_origins import is_allowed
from ..config import Config
from .connections import Connections
from .http_refusal import refuse
from .token_bucket import TokenBucket
from .turns import Turns
from .websocket import WebSocket

PLAIN_GET: Final = "This address speaks WebSocket: connect with ws:// or wss:// and send JSON text frames.\n"
RETRY_AFTER_SECONDS: Final = 1
"""Told with 503: the accept limit is per second."""
UPGRADE_SECONDS: Final = 5.0
"""For the 101 to leave: only who sent requests before and reads no answer makes it wait."""
VERSION: Final = "13"
"""The only version of RFC 6455."""
KEY_BYTES: Final = 16


class UpgradeHandler:
    """Answers GET /ws."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        clock: Callable[[], float],
        is_draining: Callable[[], bool],
    ) -> None:
        self._connections = connections
        self._config = config
        self._clock = clock
        self._is_draining = is_draining
        rate = config.max_accepts_per_second
        self._accepts = TokenBucket(rate, rate, clock())
        self._turns = Turns()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Upgrade the request, or say why not."""
        key = request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "")
        if not _is_upgrade(request):
            return refuse("not_an_upgrade", 426, PLAIN_GET, {hdrs.UPGRADE: "websocket"})
        if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != VERSION:
            return refuse("version", 426, "Only version 13.\n", {hdrs.SEC_WEBSOCKET_VERSION: VERSION})
        if not _is_key(key):
            return refuse("key", 400, "Sec-WebSocket-Key is not 16 bytes in base64.\n")
        if not self._is_allowed_origin(request):
            return refuse("origin", 403, "This origin may not connect.\n")
        if not self._has_capacity():
            later = f"The server is full. Try again in {RETRY_AFTER_SECONDS} s.\n"
            return refuse("full", 503, later, {hdrs.RETRY_AFTER: str(RETRY_AFTER_SECONDS)})
        return await self._serve(request)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        """Answer 101 and receive until the socket is closed."""
        socket = WebSocket(self._turns)
        try:
            async with asyncio.timeout(UPGRADE_SECONDS):
                await self._turns.next()
                await socket.prepare(request)
        except ConnectionError:  # the client left before the 101
            return refuse("gone", 400, "")
        if request.transport is not None:
            await self._connections.serve(socket, request.transport)
        return socket

    def _has_capacity(self) -> bool:
        return (
            not self._is_draining()
            and len(self._connections) < self._config.max_connections
            and self._accepts.take(self._clock())
        )

    def _is_allowed_origin(self, request: web.Request) -> bool:
        """Return True if the page may connect, or if there is none.

        Browsers always send an Origin; a client without one is no browser, so no page can abuse it.
        """
        origin = request.headers.get(hdrs.ORIGIN)
        return origin is None or is_allowed(origin, request.host, self._config.allowed_origins)


def _is_upgrade(request: web.Request) -> bool:
    lines = ",".join(request.headers.getall(hdrs.CONNECTION, []))  # one list, however many lines it takes
    connection = {part.strip().lower() for part in lines.split(",")}
    upgrade = request.headers.get(hdrs.UPGRADE, "").strip().lower()
    is_get = request.method == hdrs.METH_GET and request.version >= HttpVersion11
    return is_get and "upgrade" in connection and upgrade == "websocket"


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False
