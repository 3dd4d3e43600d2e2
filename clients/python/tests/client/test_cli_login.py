"""The command line: logging in, the list of rooms, and what `--version` says."""

import json
import stat
from collections.abc import AsyncIterator
from importlib.metadata import version

import pytest
from typer.testing import CliRunner, Result

from roomlog_client.cli import saved_login
from roomlog_client.cli.commands import app
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog

KITCHEN = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
pytestmark = pytest.mark.usefixtures("no_account")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server with a room of two."""
    async with FakeServer({KITCHEN: ["alice", "bob"]}) as fake:
        yield fake


async def login(server: FakeServer, user: str = "alice") -> Result:
    """Log in with the token on standard input."""
    return await roomlog("login", "--url", server.url, stdin=f"{user}\n")


async def test_a_login_is_kept_for_its_owner_alone(server: FakeServer) -> None:
    """Later commands need no token; the file is nobody else's, and the token is not printed."""
    done = await login(server)
    assert (done.exit_code, done.stdout.startswith(f"alice at {server.url}")) == (0, True), done.output
    assert stat.S_IMODE(saved_login.path().stat().st_mode) == 0o600
    sent = await roomlog("send", KITCHEN, "hello")
    assert (sent.exit_code, sent.stdout) == (0, "1\n")


async def test_the_last_login_counts_and_the_environment_wins(server: FakeServer) -> None:
    """A second login replaces the first; a token in the environment is the account."""
    await login(server)
    await login(server, "bob")
    await roomlog("send", KITCHEN, "hello")
    assert server.logs[KITCHEN][0]["message"]["user"]["username"] == "bob"
    await login(server)
    await roomlog("send", KITCHEN, "hello", server=server, user="bob")
    assert server.logs[KITCHEN][0]["message"]["user"]["username"] == "bob"


async def test_a_token_that_does_not_work_is_not_kept(server: FakeServer) -> None:
    """A refused or empty one leaves the earlier login, whose token goes to no other address."""
    await login(server)
    done = await login(server, "mallory")
    assert (done.exit_code, done.stderr) == (1, "the token is not valid\n")
    assert saved_login.load() == saved_login.SavedLogin(server.url, "alice")
    done = await login(server, "")
    assert (done.exit_code, done.stderr) == (1, "the token is empty\n")
    await login(server)
    done = await roomlog("rooms", "--url", "ws://127.0.0.1:1/ws")
    assert (done.exit_code, "the saved login is for" in done.stderr) == (1, True)


async def test_logout_deletes_the_login(server: FakeServer) -> None:
    """After it nobody is logged in, again is harmless; a file that something else wrote says what to do."""
    await login(server)
    assert (await roomlog("logout")).stdout == "logged out\n"
    assert (await roomlog("logout")).stdout == "nobody was logged in\n"
    done = await roomlog("send", KITCHEN, "hello")
    assert (done.exit_code, "roomlog login" in done.stderr) == (1, True)
    saved_login.path().parent.mkdir(parents=True, exist_ok=True)
    saved_login.path().write_text("[1]")
    done = await roomlog("rooms")
    assert (done.exit_code, "run `roomlog login` again" in " ".join(done.stderr.split())) == (1, True)


async def test_rooms_are_listed_with_what_is_unread(server: FakeServer) -> None:
    """A table for people, a line of JSON for scripts."""
    await server.post(KITCHEN, "bob", "hello")
    table = await roomlog("rooms", server=server)
    assert (table.exit_code, KITCHEN in table.stdout) == (0, True)
    lines = (await roomlog("rooms", "--json", server=server)).stdout.splitlines()
    assert [(room["id"], room["seq"], room["unread"]) for room in map(json.loads, lines)] == [(KITCHEN, 1, 1)]


def test_version_and_completion() -> None:
    """The version of what is installed; Typer's own completion is there."""
    assert CliRunner().invoke(app, ["--version"]).stdout == f"roomlog {version('roomlog-client')}\n"
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout
