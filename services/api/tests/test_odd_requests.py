"""Requests that no client should send: each is answered as its sender's mistake, and makes no traceback."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from roomlog_api.wsgi import Utf8Request
from roomlog_runtime.logs import refused_without_traceback

pytestmark = pytest.mark.django_db
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
DEEP = b"[" * 1_000 + b"]" * 1_000
BODIES: dict[str, bytes] = {
    "nested 1,000 deep": DEEP,
    "an object nested 1,000 deep": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "nested without an end": b"[" * 60_000,
    "nothing": b"",
    "no JSON": b"hello",
    "no object": b"[1]",
    "null": b"null",
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-16": '{"text": "hi"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"text": "hi"}',
    "NaN": b'{"text": "hi", "reply_to": NaN}',
    "infinity": b'{"text": "hi", "reply_to": 1e999}',
    "a huge integer": b'{"text": "hi", "reply_to": ' + b"9" * 5_000 + b"}",
    "beyond 2^63": b'{"text": "hi", "reply_to": 9223372036854775808, "user": 9223372036854775808}',
    "NUL": b'{"text": "a\\u0000b", "username": "a\\u0000b", "password": "a\\u0000b", "name": "\\u0000"}',
    "half a surrogate pair": b'{"text": "\\ud800", "username": "\\ud800", "password": "x", "name": "a"}',
    "a key twice": b'{"text": "a", "text": "b", "username": "a", "username": "b"}',
    "wrong types": b'{"text": {"a": []}, "username": [], "password": {}, "members": "x", "user": {}}',
    "a form": b"username=a&password=%00%ff",
    "2.6 MB": b'{"text": "' + b"x" * 2_600_000 + b'"}',
}
TYPES = (
    JSON,
    FORM,
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "multipart/form-data; boundary=" + "x" * 300,
    "application/json; charset=utf-16",
    "text/plain; charset=base64",
    "application/json; charset=nonsense",
    "application/json; charset*=bogus''%41",
    "application/x-www-form-urlencoded; charset=idna",
    "a/b/c; ;;=",
    "\xff\xfe",
)
QUERIES = (
    "%00",
    "search=%00",
    "search=%ff%fe",
    "search=" + quote("\N{COMBINING ACUTE ACCENT}" * 2_000),
    "before=%00&limit=%00",
    "before=" + "9" * 5_000,
    "limit=-1",
    "format=%00",
    "format=xml",
    "lang=%00&version=%00",
    "q=%00&p=%00&o=%00",
    "next=%00//elsewhere.example",
    "&".join("a=1" for _ in range(2_000)),
    "%zz",
)
POSTS = (
    "/api/v1/token/",
    "/api/v1/ticket/",
    "/api/v1/rooms/",
    "/api/v1/rooms/{room}/messages/",
    "/api/v1/rooms/{room}/members/",
)
PAGES = ("/", "/login/", "/logout/", "/admin/", "/admin/login/")
GETS = (
    "/api/v1/users/",
    "/api/v1/rooms/",
    "/api/v1/rooms/{room}/messages/",
    "/api/v1/messages/u/",
    "/api/v1/schema/",
    *PAGES,
)
ODD_PATHS = (
    "/api/v1/",
    "/api/v1/nothing/",
    "/api/v1/schema/?lang=%00&format=xml",
    "/api/v1/rooms",
    "/api/v1/rooms/zz/messages/",
    "/api/v1/messages/%00/",
    "/api/v1/messages/%0a/",
    "/api/v1/messages/%ff%fe/",
    "/api/v1/messages/%ed%a0%80/",
    "/api/v1/messages/" + "x" * 5_000 + "/",
    "/api/v1/rooms/{room}/members/" + "9" * 5_000 + "/",
    "/api/v1/rooms/{room}/members/-1/",
    "/static/%00",
    "/static/../settings.py",
    "/static/" + "x" * 5_000,
    "/admin/auth/user/" + "9" * 50 + "/change/",
    "/admin/auth/user/%00/change/",
    "/admin/roomlog/chatroom/%00/change/",
    "/%00",
    "/%ff",
)
METHODS = (
    "BREW",
    "PROPFIND",
    "get",
    "TRACE",
    "CONNECT",
    "X" * 200,
    "OPTIONS",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
)
HEADERS: tuple[dict[str, str], ...] = (
    {"host": "evil.example"},
    {"host": "a b"},
    {"host": "[::1"},
    {"host": ""},
    {"cookie": 'roomlog_session="\\000\\000\\000\\000\\000\\000\\000\\000\\000"'},
    {"cookie": "roomlog_session=\xff\xfe\xfd; roomlog_csrf=\x01"},
    {"cookie": ";;;=;,"},
    {"authorization": "Token"},
    {"authorization": "Token a b"},
    {"authorization": "Token \xff"},
    {"authorization": "Basic %%%"},
    {"accept": "text/html"},
    {"accept": "application/json; q*=bogus''%41"},
    {"accept": ";;,,;q=x"},
    {"x-forwarded-for": "\x00,,,", "x-forwarded-proto": "\x00"},
    {"x-csrftoken": "\xff" * 500},
    {"referer": "http://[/"},
    {"origin": "null"},
    {"if-modified-since": "\xff"},
    {"range": "bytes=9-1"},
)


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """What the log says, as the process would print it."""
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.addFilter(refused_without_traceback)

    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)


@pytest.fixture(params=["a stranger", "staff"])
def client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, alice: User, admin_user: User
) -> Client:
    """Somebody whose mistakes are answered, not raised, by the application's own kind of request."""
    monkeypatch.setattr("django.test.client.WSGIRequest", Utf8Request)
    client = Client(raise_request_exception=False)
    if request.param == "staff":
        client.force_login(admin_user)
        client.defaults["HTTP_AUTHORIZATION"] = f"Token {Token.objects.create(user=alice).key}"
    return client


