"""A database that is away, read-only or stuck: 503 and when to come back, for programs and people alike."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import InternalError, OperationalError, ProgrammingError, connection
from django.db.utils import InterfaceError
from django.test import Client
from rest_framework.authtoken.models import Token
from structlog.testing import capture_logs

pytestmark = pytest.mark.django_db
JSON = "application/json"
RIGHT = {"username": "alice", "password": "correct horse"}
ERRORS = (OperationalError, InterfaceError, InternalError, ProgrammingError)
"""Away or stuck; a dead connection; read-only; a grant or a table that is missing."""
REQUESTS = (
    ("GET", "/api/v1/rooms/", None),
    ("POST", "/api/v1/rooms/", {"name": "x"}),
    ("GET", "/api/v1/rooms/{room}/messages/", None),
    ("POST", "/api/v1/rooms/{room}/messages/", {"text": "hi"}),
    ("DELETE", "/api/v1/rooms/{room}/members/1/", None),
    ("GET", "/api/v1/users/?search=a", None),
    ("GET", "/api/v1/messages/u/", None),
    ("POST", "/api/v1/ticket/", None),
    ("POST", "/api/v1/token/", RIGHT),
    ("DELETE", "/api/v1/token/", None),
)
PAGES = ("/", "/admin/", "/admin/auth/user/", "/admin/roomlog/chatroom/")
LOGINS = ("/login/", "/admin/login/")


@pytest.fixture
def client(alice: User) -> Client:
    """A program whose errors are answered, not raised."""
    token = Token.objects.create(user=alice).key
    return Client(raise_request_exception=False, headers={"authorization": f"Token {token}"})


@pytest.fixture(params=ERRORS, ids=lambda kind: kind.__name__)
def outage(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A database that answers every statement so."""

    def fail(*_: object) -> Any:
        raise request.param("in words that nobody should read")

    return fail


@pytest.mark.parametrize(("method", "path", "body"), REQUESTS)
def test_programs_are_told_to_come_back(
    client: Client, lobby: UUID, outage: Any, method: str, path: str, body: Any, caplog: Any
) -> None:
    """Every address, by one kind of problem; the log has the cause, and no traceback."""
    text = "" if body is None else json.dumps(body)
    with connection.execute_wrapper(outage), capture_logs() as said:
        answer = client.generic(method, path.format(room=lobby.hex), text, content_type=JSON)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert (answer.json()["error_code"], int(answer.headers["retry-after"]) > 0) == ("busy", True)
    assert [entry["event"] for entry in said] == ["database_unavailable", "request"]
    assert "Traceback" not in caplog.text
    assert "in words" not in f"{caplog.text} {said} {answer.content!r}"


@pytest.mark.parametrize(
    ("path", "fields"), [(path, {}) for path in PAGES] + [(path, RIGHT) for path in LOGINS]
)
def test_people_are_shown_a_page(admin_user: User, outage: Any, path: str, fields: dict[str, str]) -> None:
    """Behind a session that can't be read; a login says that it could not look, not that it was wrong."""
    client = Client(raise_request_exception=False)
    if not fields:
        client.force_login(admin_user)
    with connection.execute_wrapper(outage):
        answer = client.post(path, fields) if fields else client.get(path)
    check_page(answer)


def test_an_outage_behind_the_views_counts(alice: User, monkeypatch: pytest.MonkeyPatch, outage: Any) -> None:
    """A session is saved there, where no view's error is looked for."""
    monkeypatch.setattr(SessionMiddleware, "process_response", outage)
    check_page(Client(raise_request_exception=False).get("/login/"))


def check_page(answer: Any) -> None:
    """Compare with what people are shown."""
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (503, "text/html")
    assert int(answer.headers["retry-after"]) > 0
    assert "try again" in answer.content.decode()
