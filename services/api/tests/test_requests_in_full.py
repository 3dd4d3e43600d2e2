"""gunicorn with our worker: no client can keep a thread, whatever it sends, or fails to send or to read."""

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from uuid import uuid4

import pytest

from roomlog_api.requests_in_full import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    TOO_OFTEN_SECONDS,
    Unreadable,
    end_of_request,
)
from roomlog_local.command import api
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.manage import manage
from tests.harness.waiting import wait_until

READY_SECONDS = 60.0
BYSTANDER_SECONDS = 5.0
"""A loaded machine may need some of it; a slow body took for ever."""
MAKE_A_MEMBER = """
from uuid import uuid4
from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token
from roomlog.models import ChatRoom, Membership
from roomlog.people import person_of
user = User.objects.create_user("alice")
room = ChatRoom.objects.create(id=uuid4())
Membership.objects.create(room=room, user=person_of(user))
print(Token.objects.create(user=user).key, room.pk.hex)
"""
SLOW = 24
"""Three for each thread."""
SILENT = 700
"""More than the process has places for."""
GET = b"GET /login/ HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST /api/v1/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
)


class Server:
    """An api process on SQLite."""

    def __init__(self, directory: Path) -> None:
        self.port, self.health = free_port(), free_port()
        self.log = directory / "api.log"
        environ = {
            "ROOMLOG_SECRET_KEY": "only-for-tests",
            "ROOMLOG_DATABASE_URL": f"sqlite:///{directory / 'api.sqlite3'}",
            "ROOMLOG_ATTACHMENTS_FOLDER": str(directory / "files"),
        }
        manage(environ, "migrate", "-v", "0", seconds=READY_SECONDS)
        made = manage(environ, "shell", "-v", "0", "-c", MAKE_A_MEMBER, seconds=READY_SECONDS)
        self.token, self.room = made.splitlines()[-1].split()
        self.command = api(environ, self.port, self.health)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command.arguments, env=os.environ | self.command.environ, stdout=log, stderr=log
            )

    def ask(self, path: str = "/login/") -> tuple[int, float]:
        """Ask once as a bystander; return the status and how many seconds it took."""
        started = time.monotonic()
        connection = HTTPConnection(LOOPBACK, self.port, timeout=READY_SECONDS)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        finally:
            connection.close()
        return status, time.monotonic() - started

    def connect(self) -> socket.socket:
        """Open a connection that says nothing yet."""
        return socket.create_connection((LOOPBACK, self.port), timeout=READY_SECONDS)


