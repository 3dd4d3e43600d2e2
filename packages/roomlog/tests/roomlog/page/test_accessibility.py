"""axe-core finds nothing wrong with the chat page: bright and dark, on a desk and as narrow as it gets."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.accessibility import violations
from tests.harness.scripted_chat import DESK, LOBBY, TEAM, Chat, MakeChat, enter
from tests.roomlog.page.test_joining import Doors
from tests.roomlog.page.test_search import Api

NARROW = {"width": 320, "height": 640}
"""A desk's page at a zoom of 400 %: the width at which WCAG 2.2 asks for reflow (1.4.10)."""


@pytest.fixture(params=[DESK, NARROW], ids=["desk", "narrow"])
def chat(make_chat: MakeChat, request: pytest.FixtureRequest) -> Chat:
    """Alice's browser; the team has all that a message can be, and something is unread in the lobby."""
    chat = make_chat(request.param)
    chat.join(TEAM, "owner", "member")
    chat.pictures[8] = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>"
    chat.store(TEAM, "**Look** at `this`:\n> said\n\n- one\n- [two](https://example.org/)\n\n```\ncode\n```")
    answered: dict[str, Any] = {"id": 1, "seq": 1, "user": {"id": 8, "username": "bob"}, "text": "Look"}
    chat.store(TEAM, "@alice, this?", reply_to=answered, mentions=[7])
    chat.store(TEAM, "mine", user=7)
    chat.react(TEAM, 2, "👍")
    chat.react(TEAM, 2, "🎉", user=7)
    chat.edit(TEAM, 1, "**Look** at `that`")
    chat.pin(TEAM, 3)
    chat.delete(TEAM, chat.store(TEAM, "gone")["seq"])
    chat.store(LOBBY, "@alice", mentions=[7])
    return chat


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_anybodys_way(chat: Chat, scheme: Any) -> None:
    """The login, the list of rooms, a room, and its dialogs."""
    shown: dict[str, list[str]] = {}
    page = chat.open("/login/")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    shown["login"] = violations(page)
    page.goto(page.url.removesuffix("login/"))
    expect(page.get_by_role("button", name="lobby").locator(".unread")).to_be_visible()
    shown["rooms"] = violations(page)
    enter(page, "team")
    expect(page.locator("#messages .message")).to_have_count(4)
    expect(page.locator("#messages .reactions").first).to_be_visible()
    shown["room"] = violations(page)
    _choose_emoji(chat, page)
    shown["emoji"] = violations(page)
    page.keyboard.press("Escape")
    for name, show in {"report": _report, "members": _members, "search": _search, "find": _find}.items():
        show(chat, page)
        shown[name] = violations(page)
        page.locator("dialog[open] [data-closes]").first.click()
        expect(page.get_by_role("dialog")).to_be_hidden()
    assert {name: found for name, found in shown.items() if found} == {}
    assert chat.errors == []


def _report(chat: Chat, page: Page) -> None:
    """Open the question before a report."""
    page.get_by_role("button", name="Report message").first.press("Enter")
    expect(page.get_by_role("dialog", name="Report this message?")).to_be_visible()


def _choose_emoji(chat: Chat, page: Page) -> None:
    """Open the picker of emoji, with one chosen before."""
    page.get_by_role("button", name="React", exact=True).nth(1).press("Enter")
    expect(page.get_by_role("dialog", name="Choose an emoji")).to_be_visible()
    page.get_by_role("tab", name="Food and drink").click()
    expect(page.get_by_role("option", name="cupcake")).to_be_visible()


def _members(chat: Chat, page: Page) -> None:
    """Open the list of members, with all that its owner can do."""
    page.click("#members-button")
    expect(page.locator("#members li")).to_have_count(2)


def _find(chat: Chat, page: Page) -> None:
    """Open the list of rooms that everybody may join."""
    Doors(chat)
    page.get_by_role("button", name="Find rooms").click()
    expect(page.locator("#found-rooms li")).to_have_count(1)


def _search(chat: Chat, page: Page) -> None:
    """Open the search, with something found; where there is little room, from the list of rooms."""
    Api(chat, page)
    if page.locator("#back").is_visible():
        page.click("#back")
    page.get_by_role("button", name="Search messages").click()
    page.get_by_role("searchbox", name="Words").fill("tea")
    page.keyboard.press("Enter")
    expect(page.locator("#hits li")).to_have_count(1)
