"""The api beside a PostgreSQL that restarts, is locked, away or read-only: it refuses, and comes back."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPResponse
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psycopg
import pytest

from roomlog.outage import CALM_SECONDS
from tests.harness.postgres import PostgresServer
from tests.harness.stack import MakeStack, Stack, User
from tests.harness.stack_databases import POSTGRES_ONLY, PostgresDatabases
from tests.harness.waiting import wait_until

pytestmark = [pytest.mark.stack, POSTGRES_ONLY]
AT_ONCE = 16
"""Requests together: more than there are threads, so that each has been through the database."""
SECONDS = 20.0
BACK_SECONDS = 5.0
"""After which a database that answers again is used again."""
Answer = tuple[int, str, str, bytes]
"""Status, media type, Retry-After and body."""


def ask(stack: Stack, path: str, user: User | None = None, body: object = None) -> Answer:
    """Ask the api once."""
    headers = {"Content-Type": "application/json"} | (
        {"Authorization": f"Token {user.token}"} if user else {}
    )
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(stack.page + path, data, headers), timeout=SECONDS) as answer:
            return _facts(answer)
    except HTTPError as refused:
        with refused:
            return _facts(refused)


def _facts(answer: HTTPResponse | HTTPError) -> Answer:
    headers = answer.headers
    media_type = headers.get("Content-Type", "").partition(";")[0]
    return answer.status or 0, media_type, headers.get("Retry-After", ""), answer.read()


def ask_at_once(stack: Stack, user: User) -> list[int]:
    """Ask for one's rooms many times together and return the statuses."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [
            answer[0] for answer in threads.map(lambda _: ask(stack, "/api/v1/rooms/", user), range(AT_ONCE))
        ]


def is_ready(stack: Stack) -> bool:
    """Tell what the readiness probe hears."""
    try:
        with urlopen(stack.health("api") + "/readyz", timeout=SECONDS):
            return True
    except HTTPError as refused:
        refused.close()
        return False


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """An api alone."""
    return make_stack(gateways=0, workers=0, api=True)


@pytest.fixture
def alice(stack: Stack) -> User:
    """Somebody with a token."""
    (alice,) = stack.make_users(1)
    return alice


@pytest.fixture
def server(postgres_databases: PostgresDatabases) -> Iterator[PostgresServer]:
    """The server, which runs again after the test."""
    yield postgres_databases.server
    if not postgres_databases.server.child.is_running:
        postgres_databases.server.begin()


@contextmanager
def locked(stack: Stack, table: str) -> Iterator[None]:
    """Hold a table, as a migration does."""
    with psycopg.connect(stack.database.url) as holder:
        holder.execute(f"LOCK TABLE {table}".encode())
        yield
        holder.rollback()


def check_refusals(stack: Stack, alice: User) -> None:
    """Compare what programs and people are told with what it must be."""
    room = {"name": "plans"}
    status, media_type, retry_after, _ = ask(stack, "/api/v1/rooms/", alice, room)
    assert (status, media_type, int(retry_after) > 0) == (503, "application/problem+json", True)
    status, media_type, retry_after, _ = ask(
        stack, "/api/v1/token/", None, {"username": "a", "password": "b"}
    )
    assert (status, media_type, int(retry_after) > 0) == (503, "application/problem+json", True)


def test_no_request_meets_a_connection_that_died(stack: Stack, server: PostgresServer) -> None:
    """After the server's restart every thread's first request is answered."""
    alice, bob = stack.make_users(2)  # one of them would ask too much within a second
    assert set(ask_at_once(stack, alice)) == {200}, stack.child("api").tail()
    server.end()
    server.begin()
    assert set(ask_at_once(stack, bob)) == {200}, stack.child("api").tail()
    stack.assert_no_traceback()


def test_a_locked_table_takes_no_api_out(stack: Stack, alice: User) -> None:
    """Whoever needs it is told to come back; readiness asks on a connection of its own, and for no table."""
    with locked(stack, "authtoken_token, roomlog_install"), ThreadPoolExecutor(1) as asker:
        answers = asker.submit(ask_at_once, stack, alice)
        while not answers.done():
            assert is_ready(stack)
        assert set(answers.result()) == {503}
        check_page(ask(stack, "/admin/login/"), 200)
    wait_until(lambda: ask(stack, "/api/v1/rooms/", alice)[0] == 200, BACK_SECONDS, "the table is free")
    stack.assert_no_traceback()


def test_a_database_away_is_told_and_used_again(stack: Stack, alice: User, server: PostgresServer) -> None:
    """By problems, a page and readiness; back within seconds of its return, and the log says so too."""
    assert set(ask_at_once(stack, alice)) == {200}
    server.end()
    check_refusals(stack, alice)
    wait_until(lambda: not is_ready(stack), SECONDS, "readiness notices")
    server.begin()
    assert "database_back" not in stack.logs()["api"]
    wait_until(lambda: ask(stack, "/api/v1/rooms/", alice)[0] == 200, BACK_SECONDS, "the api serves again")
    wait_until(lambda: is_ready(stack), BACK_SECONDS, "readiness notices")
    wait_until(lambda: "database_back" in stack.logs()["api"], CALM_SECONDS + BACK_SECONDS, "a line says so")
    stack.assert_no_traceback()


def test_a_read_only_database_is_told(stack: Stack, alice: User) -> None:
    """Reads go on; writes are told to come back."""
    name = stack.database.url.rpartition("/")[2]
    stack.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    stack.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert ask(stack, "/api/v1/rooms/", alice)[0] == 200
    status, media_type, retry_after, _ = ask(stack, "/api/v1/rooms/", alice, {"name": "plans"})
    assert (status, media_type, int(retry_after) > 0) == (503, "application/problem+json", True)
    stack.assert_no_traceback()


def check_page(answer: Answer, status: int) -> None:
    """Compare with what people are shown."""
    assert (answer[0], answer[1]) == (status, "text/html")
