"""Emoji in a real browser: written by their names, completed in the composer."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import Chat, enter
from tests.harness.scripted_gateway import until

ROWS = "#completions li"


@pytest.fixture
def page(page: Page) -> Page:
    """A tab with the room "team"."""
    enter(page, "team")
    expect(page.locator("#text")).to_be_enabled()
    return page


def test_a_name_is_completed(page: Page) -> None:
    """From two letters on, by keys as mentions are; a smiley or a time opens no list."""
    field = page.locator("#text")
    field.press_sequentially("at 10:ta :) :t")
    expect(page.locator(ROWS)).to_have_count(0)
    field.press_sequentially("hu")
    expect(page.locator(ROWS)).to_have_text(["👍 :thumbsup:", "👎 :thumbsdown:"])
    field.press("ArrowDown")
    expect(field).to_have_attribute("aria-activedescendant", "emoji-thumbsdown")
    field.press("Enter")
    expect(field).to_have_value("at 10:ta :) 👎 ")
    expect(page.locator(ROWS)).to_have_count(0)


def test_known_names_become_emoji_when_sent(chat: Chat, page: Page) -> None:
    """In messages and in edits; in code, in a word and where nobody knows the name, the text stays."""
    page.fill("#text", "`:fire:` :fire::tada: a:fire:b :nobody: :constructor:")
    page.press("#text", "Enter")
    until(
        page,
        lambda: [one["text"] for one in chat.sent()] == ["`:fire:` 🔥🎉 a:fire:b :nobody: :constructor:"],
    )
    expect(page.locator("#messages .text code")).to_have_text(":fire:")
    page.press("#text", "ArrowUp")
    page.fill("#text", ":heart:")
    page.press("#text", "Enter")
    expect(page.locator("#messages .text bdi")).to_have_text("❤️")
    assert chat.errors == []
