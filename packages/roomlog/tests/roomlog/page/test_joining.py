"""The chat page in a real browser: rooms are found and joined, also by a link, before a scripted api."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.harness.scripted_chat import LOBBY, MADE, TEAM, Chat, enter
from tests.harness.scripted_gateway import ORIGIN

ALICE = {"id": 7, "username": "alice"}
TOKEN = "kq3vZ0c2mXW6hT9uYb1sLrPa8dNfEjQi"


class Doors:
    """Open rooms on two pages, and an invitation to one that is not open."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.asked: list[Any] = []
        self.role = "member"
        chat.context.route("**/api/v1/rooms/discoverable/**", self._find)
        chat.context.route("**/api/v1/invitation/", self._look)
        chat.context.route("**/invitations/", self._invite)

    def join(self, frame: dict[str, Any]) -> None:
        """Let alice in."""
        self.asked.append(frame.get("invitation"))
        if self.chat.refuses:
            self.chat._write(frame)
            return
        self.chat.add_room(MADE, "tea")
        facts = {"action": "join_room", "uuid": frame["uuid"], "user": ALICE}
        self.chat.tell(self.chat._keep(MADE, facts | {"member": ALICE | {"role": "member"}}))
        self.chat.tell({"action": "room_joined", "room": self.chat.summary(MADE)})

    def open(self, frame: dict[str, Any]) -> None:
        """Open a room to everybody, or close it."""
        facts = {"action": "set_discoverable", "uuid": frame["uuid"], "user": ALICE}
        self.chat.tell(self.chat._keep(frame["room"], facts | {"discoverable": frame["discoverable"]}))

    def _find(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        self.asked.append(query)
        is_second = "cursor" in query
        tea = {"id": MADE, "name": "<b>tea</b>", "topic": "Green & black", "joined": False}
        team = {"id": TEAM, "name": "team", "topic": "", "joined": True}
        route.fulfill(json={"rooms": [team if is_second else tea], "next": None if is_second else "x" * 22})

    def _look(self, route: Route) -> None:
        said = json.loads(route.request.post_data or "")
        door = {"room": MADE, "name": "tea", "topic": "Green", "role": self.role, "joined": False}
        is_known = said == {"invitation": TOKEN}
        route.fulfill(status=200 if is_known else 404, json=door if is_known else {})

    def _invite(self, route: Route) -> None:
        self.asked.append(json.loads(route.request.post_data or ""))
        route.fulfill(status=201, json={"token": TOKEN})


@pytest.fixture
def doors(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Doors:
    """The api and the gateway let alice in."""
    doors = Doors(chat)
    monkeypatch.setattr(chat, "_join_room", doors.join, raising=False)
    monkeypatch.setattr(chat, "_set_discoverable", doors.open, raising=False)
    chat.join(TEAM, "admin", "member")
    chat.join(LOBBY, "member", "admin")
    return doors


def test_a_room_is_found_and_joined(chat: Chat, doors: Doors, page: Page) -> None:
    """By keyboard, page by page; a name is text. Refusals are told in the dialog; one's own rooms open."""
    page.get_by_role("button", name="Find rooms").press("Enter")
    expect(page.locator("#rooms-found")).to_have_text("Rooms found: 1")
    expect(page.locator("#found-rooms .who")).to_have_text("<b>tea</b> Green & black")
    field = page.get_by_role("searchbox", name="Name")
    field.fill(" te ")
    field.press("Enter")
    page.get_by_role("button", name="More rooms").press("Enter")
    expect(page.get_by_role("button", name="Open \u2068team\u2069")).to_be_focused()
    assert doors.asked == [{}, {"q": ["te"]}, {"q": ["te"], "cursor": ["x" * 22]}]
    chat.refuses = ("banned", "The user is banned from this room.")
    page.get_by_role("button", name="Join \u2068<b>tea</b>\u2069").press("Enter")
    expect(page.locator("#find-rooms .wrong")).to_have_text("The user is banned from this room.")
    chat.refuses = None
    page.get_by_role("button", name="Join \u2068<b>tea</b>\u2069").press("Enter")
    expect(page.locator("#find-rooms-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_have_text("tea")
    page.get_by_role("button", name="Find rooms").click()
    page.get_by_role("button", name="More rooms").click()
    page.get_by_role("button", name="Open \u2068team\u2069").click()
    expect(page.locator("#room-name")).to_have_text("team")
    assert chat.errors == []


def test_a_link_invites_into_a_room(chat: Chat, doors: Doors) -> None:
    """Asked first; the token does not stay in the address. One that leads nowhere is said to."""
    doors.role = "reader"
    page = chat.open(f"/#invitation/{TOKEN}")
    dialog = page.get_by_role("dialog", name="Join \u2068tea\u2069?")
    expect(dialog).to_contain_text("You can read there, but not write.")
    assert TOKEN not in page.url
    dialog.get_by_role("button", name="Join").press("Enter")
    expect(page.locator("#room-name")).to_have_text("tea")
    assert doors.asked == [TOKEN]
    page.evaluate("location.hash = '#invitation/guess'")
    expect(page.locator("#notice")).to_have_text("The invitation is not valid any more. Ask for a new one.")
    expect(page.locator("#room-name")).to_have_text("tea")
    assert page.url == f"{ORIGIN}/"
    assert chat.errors == ["Failed to load resource: the server responded with a status of 404 (Not Found)"]


def test_an_admin_opens_a_room_and_makes_links(chat: Chat, doors: Doors) -> None:
    """Others are offered neither; the room's log says who opened it."""
    page = chat.open()
    enter(page, "team")
    page.click("#room-button")
    page.get_by_label("Everybody may find and join this room").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#messages .note").last).to_have_text("alice opened the room to everybody")
    page.click("#room-button")
    page.get_by_label("Everybody may find and join this room").uncheck()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#messages .note").last).to_have_text("alice closed the room to strangers")
    page.click("#invite-button")
    page.get_by_role("button", name="Make a link").press("Enter")
    expect(page.get_by_label("Link", exact=True)).to_have_value(f"{ORIGIN}/#invitation/{TOKEN}")
    expect(page.locator("#notice")).to_have_text("Link copied.")
    page.keyboard.press("Escape")
    enter(page, "lobby")
    page.click("#invite-button")
    expect(page.get_by_role("button", name="Make a link")).to_be_hidden()
    page.keyboard.press("Escape")
    page.click("#room-button")
    expect(page.get_by_label("Everybody may find and join this room")).to_be_hidden()
    assert doors.asked == [{}]
    assert chat.errors == []
