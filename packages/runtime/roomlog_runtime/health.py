"""What a process tells its keeper: /livez, /readyz, /startupz and /metrics, on a port that no route reaches.

Beside the message's way. `respond` decides, without I/O; an asynchronous service calls it from its own loop,
a synchronous one starts a HealthServer: the standard library's HTTP behind a bounded pool. `live` must never
ask Redis or the database: a process that waits for them is alive, and killing it would help nobody.
"""

import io
import socket
import socketserver
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
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
    """Answer one GET of `path`; a query string does not matter."""
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
        """Open the socket; raise OSError if the address is taken."""
        self._server = _Server(bind, checks)
        self._thread = Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """Return the port, also if the bind left the choice to the system."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer in threads of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Close the socket and end the threads, within REQUEST_SECONDS."""
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


class _Request(BaseHTTPRequestHandler):
    """One request a connection; what it is not is said in one line of text."""

    server: _Server
    protocol_version = default_request_version = "HTTP/1.1"
    wbufsize = -1
    """Head and body leave together."""

    def setup(self) -> None:
        super().setup()
        self.rfile = io.BufferedReader(_BoundedReader(self.connection))

    def handle(self) -> None:
        self.handle_one_request()

    def do_GET(self) -> None:
        self._answer(respond(self.path, self.server.checks))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the library could not read, or has no method for."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._answer(Answer(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, b"only GET\n"))
        else:
            self._answer(Answer(code, TEXT, b"not HTTP\n"))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: a probe a second is no news."""

    def _answer(self, answer: Answer) -> None:
        self.connection.settimeout(REQUEST_SECONDS)
        self.send_response_only(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


class _BoundedReader(io.RawIOBase):
    """A request's bytes: so many at most, and all within one deadline, however slowly they come."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline = time.monotonic() + REQUEST_SECONDS
        self._left = MAX_REQUEST_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; nothing more where the bound is reached."""
        if not self._left:
            return 0
        self._connection.settimeout(max(0.001, self._deadline - time.monotonic()))
        size = self._connection.recv_into(buffer, min(len(buffer), self._left))
        self._left -= size
        return size


def _verdict(reason: str | None) -> Answer:
    if reason is None:
        return Answer(200, TEXT, b"ok\n")
    return Answer(503, TEXT, f"{reason}\n".encode())
