"""`roomlog chat`: a room in a terminal, by textual's own pilot, before a server in memory."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from roomlog_client import RoomlogClient
from roomlog_client.cli import talk
from roomlog_client.cli.chat import Chat, Said
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog
from tests.harness.waiting import eventually

KITCHEN = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
SECONDS = 10.0
pytestmark = pytest.mark.usefixtures("no_account")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server with a room of four."""
    async with FakeServer({KITCHEN: ["alice", "bob", "carol", "dave"]}) as fake:
        yield fake


@dataclass
class Screen:
    """Alice's terminal."""

    app: Chat
    pilot: Pilot[Any]

    def shows(self, part: str) -> str:
        """Return what stands in a part of the screen."""
        return str(self.app.query_one(part, Static).content)

    def texts(self) -> list[str]:
        """Return the rows without their times."""
        return [row.split(" ", 2)[2] if row[:2] == "20" else row for row in self.shows("#rows").splitlines()]

    @property
    def said(self) -> Said:
        """Return what scrolls."""
        return self.app.query_one(Said)

    def is_at_end(self) -> bool:
        """Return whether the last row is in sight."""
        return self.said.scroll_y == self.said.max_scroll_y > 0

    @property
    def first_in_sight(self) -> str:
        """Return the first row that is seen."""
        return self.texts()[round(self.said.scroll_y)]

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the screen is so."""
        await eventually(condition, SECONDS, what)

    async def press_until(self, key: str, condition: Callable[[], object], what: str) -> None:
        """Press a key again and again until the screen is so."""

        async def pressed() -> bool:
            await self.pilot.press(key)
            return bool(condition())

        is_so: bool = await eventually(pressed, SECONDS, what)
        assert is_so

    async def write(self, text: str) -> None:
        """Type a line and send it."""
        self.app.query_one(Input).value = text
        await self.pilot.press("enter")


@asynccontextmanager
async def chatting(server: FakeServer) -> AsyncIterator[Screen]:
    """Seat alice at a terminal of 80 columns and 24 lines."""
    async with RoomlogClient(server.url, "alice") as client:
        await client.ready()
        app = Chat(client, client.rooms()[0])
        async with app.run_test(size=(80, 24)) as pilot:
            yield Screen(app, pilot)


async def test_people_read_and_write(server: FakeServer) -> None:
    """What was said before and what is said now; what could command a terminal is not, nor markup."""
    await server.post(KITCHEN, "bob", "[red]earlier")
    async with chatting(server) as screen:
        await screen.until(lambda: screen.texts() == ["bob: [red]earlier"], "the history")
        await server.post(KITCHEN, "bob", "now \x1b[31m\nand below")
        await screen.until(lambda: screen.texts()[1:] == ["bob: now \ufffd[31m", "and below"], "an event")
        await screen.write("hello")
        await screen.until(lambda: screen.texts()[3:] == ["alice: hello"], "one's own")
        assert screen.app.query_one(Input).value == ""
        assert screen.shows("#state") == f"{KITCHEN}: 1 online"
        await screen.pilot.press("ctrl+c")
    assert server.logs[KITCHEN][2]["message"]["text"] == "hello"


async def test_what_is_offline_says_so_and_waits(server: FakeServer) -> None:
    """Nothing looks sent before the server has it; it goes out once, when the connection is back."""
    async with chatting(server) as screen:
        await screen.until(lambda: "online" in screen.shows("#state"), "a connection")
        server.upgrade_status = 503
        await server.disconnect(1012)
        await screen.until(lambda: "offline" in screen.shows("#state"), "the loss is seen")
        await screen.write("in the dark")
        await screen.until(lambda: screen.texts() == ["pending alice: in the dark"], "what waits")
        await screen.until(lambda: screen.shows("#state").endswith(", 1 pending"), "its number")
        server.upgrade_status = 101
        await screen.until(lambda: screen.texts() == ["alice: in the dark"], "the message")
        await screen.until(lambda: screen.shows("#state") == f"{KITCHEN}: 1 online", "the connection")
        server.refuse = lambda command: (
            {"error_code": "muted", "error_message": "No."} if command["action"] == "new_message" else None
        )
        await screen.write("hush")
        await screen.until(lambda: screen.texts()[1:] == ["not sent (muted: No.): hush"], "the refusal")
        await server.tell({"action": "degraded", "since_ms": 1, "rooms": [KITCHEN]})
        await screen.until(lambda: "accepts nothing" in screen.shows("#state"), "the trouble")
    assert [event["message"]["text"] for event in server.logs[KITCHEN]] == ["in the dark"]


async def test_what_comes_while_the_screen_is_taken_down_breaks_nothing(server: FakeServer) -> None:
    """Timers and workers outlive the parts of the screen by a moment; no traceback is left behind."""
    async with chatting(server) as screen:
        await screen.until(lambda: "online" in screen.shows("#state"), "a connection")
        shown = screen.app.query_one("#rows", Static)
        await screen.app.query("*").remove()
        await server.post(KITCHEN, "bob", "too late")
        await screen.until(lambda: "too late" in str(shown.content), "the event was taken")


async def test_scrolling_up_loads_what_was_before(server: FakeServer) -> None:
    """Page by page to the first message, and the row in sight stays where it is; new ones move nobody."""
    for number in range(120):
        await server.post(KITCHEN, "bob", f"text {number}")
    async with chatting(server) as screen:
        await screen.until(lambda: len(screen.texts()) == 50, "a page")
        await screen.until(screen.is_at_end, "its end")
        asked = [command for command in server.received if command["action"] == "get_history"]
        assert len(asked) == 1, "nothing more than was asked for"
        screen.said.scroll_to(y=0, animate=False, immediate=True)
        await screen.until(lambda: len(screen.texts()) == 100, "the page above")
        await screen.until(lambda: screen.first_in_sight == "bob: text 70", "the same place")
        await server.post(KITCHEN, "bob", "new")
        await screen.until(lambda: screen.texts()[-1] == "bob: new", "an event")
        await screen.pilot.pause()
        assert screen.first_in_sight == "bob: text 70"
        await screen.press_until("pageup", lambda: len(screen.texts()) == 121, "the first page")
        assert screen.texts()[0] == "bob: text 0"
        await screen.press_until("pagedown", screen.is_at_end, "the end")
        await server.post(KITCHEN, "bob", "newer")
        await screen.until(lambda: screen.texts()[-1] == "bob: newer", "another event")
        await screen.until(screen.is_at_end, "it is in sight")
        end = screen.said.max_scroll_y
        await screen.pilot.resize_terminal(80, 12)
        await screen.until(lambda: screen.said.max_scroll_y > end, "fewer lines")
        await screen.until(screen.is_at_end, "it stays in sight")


async def test_typing_is_told_and_shown(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others hear of it while somebody types; whoever has written types no more. Both count as there."""
    monkeypatch.setattr(talk, "TYPING_SECONDS", 3_600.0)
    async with RoomlogClient(server.url, "bob") as bob, chatting(server) as screen:
        await bob.ready()
        await screen.until(lambda: screen.shows("#state").endswith(": 2 online"), "both are there")
        await screen.pilot.press("h")
        await screen.until(
            lambda: "typing" in [command["action"] for command in server.received], "alice's typing"
        )
        bob.typing(KITCHEN)
        await screen.until(lambda: screen.shows("#typing") == "bob is typing…", "bob types")
        await bob.send(KITCHEN, "done")
        await screen.until(lambda: screen.shows("#typing") == "", "bob has written")


async def test_the_end_of_access_ends_the_chat(server: FakeServer) -> None:
    """A room that is gone is named; a token that is not valid any more is why the command ends."""
    async with chatting(server) as screen:
        await server.tell({"action": "room_left", "room": KITCHEN})
        await screen.until(lambda: "not in this room any more" in screen.shows("#state"), "the room is gone")
        server.refuse = lambda command: (
            {"error_code": "invalid_token"} if command["action"] == "authenticate" else None
        )
        await server.disconnect(1012)
        await screen.until(lambda: screen.app.return_value is not None, "the end")
    assert str(screen.app.return_value) == "the token is not valid"


async def test_an_unknown_room_is_one_sentence(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra it is named."""
    done = await roomlog("chat", "attic", server=server)
    assert (done.exit_code, done.stderr.startswith("0 rooms are called attic")) == (1, True)
    monkeypatch.setitem(sys.modules, "textual.app", None)
    monkeypatch.delitem(sys.modules, "roomlog_client.cli.chat")
    done = await roomlog("chat", "attic")
    assert (done.exit_code, "run `pip install 'roomlog-client[chat]'`" in done.stderr) == (1, True)