@contextmanager
def serving(directory: Path) -> Iterator[Server]:
    """Start a server and wait until it is ready; what is left of it in the end is killed."""
    server = Server(directory)
    with server.process:
        try:
            wait_until(server.command.is_ready, READY_SECONDS, "the api is ready")
            yield server
        finally:
            server.process.kill()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One api for all tests, which never writes a traceback and stops when asked."""
    server = Server(tmp_path_factory.mktemp("api"))
    deadline = time.monotonic() + READY_SECONDS
    while not server.command.is_ready():
        assert time.monotonic() < deadline, server.log.read_text()
    yield server
    server.process.terminate()
    server.process.wait(READY_SECONDS)
    assert "Traceback" not in server.log.read_text()


@contextmanager
def clients(server: Server, number: int, *said: bytes) -> Iterator[list[socket.socket]]:
    """Open connections that each say this and then nothing.

    Returned when each that asks has its answer, or has lost its place.
    """
    with ExitStack() as stack:
        opened = [stack.enter_context(server.connect()) for _ in range(number)]
        for one in opened:
            for part in said:
                one.sendall(part)
        for one in opened:
            if any(part.startswith(GET) for part in said):
                with suppress(ConnectionResetError):
                    one.recv(1)
        yield opened


@pytest.mark.parametrize(
    ("number", "said"),
    [
        pytest.param(SLOW, b"POST /login/ HTTP/1.1\r\nHost: loc", id="half a head"),
        pytest.param(SLOW, POST + b"100000\r\n\r\n{", id="one byte of a body"),
        pytest.param(SLOW, GET + POST + b"50\r\n\r\n{", id="a body behind a kept request"),
        pytest.param(
            SLOW, b"POST /nowhere/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999\r\n\r\nx", id="unread"
        ),
        pytest.param(SILENT, b"", id="silence"),
        pytest.param(SILENT, GET, id="kept"),
    ],
)
def test_slow_clients_cost_a_bystander_nothing(server: Server, number: int, said: bytes) -> None:
    """More of them than there are threads, or places."""
    with clients(server, number, said):
        for _ in range(3):
            status, seconds = server.ask()
            assert (status, seconds < BYSTANDER_SECONDS) == (200, True), seconds
        assert server.command.is_ready()


def test_who_does_not_read_keeps_no_thread(server: Server) -> None:
    """Their answers wait for them in the process, within a bound."""
    asked = b"GET /static/unfold/css/styles.css HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8
    with ExitStack() as stack:
        for _ in range(SLOW):
            one = stack.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            one.settimeout(READY_SECONDS)
            one.connect((LOOPBACK, server.port))
            one.sendall(asked)
        status, seconds = server.ask()
        assert (status, seconds < BYSTANDER_SECONDS) == (200, True), seconds


def test_a_request_in_pieces_is_answered(server: Server) -> None:
    """Byte by byte, with a body that is asked for, and a second one behind it."""
    body = json.dumps({"username": "a", "password": "b"}).encode()
    head = POST + str(len(body)).encode() + b"\r\nExpect: 100-continue\r\n\r\n"
    with server.connect() as one:
        for byte in head:
            one.sendall(bytes([byte]))
        assert one.recv(100).startswith(b"HTTP/1.1 100 ")
        one.sendall(body + GET)
        answers = b""
        while answers.count(b"</html>") < 1:
            part = one.recv(65536)
            assert part, answers
            answers += part
    assert b"HTTP/1.1 401 Unauthorized" in answers
    assert b"HTTP/1.1 200 OK" in answers


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (POST + b"2600000\r\n\r\n", 413),
        (POST[:-16] + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"GET /" + b"x" * 40_000, 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 400),
    ],
)
def test_what_is_not_read_to_its_end_is_told_why(server: Server, said: bytes, status: int) -> None:
    """And the connection ends."""
    with server.connect() as one:
        one.sendall(said)
        answer = b""
        while part := one.recv(65536):
            answer += part
    assert answer.split(b" ")[1] == str(status).encode()


def test_a_client_that_asks_too_often_waits_for_each_answer(server: Server) -> None:
    """And keeps no thread meanwhile. The next request is not read before."""
    with server.connect() as one:
        one.sendall((POST + b"2\r\n\r\n{}") * 200)
        arrivals: list[float] = []
        while len(arrivals) < 3:
            if b"HTTP/1.1 429 " in one.recv(65536):
                arrivals.append(time.monotonic())
        assert arrivals[-1] - arrivals[0] >= 2 * TOO_OFTEN_SECONDS
        status, seconds = server.ask()
        assert (status, seconds < BYSTANDER_SECONDS) == (200, True), seconds


def test_a_request_ends_where_its_length_says() -> None:
    """Whatever follows is the next one."""
    whole = POST + b"2\r\n\r\n{}"
    assert [end_of_request((whole + GET)[:size]) for size in (0, 9, len(whole) - 1)] == [None] * 3
    assert end_of_request(whole + GET) == len(whole)
    assert end_of_request(GET + whole) == len(GET)
    assert end_of_request(POST.lower() + b"3\r\n\r\nabc") == len(POST) + 8


@pytest.mark.parametrize(
    "said",
    [
        b"x" * (MAX_HEAD_BYTES + 1),
        POST + b"%d\r\n\r\n" % (MAX_BODY_BYTES + 1),
        POST + b"9" * 4_000 + b"\r\n\r\n",
    ],
)
def test_what_is_too_long_is_not_waited_for(said: bytes) -> None:
    """A length of thousands of digits included."""
    with pytest.raises(Unreadable):
        end_of_request(said)


def upload_of(server: Server, content: bytes, token: str) -> tuple[bytes, bytes]:
    """Return head and body of an upload, parted by what random content does not hold."""
    boundary = uuid4().hex
    dashes = b"--" + boundary.encode()
    parts = [
        dashes + b'\r\nContent-Disposition: form-data; name="room"\r\n\r\n' + server.room.encode(),
        dashes + b'\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n' + content,
        dashes + b"--\r\n",
    ]
    body = b"\r\n".join(parts)
    head = (
        "POST /api/v1/attachments/ HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\n"
        f"Authorization: Token {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode(), body


def test_a_file_comes_in_and_goes_out_whole(server: Server) -> None:
    """Larger than any other request, with the next request right behind it on the connection."""
    content = os.urandom(5_000_000)
    head, body = upload_of(server, content, server.token)
    with server.connect() as one:
        one.sendall(head + body + GET)
        answer = HTTPResponse(one)
        answer.begin()
        told = json.loads(answer.read())
        assert (answer.status, told["size"]) == (201, len(content))
        following = HTTPResponse(one)
        following.begin()
        assert following.status == 200
    connection = HTTPConnection(LOOPBACK, server.port, timeout=READY_SECONDS)
    connection.request(
        "GET", f"/api/v1/attachments/{told['id']}/", headers={"Authorization": f"Token {server.token}"}
    )
    assert connection.getresponse().read() == content
    connection.close()


def test_an_upload_that_is_refused_unread_ends_its_connection(server: Server) -> None:
    """What was not read of it can't be taken for a request."""
    head, body = upload_of(server, GET * 20_000, "of nobody")
    with server.connect() as one:
        one.sendall(head + body)
        answer = b""
        while part := one.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.count(b"HTTP/1.1 ") == 1


def test_only_uploads_may_be_large(server: Server) -> None:
    """Each up to the size of a file."""
    head, _ = upload_of(server, b"", server.token)
    large = b"Content-Length: 9000000\r\n"
    known = head[head.index(b"Content-Length") : -2]
    assert end_of_request(head.replace(known, large)) is None
    for said in (
        head.replace(known, large).replace(b"attachments", b"token"),
        head.replace(known, b"Content-Length: 11000000\r\n"),
    ):
        with pytest.raises(Unreadable):
            end_of_request(said)
