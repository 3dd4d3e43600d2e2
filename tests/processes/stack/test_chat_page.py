"""The chat page as people meet it: two of them in real browsers, before a whole stack of real processes.

What shows the page's behaviour runs on one database; the others run on both.
"""

import json
import re
import time
from collections.abc import Iterator
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.harness.browser import browser, reload
from tests.harness.manage import manage, run_python
from tests.harness.stack import MakeStack, Stack, running_stack
from tests.harness.stack_databases import POSTGRES_ONLY, Databases
from tests.harness.waiting import wait_until

__all__ = ["browser"]

DEADLINE_MS: Final = 20_000
COMMAND_SECONDS: Final = 60
ENVIRON: Final = {"ROOMLOG_ALLOWED_ORIGINS": "*"}
PHONE: Final = (390, 780)
DESK: Final = (1100, 700)
REVOCATION_SECONDS: Final = 3.0
"""G10 says one second; the rest is the browser's and a busy machine's."""


class Person:
    """Somebody at a screen."""

    def __init__(self, browser: Browser, address: str, login: dict[str, str], size: tuple[int, int]) -> None:
        width, height = size
        self.errors: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": height})
        self.page.set_default_timeout(DEADLINE_MS)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        self.page.goto(address)
        self.page.fill("input[name=username]", login["name"])
        self.page.fill("input[name=password]", login["password"])
        self.page.click("button")
        expect(self.page.locator("#rooms .room").first).to_be_visible(timeout=DEADLINE_MS)

    def enter(self, room: str) -> None:
        """Choose a room of the list."""
        self.page.locator("#rooms .room", has_text=room).click()
        expect(self.page.locator("#room-name")).to_have_text(room)

    def say(self, text: str) -> None:
        """Type a message and send it."""
        self.page.fill("#text", text)
        self.page.press("#text", "Enter")

    def sees(self, *texts: str) -> None:
        """Wait until these are the room's messages, in this order, none of them under way."""
        expect(self.page.locator("#messages .message .text")).to_have_text(list(texts), timeout=DEADLINE_MS)
        expect(self.page.locator("#messages .waiting")).to_have_count(0, timeout=DEADLINE_MS)

    @property
    def chips(self) -> Locator:
        """The reactions below the messages that are not under way."""
        return self.page.locator("#messages .reactions button:not(.pending)")

    def sees_chip(self, text: str, of: str, is_own: bool) -> None:
        """Wait until this is the only reaction: emoji and number, who they are, one's own or not."""
        expect(self.chips).to_have_text([text], timeout=DEADLINE_MS)
        expect(self.chips).to_have_attribute("aria-pressed", str(is_own).lower())
        expect(self.chips).to_have_attribute("title", re.compile(f": \u2068{of}\u2069$"))

    def keeps(self) -> list[str]:
        """Return the keys of all texts that the browser keeps."""
        return list(self.page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]"))

    def is_told(self, state: str, seconds: float = DEADLINE_MS / 1000) -> None:
        """Wait until the page shows this state of the connection."""
        expect(self.page.locator("#state")).to_have_text(state, timeout=seconds * 1000)


