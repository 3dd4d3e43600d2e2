"""Emoji in a real browser: written by their names, completed in the composer, chosen from all there are."""

import json
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect

from roomlog_contract.emoji import check_emoji
from roomlog_contract.limits import EMOJI_CODE_POINTS
from tests.harness.scripted_chat import Chat, enter
from tests.harness.scripted_gateway import WEB, until

ROWS: Final = "#completions li"
OPTIONS: Final = "#emoji-picker [role=option]"
THU: Final = [
    "👍 :thumbsup:",
    "👎 :thumbsdown:",
    "⛈️ :thunder_cloud_and_rain:",
    "🫰 hand with index finger and thumb crossed",
]


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
    expect(page.locator(ROWS)).to_have_text(THU)
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


def test_all_emoji_are_loaded_when_somebody_wants_one(chat: Chat, page: Page) -> None:
    """Not before; without them a text is sent as it was written, and the next try asks for them again."""
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    chat.context.route("**/emoji_set.js", refuse)
    page.fill("#text", "see you at 10:30")
    page.press("#text", "Enter")
    until(page, lambda: len(chat.sent()) == 1)
    assert asked == []
    page.fill("#text", ":fire:")
    page.press("#text", "Enter")
    until(page, lambda: [one["text"] for one in chat.sent()][1:] == [":fire:"])
    page.get_by_role("button", name="Choose an emoji").click()
    expect(page.locator("#notice")).to_contain_text("The emoji could not be loaded.")
    chat.context.unroute("**/emoji_set.js", refuse)
    page.get_by_role("button", name="Choose an emoji").click()
    expect(page.locator(OPTIONS)).to_have_count(12)
    assert len(asked) == 2


def test_the_picker_has_all_by_name_by_category_and_what_was_used(chat: Chat, page: Page) -> None:
    """Words in any order find the best first; what is chosen stands at the caret, and is first next time."""
    page.fill("#text", "ab")
    page.press("#text", "ArrowLeft")
    button = page.get_by_role("button", name="Choose an emoji")
    button.click()
    expect(page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    page.keyboard.type("eyes heart")
    expect(page.locator(OPTIONS).first).to_have_attribute("aria-label", "smiling face with heart-eyes")
    page.get_by_role("tab", name="Flags").click()
    expect(page.locator(OPTIONS)).to_have_count(269)
    page.get_by_role("searchbox", name="Search emoji").fill("rocket")
    expect(page.locator("#emoji-picker [role=status]")).to_have_text("4 found")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("a🚀b")
    expect(page.locator("#text")).to_be_focused()
    button.click()
    expect(page.locator(OPTIONS)).to_have_count(13)
    expect(page.locator(OPTIONS).first).to_have_text("🚀")
    expect(page.get_by_role("searchbox", name="Search emoji")).to_be_focused()
    page.keyboard.type("nothing at all")
    expect(page.locator("#emoji-picker [role=status]")).to_have_text("No emoji has this name.")
    assert chat.errors == []


def test_the_server_takes_every_emoji_of_the_picker() -> None:
    """As a reaction; and each has a name in German."""
    rows, german = (
        json.loads(text.removeprefix("export default ").replace(",\n];", "\n]"))
        for text in ((WEB / f"vendor/{name}.js").read_text() for name in ("emoji", "emoji_de"))
    )
    assert len(rows) == len(german) > 1_800
    for emoji, *_ in rows:
        assert len(emoji) <= EMOJI_CODE_POINTS
        check_emoji(emoji)
