"""Probes and metrics: three answers of three meanings, and no caller can hold the process."""

import http.client
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Counter

from roomlog_runtime import health, metrics
from roomlog_runtime.health import Answer, Checks, HealthServer, respond
from roomlog_runtime.settings import Bind

DEADLINE_SECONDS = 5.0


@dataclass
class Service:
    """A service whose three answers the test sets."""

    live: bool = True
    not_ready: str | None = None
    not_started: str | None = None

    def checks(self) -> Checks:
        """The questions, bound to these answers."""
        return Checks(lambda: self.live, lambda: self.not_ready, lambda: self.not_started)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/readyz?verbose"])
def test_a_healthy_service_says_ok(path: str) -> None:
    """All three probes answer 200, whatever the query string."""
    assert respond(path, Service().checks()).status == 200


@pytest.mark.parametrize(
    ("service", "path", "reason"),
    [
        (Service(live=False), "/livez", b"does not turn\n"),
        (Service(not_ready="Redis is away"), "/readyz", b"Redis is away\n"),
        (Service(not_started="no leases yet"), "/startupz", b"no leases yet\n"),
    ],
)
def test_an_unhealthy_service_says_why(service: Service, path: str, reason: bytes) -> None:
    """A failed probe answers 503 with the reason, and only the probe that asks about it fails."""
    failed = respond(path, service.checks())
    assert (failed.status, failed.body) == (503, reason)
    others = {"/livez", "/readyz", "/startupz"} - {path}
    assert {respond(other, service.checks()).status for other in others} == {200}


def test_metrics_are_the_exposition_of_the_process(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder of several, this process's own registry is not what is shown."""
    Counter("roomlog_runtime_test_scrapes_total", "Made by this test.").inc(3)
    answer = respond("/metrics", Service().checks())
    assert answer.content_type == metrics.CONTENT_TYPE
    assert b"roomlog_runtime_test_scrapes_total 3.0" in answer.body
    assert b"_created" not in answer.body, "they double every counter and histogram"
    Counter("roomlog_runtime_test_own_total", "Made by this test.", registry=CollectorRegistry())
    monkeypatch.setenv(metrics.MULTIPROCESS_VARIABLE, str(tmp_path))
    assert b"python_info" not in metrics.expose()


@pytest.fixture
def server() -> Iterator[HealthServer]:
    """A running server of a healthy service."""
    running = HealthServer(Bind("127.0.0.1", 0), Service().checks())
    running.start()
    yield running
    running.stop()


def ask(server: HealthServer, method: str, path: str) -> Answer:
    """One request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=DEADLINE_SECONDS)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Answer(response.status, response.headers["Content-Type"], response.read())
    finally:
        connection.close()


def test_the_server_answers_as_respond_does(server: HealthServer) -> None:
    """It adds framing and nothing else; another method is 405, an unknown path 404."""
    assert ask(server, "GET", "/livez") == respond("/livez", Service().checks())
    assert ask(server, "GET", "/nothing").status == 404
    assert ask(server, "POST", "/livez").status == 405
    assert respond("/", Service().checks()).status == 404


@pytest.mark.parametrize(
    "head", [b"rubbish\r\n\r\n", b"x" * health.MAX_REQUEST_BYTES], ids=["rubbish", "endless"]
)
def test_a_head_that_is_none_is_answered_and_closed(server: HealthServer, head: bytes) -> None:
    """Rubbish costs its sender alone; a head over the bound is answered as it stands."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS) as link:
        link.sendall(head)
        assert link.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_caller_that_says_nothing_or_dribbles_is_dropped(
    server: HealthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is the whole request's: a byte now and then does not extend it."""
    monkeypatch.setattr(health, "REQUEST_SECONDS", 0.2)
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(health.THREADS)]
    try:
        assert ask(server, "GET", "/livez").status == 200
    finally:
        for link in silent:
            link.close()
    monkeypatch.setattr(health, "REQUEST_SECONDS", 0.4)
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.01) as link:
        while time.monotonic() < began + DEADLINE_SECONDS:
            try:
                link.sendall(b"G")
                if link.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
    assert time.monotonic() < began + DEADLINE_SECONDS


def test_a_probe_of_the_oldest_kind_is_answered(server: HealthServer) -> None:
    """HTTP/1.0, no header; a port that is taken is said at the start."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE_SECONDS) as link:
        link.sendall(b"GET /livez HTTP/1.0\r\n\r\n")
        answer = link.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"ok\n"
    with pytest.raises(OSError, match="in use"):
        HealthServer(Bind("127.0.0.1", server.port), Service().checks())


def test_a_flood_is_closed_unread(server: HealthServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the waiting places a connection is closed at once; those that wait are served."""
    monkeypatch.setattr(health, "REQUEST_SECONDS", 4 * DEADLINE_SECONDS)
    places = health.THREADS + health.MAX_WAITING_REQUESTS
    links = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(places + 1)]
    try:
        links[-1].settimeout(DEADLINE_SECONDS)
        assert links[-1].recv(1) == b""
    finally:
        for link in links:
            link.close()


def test_a_check_that_raises_is_logged_and_closes_the_connection(capsys: pytest.CaptureFixture[str]) -> None:
    """A broken check fails its probe and leaves a trace instead of vanishing in the pool."""

    def broken() -> str | None:
        raise ValueError("broken check")

    server = HealthServer(Bind("127.0.0.1", 0), Checks(lambda: True, broken))
    server.start()
    try:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(server, "GET", "/readyz")
        assert ask(server, "GET", "/livez").status == 200
    finally:
        server.stop()
    assert "broken check" in capsys.readouterr().out
