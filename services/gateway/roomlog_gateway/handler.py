"""The upgrade: who may open a socket, and the moment aiohttp lets go of it. First step of a connection.

Refusals are HTTP answers, before the upgrade, so that a proxy or a browser understands them. It must not
read a token: tokens never stand in URLs or headers here.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from aiohttp.http import WS_KEY

from . import metrics
from .bucket import TokenBucket
from .config import Config
from .gateway import Gateway

PLAIN_GET: Final = "This address speaks WebSocket: connect with ws:// or wss:// and send JSON text frames.\n"
RETRY_AFTER_SECONDS: Final = 1
"""Told with 503: the accept limit is per second."""
VERSION: Final = "13"
"""The only version of RFC 6455."""
KEY_BYTES: Final = 16
ANY_ORIGIN: Final = "*"


class Handler:
    """Answers GET /ws."""

    def __init__(self, gateway: Gateway, config: Config, is_draining: Callable[[], bool]) -> None:
        self._gateway = gateway
        self._config = config
        self._is_draining = is_draining
        rate = config.max_accepts_per_second
        self._accepts = TokenBucket(rate, rate, gateway.clock())

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        """Upgrades the request, or says why not."""
        key = request.headers.get(hdrs.SEC_WEBSOCKET_KEY, "")
        if not _is_upgrade(request):
            return _refuse("not_an_upgrade", 426, PLAIN_GET, {hdrs.UPGRADE: "websocket"})
        if request.headers.get(hdrs.SEC_WEBSOCKET_VERSION) != VERSION:
            return _refuse("version", 426, "Only version 13.\n", {hdrs.SEC_WEBSOCKET_VERSION: VERSION})
        if not _is_key(key):
            return _refuse("key", 400, "Sec-WebSocket-Key is not 16 bytes in base64.\n")
        if not self._is_allowed_origin(request):
            return _refuse("origin", 403, "This origin may not connect.\n")
        if not self._has_place():
            return _refuse("full", 503, "Come back.\n", {hdrs.RETRY_AFTER: str(RETRY_AFTER_SECONDS)})
        return self._upgrade(request, key)

    def _upgrade(self, request: web.Request, key: str) -> web.StreamResponse:
        """Answer 101 and hand the socket over, without a pause in between in which bytes could be lost."""
        transport, protocol = request.transport, request.protocol
        if transport is None:
            return web.Response()
        accept = base64.b64encode(hashlib.sha1(key.encode() + WS_KEY).digest())  # noqa: S324 - RFC 6455
        early = _EarlyBytes()
        protocol.set_parser(early)  # type: ignore[arg-type]
        transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        connection = self._gateway.open(transport)
        # aiohttp's protocol is told that its connection is lost and forgets the request; the response is
        # written to nobody. The transport itself lives on.
        protocol.transport = None
        transport.set_protocol(connection)
        protocol.connection_lost(None)
        if early.data:
            connection.data_received(bytes(early.data))
        return web.Response()

    def _has_place(self) -> bool:
        return (
            not self._is_draining()
            and len(self._gateway.connections) < self._config.max_connections
            and self._accepts.take(self._gateway.clock())
        )

    def _is_allowed_origin(self, request: web.Request) -> bool:
        """Browsers always send an Origin; what sends none is no browser and can't be tricked into it."""
        origin = request.headers.get(hdrs.ORIGIN)
        if origin is None or ANY_ORIGIN in self._config.allowed_origins:
            return True
        if not self._config.allowed_origins:
            return urlsplit(origin).netloc == request.host
        return origin in self._config.allowed_origins


class _EarlyBytes:
    """Collects what the client sent right behind its request."""

    def __init__(self) -> None:
        self.data = bytearray()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        self.data += data
        return False, b""

    def feed_eof(self) -> None:
        """The end of aiohttp's part is not the end of the socket."""


def _is_upgrade(request: web.Request) -> bool:
    connection = {part.strip().lower() for part in request.headers.get(hdrs.CONNECTION, "").split(",")}
    upgrade = request.headers.get(hdrs.UPGRADE, "").strip().lower()
    return request.method == hdrs.METH_GET and "upgrade" in connection and upgrade == "websocket"


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == KEY_BYTES
    except (binascii.Error, ValueError):
        return False


def _refuse(reason: str, status: int, text: str, headers: dict[str, str] | None = None) -> web.Response:
    metrics.REFUSED_UPGRADES.labels(reason).inc()
    return web.Response(status=status, text=text, headers=headers)