class Demo:
    """A stack with the sample users and rooms."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        self.stack = stack
        self._browser = browser
        made = manage(stack.environ, "make_demo", seconds=COMMAND_SECONDS)
        self.facts: dict[str, Any] = json.loads(made)

    def user(self, name: str) -> dict[str, str]:
        """Return name, password and token."""
        (user,) = [user for user in self.facts["users"] if user["name"] == name]
        found: dict[str, str] = user
        return found

    def ask(self, name: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Ask the api for something in somebody's name; it must be accepted."""
        request = Request(
            f"{self.stack.page}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self.user(name)['token']}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        with urlopen(request, timeout=COMMAND_SECONDS) as answer:
            assert answer.status == 202
            accepted: dict[str, Any] = json.load(answer)
        return accepted

    def make_room(self, name: str) -> None:
        """Have alice make a room for herself and bob."""
        (bob,) = self.stack.sql("SELECT id FROM roomlog_person WHERE name = %s", "bob")[0]
        self.ask("alice", "POST", "rooms/", {"name": name, "members": [bob]})

    def search(self, name: str, *words: str) -> str:
        """Return what the command line finds in somebody's name."""
        places = ("--url", self.stack.websocket(), "--api", f"{self.stack.page}/api/v1/")
        done = run_python(
            *("-m", "roomlog_client.cli", "search", *words, *places),
            environ={"ROOMLOG_TOKEN": self.user(name)["token"]},
            seconds=COMMAND_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def admin(self) -> Page:
        """Return the admin's first page, logged in."""
        page = self._browser.new_page()
        page.goto(f"{self.stack.page}/admin/")
        login = self.user("admin")
        page.fill("input[name=username]", login["name"])
        page.fill("input[name=password]", login["password"])
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/admin/")
        return page

    def person(self, name: str, size: tuple[int, int] = DESK, link: str = "") -> Person:
        """Seat somebody at a screen, logged in; the address they came by may end with a link."""
        return Person(self._browser, f"{self.stack.page}/{link}", self.user(name), size)


def start_api(stack: Stack) -> None:
    """Start the page, with a folder for files."""
    files = str(stack.directory / "files")
    stack.start(stack.add_api(ROOMLOG_WEBSOCKET_URL=stack.websocket(), ROOMLOG_ATTACHMENTS_FOLDER=files))


@pytest.fixture
def demo(make_stack: MakeStack, browser: Browser) -> Iterator[Demo]:
    """A stack with one of each, and the sample people, for a test that breaks something."""
    stack = make_stack(environ=ENVIRON)
    start_api(stack)
    yield Demo(stack, browser)
    stack.assert_no_traceback()


@pytest.fixture(scope="module")
def shared_demo(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Demo]:
    """The same for tests that leave people and processes as they are, each in rooms of its own."""
    with running_stack(tmp_path_factory.mktemp("demo") / "stack", databases, environ=ENVIRON) as stack:
        start_api(stack)
        yield Demo(stack, browser)


def test_two_people_chat(shared_demo: Demo) -> None:
    """At a desk and on a phone: both see both, in one order, markup as text; rooms and links reach others."""
    alice, bob = shared_demo.person("alice"), shared_demo.person("bob", PHONE)
    alice.enter("lobby")
    bob.enter("lobby")
    alice.say("Hello <b>Bob</b>")
    alice.sees("Hello <b>Bob</b>")
    bob.sees("Hello <b>Bob</b>")
    bob.page.fill("#text", "H")
    typing = alice.page.locator("#typing")
    expect(typing).to_have_text("\u2068bob\u2069 is typing…", timeout=DEADLINE_MS)
    bob.say("Hi")
    alice.sees("Hello <b>Bob</b>", "Hi")
    expect(typing).to_be_empty()
    expect(bob.page.locator("#typing")).to_be_empty()
    alice.page.click("[data-opens=new-room-dialog]")
    alice.page.fill("#new-room [name=name]", "plans")
    alice.page.fill("#new-room [name=people]", "bob")
    alice.page.click("#new-room .primary")
    expect(alice.page.locator("#room-name")).to_have_text("plans", timeout=DEADLINE_MS)
    alice.say("Just us")
    bob.page.click("#back")
    expect(bob.page.locator(".room", has_text="plans").locator(".unread")).to_have_text(
        "1", timeout=DEADLINE_MS
    )
    bob.enter("plans")
    bob.sees("Just us")
    alice.page.click("#invite-button")
    alice.page.fill("#person", "carol")
    alice.page.click("#invite .primary")
    expect(bob.page.locator(".note", has_text="alice invited carol")).to_be_visible(timeout=DEADLINE_MS)
    reload(alice.page)
    alice.enter("lobby")
    alice.sees("Hello <b>Bob</b>", "Hi")
    seq = alice.page.locator("[data-seq]", has_text="Hello").get_attribute("data-seq")
    (lobby,) = [room for room in shared_demo.facts["rooms"] if room["name"] == "lobby"]
    carol = shared_demo.person("carol", link=f"#{lobby['id'].replace('-', '')}/{seq}")
    expect(carol.page.locator(f'[data-seq="{seq}"]')).to_be_focused(timeout=DEADLINE_MS)
    assert (alice.errors, bob.errors, carol.errors) == ([], [], [])
    line = wait_until(lambda: shared_demo.search("bob", "hell*", "--room", "lobby"), COMMAND_SECONDS, "a hit")
    assert line.endswith(f" lobby {seq} alice: Hello <b>Bob</b>\n")


@POSTGRES_ONLY
def test_people_edit_and_delete(shared_demo: Demo) -> None:
    """Everybody sees the new text and then none, in a quote and after a reload; no page keeps either."""
    demo = shared_demo
    demo.make_room("colours")
    alice, bob = demo.person("alice"), demo.person("bob")
    for person in (alice, bob):
        person.enter("colours")
    alice.say("the red one")
    bob.sees("the red one")
    bob.page.get_by_role("button", name="Reply", exact=True).click()
    bob.say("why?")
    alice.sees("the red one", "why?")
    alice.page.press("#text", "ArrowUp")
    alice.page.fill("#text", "the blue one")
    alice.page.press("#text", "Enter")
    for person in (alice, bob):
        person.sees("the blue one(edited)", "why?")
        expect(person.page.locator(".quote")).to_have_text("alicethe blue one")
    expect(bob.page.get_by_role("button", name="Delete message")).to_have_count(1, timeout=DEADLINE_MS)
    bob.page.get_by_role("button", name="Report message").click()
    bob.page.get_by_label("Comment (optional)").fill("Not blue!")
    bob.page.get_by_role("button", name="Report", exact=True).click()
    expect(bob.page.locator("#notice")).to_contain_text("Reported.", timeout=DEADLINE_MS)
    admin = demo.admin()
    admin.goto(f"{demo.stack.page}/admin/roomlog/messagereport/")
    expect(admin.locator("#result_list tbody tr")).to_contain_text(["the blue one"])
    admin.goto(f"{demo.stack.page}/admin/roomlog/person/connected/")
    expect(admin.locator("main, #content").last).to_contain_text("bob")
    alice.page.get_by_role("button", name="Delete message").first.click()
    alice.page.click("#delete-dialog .primary")
    for person in (alice, bob):
        person.sees("Message deleted", "why?")
        reload(person.page)
        person.sees("Message deleted", "why?")
        expect(person.page.locator(".quote")).to_have_text("aliceMessage deleted")
        assert " one" not in person.page.content()
        assert person.errors == []
    admin.goto(f"{demo.stack.page}/admin/roomlog/messagereport/")
    expect(admin.locator("#result_list tbody tr")).to_contain_text(["Message deleted"])


@POSTGRES_ONLY
def test_people_react_and_take_it_back(shared_demo: Demo) -> None:
    """Both see who reacts, and both see it go; a reload shows the same."""
    shared_demo.make_room("votes")
    alice, bob = shared_demo.person("alice"), shared_demo.person("bob")
    for person in (alice, bob):
        person.enter("votes")
    alice.say("red or blue?")
    bob.sees("red or blue?")
    bob.page.get_by_role("button", name="React").click()
    bob.page.get_by_role("option", name="party popper").click()
    alice.sees_chip("🎉 1", of="bob", is_own=False)
    alice.chips.click()
    for person, own in ((alice, True), (bob, True)):
        person.sees_chip("🎉 2", of="bob\u2069, \u2068alice", is_own=own)
    bob.chips.click()
    for person, own in ((alice, True), (bob, False)):
        person.sees_chip("🎉 1", of="alice", is_own=own)
        reload(person.page)
        person.sees_chip("🎉 1", of="alice", is_own=own)
    alice.chips.click()
    for person in (alice, bob):
        expect(person.chips).to_have_count(0)
        reload(person.page)
        person.sees("red or blue?")
        expect(person.chips).to_have_count(0)
        assert person.errors == []


@POSTGRES_ONLY
def test_a_killed_gateway_costs_no_message(demo: Demo) -> None:
    """What is typed meanwhile waits, is sent once when the gateway is back, and what was missed arrives."""
    alice, bob = demo.person("alice"), demo.person("bob")
    for person in (alice, bob):
        person.enter("team")
    alice.say("before")
    bob.sees("before")
    demo.stack.kill("gateway-0")
    alice.is_told("Connection lost, trying again…")
    alice.say("meanwhile")
    expect(alice.page.locator("#messages .waiting .text")).to_have_text("meanwhile")
    demo.stack.start("gateway-0")
    alice.sees("before", "meanwhile")
    bob.sees("before", "meanwhile")
    rows = demo.stack.sql("SELECT count(*) FROM roomlog_roomevent WHERE text = %s", "meanwhile")
    assert rows == [(1,)]


@POSTGRES_ONLY
def test_somebody_removed_stays_with_what_was_typed(shared_demo: Demo) -> None:
    """Removed from a room with a hostile name: told why, text kept; after the logout nothing is left."""
    demo = shared_demo
    (bob,) = demo.stack.sql("SELECT id FROM roomlog_person WHERE name = %s", "bob")[0]
    room = demo.ask("alice", "POST", "rooms/", {"name": "\u202e\u2069evil", "members": [bob]})["room"]
    page = demo.person("bob", PHONE)
    page.enter("evil")
    demo.ask("alice", "POST", f"rooms/{room}/messages/", {"text": "\u202eolleh"})
    page.sees("\u202eolleh")
    page.page.fill("#text", "half a thought")
    demo.ask("alice", "DELETE", f"rooms/{room}/members/{bob}/")
    expect(page.page.locator("#closed")).to_contain_text(
        "You were removed from this room", timeout=DEADLINE_MS
    )
    expect(page.page.locator("#room-name")).to_have_text("evil")
    expect(page.page.locator("#text")).to_have_value("half a thought")
    expect(page.page.locator("#text")).not_to_be_editable()
    page.page.go_back()
    page.page.click("#log-out-button")
    expect(page.page.locator("input[name=password]")).to_be_visible()
    assert (page.keeps(), page.errors) == ([], [])


def test_a_message_by_rest_needs_no_redis(demo: Demo) -> None:
    """The api accepts it with Redis gone; when Redis is back it is in everybody's page."""
    alice = demo.person("alice")
    alice.enter("lobby")
    (lobby,) = [room for room in demo.facts["rooms"] if room["name"] == "lobby"]
    demo.stack.kill("valkey")
    demo.ask("bob", "POST", f"rooms/{lobby['id']}/messages/", {"text": "by post", "uuid": "rest-1"})
    demo.stack.start("valkey")
    alice.sees("by post")


def test_somebody_deactivated_is_cut_off_at_once(demo: Demo) -> None:
    """Unticking `active` in the admin closes the open page; it stays closed, and says why."""
    bob = demo.person("bob")
    bob.enter("lobby")
    bob.is_told("Online")
    bob.page.fill("#text", "half a thought")
    page = demo.admin()
    (number,) = demo.stack.sql("SELECT id FROM auth_user WHERE username = %s", "bob")[0]
    page.goto(f"{demo.stack.page}/admin/auth/user/{number}/change/")
    page.uncheck("input[name=is_active]")
    page.click("button[name=_save]")
    started = time.monotonic()
    bob.is_told("Access was revoked")
    assert time.monotonic() - started < REVOCATION_SECONDS
    expect(bob.page.locator("#banner")).to_contain_text("What you wrote stays here to be copied.")
    expect(bob.page.locator("#text")).to_have_value("half a thought")
    expect(bob.page.locator("#text")).not_to_be_editable()
    assert bob.keeps() == []