def check(answer: Any, said: io.StringIO, path: str, what: object) -> None:
    """Compare an answer with what every refusal must be."""
    answer.close()
    case = f"{what!r:.200} at {path:.80}"
    assert answer.status_code < 500, case
    assert "Traceback" not in said.getvalue(), f"{case}\n{said.getvalue()}"
    if path.startswith("/api/v1/") and answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", case
        problem = json.loads(answer.content)
        assert problem["status"] == answer.status_code, case
        assert all(isinstance(problem[key], str) for key in ("type", "title", "detail", "error_code")), case


Odd = tuple[str, tuple[str, ...], list[tuple[str, dict[str, Any]]]]
"""What is odd, the paths that get it, and the requests: method and options of each."""


def odd_requests() -> Iterator[Odd]:
    """Yield everything odd, wherever there is something that could read it."""
    for what, body in BODIES.items():
        kinds = (JSON, FORM, "multipart/form-data; boundary=x")
        yield what, (*POSTS, *PAGES), [("POST", {"data": body, "content_type": kind}) for kind in kinds]
    for kind in TYPES:  # also where there is nothing to read: Django decodes the query by it
        options = {"data": b"username=a", "content_type": kind, "QUERY_STRING": "a=%41"}
        yield kind, (*POSTS, *GETS), [("GET", options), ("POST", options)]
    for query in QUERIES:
        lists = ("/admin/auth/user/", "/admin/roomlog/chatroom/")
        yield query, (*GETS, *POSTS, *lists), [("GET", {"QUERY_STRING": query})]
    for path in ODD_PATHS:
        yield path, (path,), [(method, {}) for method in ("GET", "POST", "DELETE", "OPTIONS")]
    for method in METHODS:
        yield method, (*GETS, *POSTS, "/static/roomlog/chat.js"), [(method, {})]
    for headers in HEADERS:
        asked = [(method, {"headers": headers}) for method in ("GET", "POST")]
        yield str(headers), (*GETS, *POSTS, "/static/roomlog/chat.js"), asked


@pytest.mark.parametrize(
    ("what", "paths", "requests"), [pytest.param(*odd, id=f"{odd[0]!a:.60}") for odd in odd_requests()]
)
def test_what_no_client_sends_is_its_senders_mistake(
    client: Client,
    lobby: Any,
    said: io.StringIO,
    what: str,
    paths: tuple[str, ...],
    requests: list[tuple[str, dict[str, Any]]],
) -> None:
    """Bodies, media types, queries, paths, methods and headers: refused or ignored, and never a traceback."""
    for path in paths:
        for method, options in requests:
            answer = client.generic(method, path.format(room=lobby.hex), **options)
            check(answer, said, "" if method == "HEAD" else path, (what, method))


def test_nesting_is_answered_400_and_size_413(client: Client, lobby: Any) -> None:
    """To strangers who ask for a token, as to members."""
    for what, status in (("nested 1,000 deep", 400), ("no JSON", 400), ("2.6 MB", 413)):
        answer = client.post("/api/v1/token/", BODIES[what], content_type=JSON)
        assert (answer.status_code, answer.json()["status"]) == (status, status), what
