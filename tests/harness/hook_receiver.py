"""A receiver of webhooks: an HTTP server on loopback that checks signatures and answers as it is told.

It verifies by the words of the standard, with none of the product's code.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final

OLD_SECONDS: Final = 300
Answer = Callable[[dict[str, Any]], int]


@dataclass
class Receiver:
    """What was received and taken, in order; `answer` decides about each delivery."""

    secret: str = ""
    answer: Answer = lambda event: 200
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Identity and body of each delivery that was answered 2xx."""
    asked: list[int] = field(default_factory=list)
    """The status of each answer."""
    forged: int = 0
    """Deliveries with a signature that is not the secret's."""
    address: tuple[str, int] = ("127.0.0.1", 0)
    headers: dict[str, str] = field(default_factory=dict)
    """Of each answer."""
    body: bytes = b""
    """Of each answer."""
    released: Event = field(default_factory=Event)
    """A delivery that hangs goes on."""
    lock: Any = field(default_factory=Lock)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://{self.address[0]}:{self.address[1]}/hook"

    def first(self, room: str) -> list[Any]:
        """Return the seqs of a room's events, each when it was taken first."""
        seqs: list[Any] = []
        for _, event in list(self.taken):
            data = event["data"]
            if data["room"] == room and data["seq"] not in seqs:
                seqs.append(data["seq"])
        return seqs

    def receive(self, headers: Any, body: bytes) -> int:
        """Return the status that a delivery is answered with."""
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        is_old = abs(time.time() - int(headers["webhook-timestamp"])) > OLD_SECONDS
        if is_old or not hmac.compare_digest(expected, headers["webhook-signature"]):
            self.forged += 1
            return 401
        event = json.loads(body)
        status = self.answer(event)
        with self.lock:
            self.asked.append(status)
            if 200 <= status < 300:
                self.taken.append((headers["webhook-id"], event))
        return status


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    """Let it listen, at the port that it had before if it had one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.receive(self.headers, body)
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            self.wfile.write(receiver.body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that leaves is none."""

    server = Server(receiver.address, Handler)
    receiver.address = ("127.0.0.1", server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
