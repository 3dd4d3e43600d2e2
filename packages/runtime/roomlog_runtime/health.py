"""What a process tells its keeper: /livez, /readyz, /startupz and /metrics, on a port that no route reaches.

Beside the message's way. `respond` decides, without I/O; an asynchronous service calls it from its own loop,
a synchronous one starts a HealthServer. `live` must never ask Redis or the database: a process that waits for
them is alive, and killing it would help nobody.
"""

import socket
import socketserver
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from threading import BoundedSemaphore, Thread
from typing import Any

import structlog

from roomlog_runtime import metrics
from roomlog_runtime.listening import listen
from roomlog_runtime.settings import Bind

log = structlog.get_logger()

TEXT = "text/plain; charset=utf-8"

THREADS = 4
"""A scrape, three probes: nobody else asks."""
MAX_WAITING_REQUESTS = 16
"""Over this the connection is closed unread, so that a flood can't make memory grow."""
REQUEST_SECONDS = 5.0
"""From the first byte to the last: a caller that dribbles gives its thread back after this."""
MAX_REQUEST_BYTES = 8192
"""A probe's request has about 200."""
POLL_SECONDS = 0.1
"""How soon `stop` is heard."""


def _no_reason() -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Checks:
    """The three questions, as the service answers them; each must return at once."""

    live: Callable[[], bool]
    """Does the process still turn? False gets it killed."""
    ready: Callable[[], str | None]
    """Why it should get no traffic now, in a few words; None when it should."""
    started: Callable[[], str | None] = _no_reason
    """Why it is still starting; None from the first success on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer without its framing."""

    status: int
    content_type: str
    body: bytes


def respond(path: str, checks: Checks) -> Answer:
    """Answers one GET of `path`; a query string does not matter."""
    match path.partition("?")[0]:
        case "/livez":
            return _verdict(None if checks.live() else "does not turn")
        case "/readyz":
            return _verdict(checks.ready())
        case "/startupz":
            return _verdict(checks.started())
        case "/metrics":
            return Answer(200, metrics.CONTENT_TYPE, metrics.expose())
        case _:
            return Answer(404, TEXT, b"not found\n")


class HealthServer:
    """Answers on a bind from a few threads of its own, until stopped."""

    def __init__(self, bind: Bind, checks: Checks) -> None:
        """Opens the socket; raises OSError where the address is taken."""
        self._server = _Server(bind, checks)
        self._thread = Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port, also where the bind left the choice to the system."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begins to answer; the caller goes on."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the socket and ends the threads, within REQUEST_SECONDS."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(socketserver.TCPServer):
    request_queue_size = THREADS + MAX_WAITING_REQUESTS
    """The system's queue before ours; with the default of 5 a burst waits for a second SYN."""

    def __init__(self, bind: Bind, checks: Checks) -> None:
        self.checks = checks
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="health")
        self._places = BoundedSemaphore(THREADS + MAX_WAITING_REQUESTS)
        super().__init__((bind.host, bind.port), _Request, bind_and_activate=False)
        self.socket.close()  # the one that TCPServer made: of one family
        self.socket = listen(bind, self.request_queue_size)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        self._pool.submit(self._serve, request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except OSError:
            pass  # the caller left; it will ask again
        except Exception:  # a check that raises must be seen, and the pool would keep it to itself
            log.exception("health_check_failed")
        finally:
            self.shutdown_request(request)
            self._places.release()

    def server_close(self) -> None:
        super().server_close()
        self._pool.shutdown(wait=True)


class _Request(socketserver.BaseRequestHandler):
    request: socket.socket
    server: _Server

    def handle(self) -> None:
        first_line = self._read_head().partition(b"\r\n")[0].decode("latin-1")
        match first_line.split(" "):
            case ["GET", path, _]:
                answer = respond(path, self.server.checks)
            case [_, _, _]:
                answer = Answer(405, TEXT, b"only GET\n")
            case _:
                answer = Answer(400, TEXT, b"not HTTP\n")
        self.request.sendall(_frame(answer))

    def _read_head(self) -> bytes:
        deadline = time.monotonic() + REQUEST_SECONDS
        head = b""
        while b"\r\n\r\n" not in head and len(head) < MAX_REQUEST_BYTES:
            self.request.settimeout(max(0.001, deadline - time.monotonic()))
            part = self.request.recv(MAX_REQUEST_BYTES)
            if not part:
                break
            head += part
        self.request.settimeout(REQUEST_SECONDS)
        return head


def _verdict(reason: str | None) -> Answer:
    if reason is None:
        return Answer(200, TEXT, b"ok\n")
    return Answer(503, TEXT, f"{reason}\n".encode())


def _frame(answer: Answer) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + answer.body
