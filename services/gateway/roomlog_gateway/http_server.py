"""aiohttp's server with our answer to what it can't read as a request. Before the upgrade.

A header that is too long, or no HTTP at all, reaches no handler: aiohttp answers it by itself, with a line in
the log that quotes it. Here it is answered, counted and noted.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from .sockets.http_refusal import refuse
from .sockets.token_bucket import TokenBucket

log = structlog.get_logger()

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
NOTES_PER_SECOND: Final = 1.0
"""Lines in the log: whoever sends such requests must not fill it. All are counted."""


class Runner(web.AppRunner):
    """Runs the application with `Server`; aiohttp has no place for one, so private names of its are used."""

    def __init__(self, app: web.Application, path: str, answer: Answer, **kwargs: Any) -> None:
        """`answer` is what the application answers `path` with, asked without its routing."""
        super().__init__(app, **kwargs)
        self._path = path
        self._answer = answer

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        path, answer, others = self._path, self._answer, made.request_handler

        async def handle(request: web.Request) -> web.StreamResponse:
            return await (answer if request.path == path else others)(request)

        return Server(handle, request_factory=made.request_factory, **self._kwargs)


class Server(web.Server):
    """Makes the protocols of new TCP connections."""

    def __init__(self, handler: Any, **kwargs: Any) -> None:
        super().__init__(handler, **kwargs)
        self.header_bytes: int = kwargs["max_field_size"]
        self._notes = TokenBucket(NOTES_PER_SECOND, NOTES_PER_SECOND, self._loop.time())

    def __call__(self) -> web.RequestHandler:
        return Protocol(self, loop=self._loop, **self._kwargs)

    def note(self, reason: str) -> None:
        """Say in the log that such requests come, with nothing of what is in them."""
        if self._notes.take(self._loop.time()):
            log.warning("request_refused", reason=reason, header_bytes=self.header_bytes)


class Protocol(web.RequestHandler):
    """One TCP connection before its upgrade."""

    def __init__(self, server: Server, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self._server = server

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser could not read; all else is aiohttp's."""
        if isinstance(exc, LineTooLong):
            limit = self._server.header_bytes
            reason, status, text = "header", 431, f"A header or the address is longer than {limit} bytes.\n"
        elif isinstance(exc, HttpProcessingError):
            reason, status, text = "not_http", 400, "This is not a valid HTTP request.\n"
        else:
            return super().handle_error(request, status, exc, message)
        self._server.note(reason)
        answer = refuse(reason, status, text)
        answer.force_close()
        return answer
