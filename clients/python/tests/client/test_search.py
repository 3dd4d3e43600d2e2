"""Search by HTTP: what the client asks and raises, and what the command prints."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from roomlog_client import (
    CommandError,
    ProtocolError,
    RoomlogClient,
    RoomlogError,
    SignedOut,
    Throttled,
    Unreachable,
)
from roomlog_client.api import Api, api_beside
from roomlog_client.cli import saved_login
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog
from tests.client.test_cli import CELLAR, KITCHEN, server

__all__ = ["server"]

NOON = 1_764_244_800
pytestmark = pytest.mark.usefixtures("no_account")


async def say(server: FakeServer, room: str, name: str, text: str, minute: int = 0) -> None:
    """Let somebody have said something that many minutes after noon."""
    seconds = NOON + 60 * minute
    event = await server.post(room, name, text)
    event["message"] |= {"timestamp": seconds, "timestamp_ms": 1000 * seconds}


def time_of(minute: int) -> str:
    """Return a message's time as this machine shows it."""
    return f"{datetime.fromtimestamp(NOON + 60 * minute):%Y-%m-%d %H:%M:%S}"


async def found(client: RoomlogClient | Api, *words: str, **wanted: Any) -> list[str]:
    """Return the texts that a search finds."""
    return [message["text"] async for message in client.search(*words, **wanted)]


async def test_a_search_goes_on_to_the_last_page(server: FakeServer) -> None:
    """All hits of the user's own rooms come once, the newest first; a limit asks for no more than it."""
    asked: list[dict[str, str]] = []
    server.refuse_http = lambda request: asked.append(dict(request.query))
    await say(server, CELLAR, "bob", "tea in the dark")
    for minute in range(250):
        await say(server, KITCHEN, "bob", f"tea {minute}", minute)
    async with RoomlogClient(server.url, "alice") as client:
        assert await found(client, "TEA") == [f"tea {minute}" for minute in reversed(range(250))]
        assert [query.get("cursor") for query in asked] == [None, "100", "200"]
        assert len(await found(client, "tea", limit=130)) == 130
        assert [query["limit"] for query in asked[3:]] == ["100", "30"]
        assert await found(client, after=NOON + 60, before=NOON + 180, author=2) == ["tea 2", "tea 1"]
        assert await found(client, room=CELLAR) == []
        assert [user.username for user in await client.find_users("bo")] == ["bob"]


def run_demo(server: FakeServer) -> None:
    """Write what a demo with an api elsewhere would have written."""
    facts = {
        "websocket": server.url,
        "api": "http://127.0.0.1:9/",
        "users": [{"name": "a", "token": "alice"}],
    }
    Path(".roomlog").mkdir()
    Path(".roomlog/demo.json").write_text(json.dumps(facts))


PROBLEM = {"error_code": "bad_value", "detail": "`after`: A valid integer is required."}


@pytest.mark.parametrize(
    ("answer", "error", "sentence"),
    [
        ({"status": 429, "headers": {"Retry-After": "41"}}, Throttled, "try again in 41 s"),
        ({"status": 429, "headers": {"Retry-After": "tomorrow"}}, Throttled, "try again in 60 s"),
        ({"status": 403, "text": "<h1>No</h1>"}, CommandError, "forbidden: "),
        ({"status": 400, "text": json.dumps(PROBLEM)}, CommandError, "bad_value: `after`"),
        ({"status": 503, "text": '{"error_code": "busy"}'}, Unreachable, "/api/v1/search/ answered with 503"),
        ({"status": 404, "text": "<h1>No</h1>"}, Unreachable, "answered with 404"),
        ({"status": 302, "headers": {"Location": "/login/"}}, Unreachable, "answered with 302"),
        ({"text": "<h1>Hello</h1>"}, ProtocolError, "something else"),
        ({"body": b'{"messages": ["\xff"]}'}, ProtocolError, "something else"),
        ({"text": '{"messages": null}'}, ProtocolError, "something else"),
    ],
)
async def test_each_refusal_is_an_error_of_its_own(
    server: FakeServer, answer: dict[str, Any], error: type[RoomlogError], sentence: str
) -> None:
    """The api's own say what was wrong; what stands before it is no answer of the api."""
    server.refuse_http = lambda request: web.Response(**answer)
    with pytest.raises(error, match=sentence):
        await found(Api(api_beside(server.url), "alice"))


