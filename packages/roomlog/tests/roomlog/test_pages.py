"""Login, logout and the chat page, with their headers and their static files."""

import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

import roomlog
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
WEB = Path(roomlog.__file__).with_name("static") / "roomlog"
MODULES = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js"))
RIGHT = {"username": "alice", "password": "correct horse"}


def policy_of(answer: Any) -> dict[str, str]:
    """Return the directives of the answer's policy."""
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


def test_the_chat_is_for_the_signed_in(client: Client, alice: User) -> None:
    """Strangers are sent to the login and come back to the chat from there; logging out ends it."""
    assert client.get("/").headers["location"] == "/login/?next=/"
    assert client.post("/login/", RIGHT | {"next": "/"}).headers["location"] == "/"
    page = client.get("/")
    assert f'data-user-id="{id_of(alice)}"' in page.content.decode()
    assert "no-store" in page.headers["cache-control"]
    assert client.post("/logout/").headers["location"] == "/login/"
    assert client.get("/").status_code == 302


def test_the_login_leads_nowhere_else(client: Client, alice: User) -> None:
    """Neither by a prepared link; a wrong password is told, not what was wrong."""
    page = client.post("/login/", RIGHT | {"password": "wrong"})
    assert "Wrong name or password" in page.content.decode()
    answer = client.post("/login/", RIGHT | {"next": "https://elsewhere.example/"})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("path", ["/", "/login/"])
def test_nothing_inline_runs(client: Client, alice: User, path: str) -> None:
    """The policy allows our own files alone, and the pages hold neither script nor style nor handler."""
    if path == "/":
        client.force_login(alice)
    page = client.get(path)
    policy = policy_of(page)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|\bstyle=", page.content.decode())


@pytest.mark.parametrize(
    ("setting", "sources"),
    [("wss://chat.example/ws", "'self' wss://chat.example"), ("", "'self' ws://testserver wss://testserver")],
)
def test_the_page_reaches_its_socket_alone(client: Client, settings: Any, setting: str, sources: str) -> None:
    """Where the gateway is elsewhere the policy names it; else it is where the page came from."""
    settings.ROOMLOG = {**settings.ROOMLOG, "WEBSOCKET_URL": setting}
    assert policy_of(client.get("/login/"))["connect-src"] == sources


def test_the_policy_is_of_our_own_choice(client: Client, admin_client: Client) -> None:
    """A foreign Host stands nowhere in it, and the admin's scripts come from here alone."""
    answer = client.get("/login/", headers={"host": "evil.example"})
    assert answer.status_code == 400
    assert "evil" not in str(answer.headers)
    assert policy_of(answer)["script-src"] == "'self'"
    policy = policy_of(admin_client.get("/admin/"))
    assert policy["script-src"] == "'self' 'unsafe-inline' 'unsafe-eval'"
    assert policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("name", MODULES)
def test_the_pages_modules_are_served(client: Client, name: str) -> None:
    """Browsers run a module only under a JavaScript type."""
    with closing(client.get(f"/static/roomlog/{name}")) as answer:
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/javascript")
