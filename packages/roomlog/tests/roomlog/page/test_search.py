"""The chat page in a real browser: search of messages, before an api that says what a test says."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter

MARKUP = "<img src=x onerror=alert(1)> Tea, teapot and TEA"


class Api:
    """The search of the api: two pages of what a room holds."""

    def __init__(self, chat: Chat, page: Page) -> None:
        self.chat = chat
        self.asked: list[dict[str, list[str]]] = []
        self.status = 200
        page.route("**/api/v1/search/**", self._answer)

    def _answer(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        self.asked.append(query)
        hits = (
            [] if query["text"] == ["coffee"] else [_hit(2, MARKUP) if "cursor" in query else _hit(40, "tea")]
        )
        is_last = "cursor" in query or not hits
        found = {"messages": hits, "next": None if is_last else "77"}
        route.fulfill(status=self.status, headers={"Retry-After": "41"}, json=found)


def _hit(seq: int, text: str) -> dict[str, Any]:
    user = {"id": 8, "username": "bob"}
    return {
        "id": seq,
        "seq": seq,
        "room": LOBBY,
        "user": user,
        "text": text,
        "timestamp_ms": 1_795_780_800_123,
    }


def test_a_hit_leads_to_its_message(chat: Chat, page: Page) -> None:
    """By keyboard: into another room, among its neighbours. Found texts are text, their words marked."""
    chat.add_room(LOBBY, "lobby", messages=130)
    page.reload()
    api = Api(chat, page)
    enter(page, "team")
    page.get_by_role("button", name="Search messages").press("Enter")
    field = page.get_by_role("searchbox", name="Words")
    expect(field).to_be_focused()
    field.fill("tea")
    field.press("Enter")
    expect(page.locator("#hits-found")).to_have_text("Messages found: 1")
    page.get_by_role("button", name="More messages").press("Enter")
    expect(page.locator("#hits li")).to_have_count(2)
    second = page.locator("#hits li").nth(1)
    expect(second.locator(".words")).to_have_text(MARKUP)
    expect(second.locator("mark")).to_have_text(["Tea", "TEA"])
    expect(second.locator(".who")).to_contain_text("lobby")
    expect(second.locator("button")).to_be_focused()
    expect(page.get_by_role("button", name="More messages")).to_be_hidden()
    assert api.asked == [{"text": ["tea"]}, {"text": ["tea"], "cursor": ["77"]}]
    page.locator("#hits li button").first.press("Enter")
    expect(page.locator("#search-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_have_text("lobby")
    expect(page.locator('#messages [data-seq="40"]')).to_be_in_viewport()
    assert chat.errors == []


def test_a_search_says_what_became_of_it(chat: Chat, page: Page) -> None:
    """Nothing found, in this room alone; and a server that is busy."""
    api = Api(chat, page)
    enter(page, "team")
    page.get_by_role("button", name="Search messages").click()
    page.get_by_role("searchbox", name="Words").fill("coffee")
    page.get_by_label("Only in this room").check()
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#hits-found")).to_have_text("No message was found.")
    assert api.asked == [{"text": ["coffee"], "room": [TEAM]}]
    api.status = 429
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.locator("#search .wrong")).to_have_text("That was too often. Try again in 41 s.")
