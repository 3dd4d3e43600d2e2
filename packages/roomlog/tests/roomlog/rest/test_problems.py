"""One shape for every error of the REST interface (RFC 9457)."""

from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from roomlog_contract.limits import FRAME_BYTES

pytestmark = pytest.mark.django_db
JSON = "application/json"


def problem_of(answer: Any) -> dict[str, Any]:
    """Return the problem, after a look at its shape."""
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "error_code"}
    assert (problem["status"], problem["title"]) == (
        answer.status_code,
        HTTPStatus(answer.status_code).phrase,
    )
    return problem


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("POST", "/api/v1/rooms/", {"data": b"{", "content_type": JSON}, 400, "bad_value"),
        (
            "POST",
            "/api/v1/rooms/{room}/messages/",
            {"data": b"{}", "content_type": JSON},
            400,
            "required_keys",
        ),
        ("GET", "/api/v1/rooms/{room}/messages/?limit=x", {}, 400, "bad_value"),
        ("GET", "/api/v1/rooms/", {"headers": {"authorization": ""}}, 401, "not_authenticated"),
        ("GET", "/api/v1/rooms/", {"headers": {"authorization": "Token x"}}, 401, "invalid_token"),
        ("GET", "/api/v1/rooms/{other}/messages/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/messages/987654321/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/messages/0/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/messages/9007199254740992/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/messages/" + "9" * 25 + "/", {}, 404, "not_found"),
        ("PUT", "/api/v1/rooms/{room}/messages/" + "9" * 25 + "/pin/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/members/" + "9" * 25 + "/", {}, 404, "not_found"),
        ("DELETE", "/api/v1/rooms/{room}/bans/" + "9" * 25 + "/", {}, 404, "not_found"),
        ("GET", "/api/v1/nothing/", {}, 404, "not_found"),
        ("GET", "/api/v1/", {}, 404, "not_found"),
        ("POST", "/api/v1/rooms", {}, 404, "not_found"),
        ("PUT", "/api/v1/rooms/", {}, 405, "method_not_allowed"),
        ("BREW", "/api/v1/rooms/", {}, 405, "method_not_allowed"),
        ("GET", "/api/v1/rooms/", {"headers": {"accept": "text/html"}}, 406, "not_acceptable"),
        ("GET", "/api/v1/rooms/", {"headers": {"host": "evil.example"}}, 400, "bad_value"),
        ("POST", "/api/v1/rooms/", {"data": b" " * 2_600_000, "content_type": JSON}, 413, "too_large"),
        (
            "POST",
            "/api/v1/rooms/",
            {"data": b" " * (FRAME_BYTES + 1), "content_type": JSON},
            413,
            "too_large",
        ),
        (
            "POST",
            "/api/v1/rooms/",
            {"data": b"name=x", "content_type": "text/plain"},
            415,
            "unsupported_media_type",
        ),
    ],
)
def test_an_error_is_a_problem(
    as_alice: Client, lobby: UUID, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    """Whatever refused it: the parser, a view, the framework, or no view at all."""
    where = path.format(room=lobby.hex, other=uuid4().hex)
    problem = problem_of(as_alice.generic(method, where, **options))
    assert (problem["status"], problem["error_code"]) == (status, code)


def test_who_asks_too_often_is_told_when_to_come_back(client: Client) -> None:
    """The 31st guess in a minute."""
    wrong = {"username": "nobody", "password": "wrong"}
    answers = [client.post("/api/v1/token/", wrong, content_type=JSON) for _ in range(31)]
    assert problem_of(answers[-1])["error_code"] == "rate_limited"
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


def test_a_refusal_says_how_to_ask(client: Client, as_alice: Client) -> None:
    """As RFC 9110 asks of a 401 and a 405."""
    assert client.get("/api/v1/rooms/").headers["www-authenticate"] == "Token"
    assert as_alice.put("/api/v1/ticket/").headers["allow"] == "POST, OPTIONS"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("messages", {"text": 1}, "text"),
        ("messages", {}, "text"),
        ("messages", {"text": " "}, "text"),
        ("messages", {"text": "a", "reply_to": "x"}, "reply_to"),
        ("messages", {"text": "a", "uuid": ""}, "uuid"),
        ("members", {"user": 0}, "user"),
        ("members", {"user": 1, "role": "king"}, "role"),
        (None, {"members": [1, "x"]}, "members"),
        (None, {"username": "x" * 255, "password": "x"}, "username"),
    ],
)
def test_the_field_is_named(as_alice: Client, lobby: UUID, path: str | None, body: Any, field: str) -> None:
    """So that a form can show it where it belongs."""
    where = f"/api/v1/rooms/{lobby.hex}/{path}/" if path else "/api/v1/rooms/"
    where = "/api/v1/token/" if "username" in body else where
    problem = problem_of(as_alice.post(where, body, content_type=JSON))
    assert (problem["status"], list(problem["errors"])) == (400, [field])