async def test_a_wrong_token_and_no_api_are_told_apart(server: FakeServer) -> None:
    """As are a token that there is none of any more, and one that could not be asked for."""

    async def signed_out() -> str:
        raise SignedOut("bye")

    async def broken() -> str:
        raise ValueError("secret")

    for address, token, error, sentence in (
        (api_beside(server.url), "mallory", CommandError, "invalid_token"),
        (
            "http://127.0.0.1:9/api/v1",
            "alice",
            Unreachable,
            "no answer from http://127.0.0.1:9/api/v1/search/",
        ),
        (api_beside(server.url), signed_out, SignedOut, "bye"),
        (api_beside(server.url), broken, Unreachable, "no token: ValueError"),
    ):
        with pytest.raises(error, match=sentence):
            await found(Api(address, token))


@pytest.mark.parametrize(
    ("socket", "api"),
    [
        ("wss://chat.example.com/ws", "https://chat.example.com/api/v1/"),
        ("ws://127.0.0.1:8080/chat/ws?x=1", "http://127.0.0.1:8080/chat/api/v1/"),
        ("https://chat.example.com", "https://chat.example.com/api/v1/"),
    ],
)
def test_the_api_is_beside_the_socket(socket: str, api: str) -> None:
    """As the chart's routes have it."""
    assert api_beside(socket) == api


async def test_the_command_prints_what_was_found(server: FakeServer) -> None:
    """Like `tail`, the newest first; what could command a terminal is replaced. With --json, as it came."""
    await say(server, KITCHEN, "alice", "green tea", 1)
    await say(server, KITCHEN, "bob", "black tea \x1b[31m", 2)
    await say(server, CELLAR, "bob", "tea leaves", 3)
    done = await roomlog("search", "tea", server=server, user="bob")
    assert done.stdout.splitlines() == [
        f"{time_of(3)} {CELLAR} 1 bob: tea leaves",
        f"{time_of(2)} {KITCHEN} 2 bob: black tea \ufffd[31m",
        f"{time_of(1)} {KITCHEN} 1 alice: green tea",
    ], done.output
    words = ["black", "tea", "--room", KITCHEN, "--author", "bob", "--limit", "1", "--json"]
    done = await roomlog("search", *words, server=server)
    assert json.loads(done.stdout) == server.logs[KITCHEN][1]["message"]


async def test_the_command_reads_dates_of_this_machine(server: FakeServer) -> None:
    """A date, or a time; anything else is explained."""
    for minute in range(3):
        await say(server, KITCHEN, "bob", f"tea {minute}", minute)
    done = await roomlog("search", "tea", "--after", time_of(1), "--before", time_of(2), server=server)
    assert done.stdout.splitlines() == [f"{time_of(1)} {KITCHEN} 2 bob: tea 1"]
    asked: list[str | None] = []
    server.refuse_http = lambda request: asked.append(request.query.get("before"))
    done = await roomlog("search", "tea", "--before", "1914-07-28", server=server)
    assert (done.exit_code, done.stdout, asked) == (0, "", ["0"])
    for wrong in ("yesterday", "0001-01-01", "9999-12-32"):
        done = await roomlog("search", "tea", "--after", wrong, server=server)
        assert (done.exit_code, "2026-11-27 18:30" in done.stderr) == (2, True), wrong


async def test_what_the_command_can_t_find_is_one_sentence(server: FakeServer) -> None:
    """A room or a person that the user does not know, and an api that asks to wait."""
    done = await roomlog("search", "tea", "--author", "carol", server=server)
    assert (done.exit_code, done.stderr.startswith("you find 0 people who are called carol")) == (1, True)
    server.refuse_http = lambda request: web.Response(status=429, headers={"Retry-After": "7"})
    done = await roomlog("search", "tea", server=server)
    assert (done.exit_code, done.stderr) == (1, "asked too often; try again in 7 s\n")


async def test_an_api_elsewhere_is_named_and_kept(server: FakeServer) -> None:
    """By a login, which goes to no other; by an option, the environment or the demo."""
    await say(server, KITCHEN, "bob", "tea")
    api = api_beside(server.url)
    elsewhere = ["--api", "http://127.0.0.1:9/api/v1/"]
    done = await roomlog("search", "tea", *elsewhere, server=server)
    assert (done.exit_code, "http://127.0.0.1:9/api/v1/search/" in done.stderr) == (1, True)
    await roomlog("login", "--url", server.url, "--api", api, stdin="alice\n")
    assert saved_login.load() == saved_login.SavedLogin(server.url, "alice", api)
    assert "bob: tea" in (await roomlog("search", "tea")).stdout
    done = await roomlog("search", "tea", *elsewhere)
    assert (done.exit_code, f"the saved login is for {api}" in done.stderr) == (1, True)
    done = await roomlog("search", "tea", "--api", "ws://127.0.0.1:9/api/v1/", server=server)
    assert (done.exit_code, "--api or ROOMLOG_API_URL" in done.stderr) == (1, True)
    run_demo(server)
    done = await roomlog("search", "tea")
    assert (done.exit_code, "http://127.0.0.1:9/search/" in done.stderr) == (1, True)
