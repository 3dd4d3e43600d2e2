"""The typing indicator in a real browser: the composer sends it, the page shows it and soon forgets it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import ORIGIN, until

LINE = "#typing"
BOB = {"id": 8, "username": "bob"}


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team" and a clock of its own."""
    page = chat.context.new_page()
    page.clock.install()
    page.goto(ORIGIN)
    enter(page, "team")
    expect(page.locator("#text")).to_be_enabled()
    return page


def said(chat: Chat) -> list[str]:
    """Return the rooms in which pages said that their user types."""
    return [frame["room"] for frame in chat.frames if frame["action"] == "typing"]


def type_in(chat: Chat, *users: dict[str, Any], room: str = TEAM) -> None:
    """Let others type."""
    chat.tell({"action": "room_typing", "room": room, "users": list(users)})


def test_the_composer_says_so_every_three_seconds(chat: Chat, page: Page) -> None:
    """While the user writes, in whichever room; an emptied field and a sent text say nothing."""
    for text in ("h", "he", "hel"):
        page.fill("#text", text)
    until(page, lambda: said(chat) == [TEAM])
    page.clock.fast_forward(3_100)
    page.fill("#text", "")
    page.fill("#text", "hello")
    until(page, lambda: said(chat) == [TEAM, TEAM])
    page.clock.fast_forward(3_100)
    page.press("#text", "Enter")
    expect(page.locator("#messages .text")).to_have_text("hello")
    enter(page, "lobby")
    page.fill("#text", "h")
    until(page, lambda: said(chat) == [TEAM, TEAM, LOBBY])


def test_an_edit_says_nothing(chat: Chat, page: Page) -> None:
    """What is written is there already."""
    chat.tell(chat.store(TEAM, "before", user=7))
    expect(page.locator("#messages .text")).to_have_text("before")
    page.press("#text", "ArrowUp")
    page.fill("#text", "after")
    page.press("#text", "Enter")
    expect(page.locator("#messages .text bdi")).to_have_text("after")
    assert said(chat) == []


def test_who_types_is_shown_and_forgotten(chat: Chat, page: Page) -> None:
    """Five seconds after the last that was heard, in the room where it is; the others' rooms show nothing."""
    type_in(chat, BOB)
    type_in(chat, {"id": 9, "username": "carol"}, room=LOBBY)
    expect(page.locator(LINE)).to_have_text("\u2068bob\u2069 is typing…")
    page.clock.fast_forward(3_000)
    type_in(chat, {"id": 9, "username": "carol"})
    expect(page.locator(LINE)).to_have_text("\u2068bob\u2069 and \u2068carol\u2069 are typing…")
    page.clock.fast_forward(2_100)
    expect(page.locator(LINE)).to_have_text("\u2068carol\u2069 is typing…")
    page.clock.fast_forward(3_000)
    expect(page.locator(LINE)).to_be_empty()


def test_many_are_not_named(chat: Chat, page: Page) -> None:
    """A line has room for two."""
    type_in(chat, *({"id": number, "username": f"p{number}"} for number in range(10, 13)))
    expect(page.locator(LINE)).to_have_text("Several people are typing…")


def test_a_message_ends_its_authors_typing(chat: Chat, page: Page) -> None:
    """At once, and nobody else's."""
    type_in(chat, BOB, {"id": 9, "username": "carol"})
    expect(page.locator(LINE)).to_contain_text("bob")
    chat.tell(chat.store(TEAM, "here it is", user=8))
    expect(page.locator(LINE)).to_have_text("\u2068carol\u2069 is typing…")
    assert chat.errors == []


def test_a_name_is_text(chat: Chat, page: Page) -> None:
    """Never markup, and it turns nothing around."""
    type_in(chat, {"id": 9, "username": "<b>\u202ex</b>"})
    expect(page.locator(LINE)).to_have_text("\u2068<b>x</b>\u2069 is typing…")
