"""The chat page in a real browser: replies, their quotes, and the way to the quoted message."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

QUOTES = "#messages .quote"
STRIP = "#reply-words"


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team": bob's question in two lines, and alice's answer."""
    chat.store(TEAM, "which one?\nI forgot")
    chat.store(TEAM, "the red one", user=7)
    page = enter(chat.open(), "team")
    expect(page.locator("#messages .message")).to_have_count(2)
    return page


def row(page: Page, text: str) -> Locator:
    """Return the row of the message with this text."""
    return page.locator("#messages .message", has=page.locator(".text", has_text=text))


def reply_to(page: Page, text: str) -> None:
    """Press the button that begins a reply to the message with this text."""
    row(page, text).get_by_role("button", name="Reply", exact=True).click()


def histories(chat: Chat) -> int:
    """Return how often pages asked for history."""
    return sum(frame["action"] == "get_history" for frame in chat.frames)


def test_a_reply_names_what_it_replies_to(chat: Chat, page: Page) -> None:
    """In a strip while it is written, above it when it is there; the next message replies to nothing."""
    reply_to(page, "which one?")
    expect(page.locator(STRIP)).to_have_text("You reply to \u2068bob\u2069: \u2068which one?\u2069")
    expect(page.locator("#text")).to_be_focused()
    chat.is_silent = True
    page.fill("#text", "the blue one")
    page.press("#text", "Enter")
    expect(page.locator("#messages .waiting .quote")).to_have_text("bobwhich one?")
    expect(page.locator(STRIP)).to_be_hidden()
    chat.is_silent = False
    page.reload()
    quote = row(page, "the blue one").locator(".quote")
    expect(quote.locator(".who")).to_have_text("bob")
    expect(quote.locator(".words")).to_have_text("which one?")
    expect(quote).to_have_attribute("aria-label", "In reply to \u2068bob\u2069: \u2068which one?\u2069")
    page.fill("#text", "or green")
    page.press("#text", "Enter")
    expect(row(page, "or green")).to_have_count(1)
    expect(page.locator(QUOTES)).to_have_count(1)
    assert [frame.get("reply_to") for frame in chat.sent()][-2:] == [1, None]
    assert chat.errors == []


def test_the_strip_belongs_to_the_draft(page: Page) -> None:
    """By room and over a reload; an edit has the field meanwhile, and Escape cancels one thing at a time."""
    reply_to(page, "which one?")
    page.fill("#text", "half a thought")
    enter(page, "lobby")
    expect(page.locator(STRIP)).to_be_hidden()
    enter(page, "team")
    expect(page.locator(STRIP)).to_contain_text("which one?")
    page.reload()
    expect(page.locator(STRIP)).to_contain_text("which one?")
    expect(page.locator("#text")).to_have_value("half a thought")
    row(page, "the red one").get_by_role("button", name="Edit message").click()
    expect(page.locator(STRIP)).to_be_hidden()
    page.press("#text", "Escape")
    expect(page.locator("#editing")).to_be_hidden()
    expect(page.locator(STRIP)).to_contain_text("which one?")
    page.press("#text", "Escape")
    expect(page.locator(STRIP)).to_be_hidden()
    expect(page.locator("#text")).to_have_value("half a thought")
    reply_to(page, "the red one")
    expect(page.locator(STRIP)).to_contain_text("the red one")
    page.locator("#cancel-reply").press("Enter")
    expect(page.locator(STRIP)).to_be_hidden()
    expect(page.locator("#text")).to_be_focused()


def test_nothing_of_the_quoted_text_is_kept(chat: Chat, page: Page) -> None:
    """Quote and strip show the edited text, then that it is deleted: the text is nowhere any more."""
    chat.say(TEAM, "this one")
    reply_to(page, "this one")
    page.fill("#text", "half a thought")
    chat.tell(chat.store(TEAM, "that is it", reply_to=3))
    words = page.locator(f"{QUOTES} .words")
    expect(words).to_have_text(["this one"])
    page.evaluate("() => { window.kept = document.querySelector('.quote'); }")
    chat.tell(chat.edit(TEAM, 3, "that one"))
    expect(words).to_have_text(["that one"])
    expect(page.locator(STRIP)).to_contain_text("that one")
    assert page.evaluate("() => kept.isConnected")
    chat.tell(chat.delete(TEAM, 3))
    expect(words).to_have_text(["Message deleted"])
    expect(page.locator(STRIP)).to_contain_text("Message deleted")
    stored = page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
    assert "this one" not in stored + page.content()
    assert "that one" not in stored + page.content()


def test_a_quote_leads_to_its_message(chat: Chat, page: Page) -> None:
    """By keyboard: the message is focused, in the middle of the screen, though it was not loaded."""
    for number in range(30):
        chat.store(TEAM, f"line {number}")
    chat.store(TEAM, "that is it", reply_to=1)
    page.reload()
    quote = row(page, "that is it").locator(".quote")
    expect(quote.locator(".words")).to_have_text("which one?")
    expect(page.locator("#messages .message")).to_have_count(20)
    assert histories(chat) == 1
    quote.press("Enter")
    expect(row(page, "which one?")).to_be_focused()
    expect(row(page, "which one?")).to_be_in_viewport()
    expect(page.locator("#messages .message")).to_have_count(33)
    assert chat.errors == []


def test_a_quoted_message_far_up_is_found(chat: Chat) -> None:
    """Page by page; what is around it takes the place of the newest, which stay one click away."""
    chat.add_room(LOBBY, "lobby", messages=220)
    chat.store(LOBBY, "that is it", reply_to=30)
    page = enter(chat.open(), "lobby")
    quote = row(page, "that is it").locator(".quote")
    expect(quote.locator(".words")).to_have_text("An earlier message")
    until(page, lambda: histories(chat) == 1)
    quote.click()
    found = page.locator('#messages [data-seq="30"]')
    expect(found).to_be_focused()
    expect(page.locator("#messages .message")).to_have_count(80)
    page.click("text=Newest messages")
    expect(row(page, "that is it")).to_be_in_viewport()
    expect(page.locator("#messages .message")).to_have_count(20)
    assert chat.errors == []


@pytest.mark.parametrize(
    ("target", "sentence", "pages"),
    [(1, "The message is too far up to be found.", 10), (999, "The message can't be found.", 2)],
)
def test_what_is_not_found_is_said(
    chat: Chat, monkeypatch: pytest.MonkeyPatch, target: int, sentence: str, pages: int
) -> None:
    """After at most ten pages, however short, or at the log's beginning; the reader stays where they are."""
    whole = chat._get_history

    def short(frame: dict[str, Any]) -> dict[str, Any] | None:
        return (whole(frame | {"limit": 10}) or {}) | {"more": True}

    chat.add_room(LOBBY, "lobby", messages=150)
    chat.store(LOBBY, "that is it", reply_to=target)
    if pages == 10:
        monkeypatch.setattr(chat, "_get_history", short)
    page = enter(chat.open(), "lobby")
    until(page, lambda: histories(chat) == 1)
    row(page, "that is it").locator(".quote").click()
    expect(page.locator("#notice")).to_have_text(sentence)
    expect(row(page, "that is it")).to_be_in_viewport()
    expect(page.locator("#messages .message")).to_have_count(20)
    assert histories(chat) == 1 + pages


def test_a_quote_is_kept_up_to_date_beyond_what_is_loaded(chat: Chat) -> None:
    """The quoted message is not in the log on the screen, but its edits and its deletion are heard."""
    chat.add_room(LOBBY, "lobby", messages=40)
    chat.store(LOBBY, "that is it", reply_to=5)
    page = enter(chat.open(), "lobby")
    words = page.locator(f"{QUOTES} .words")
    expect(words).to_have_text(["lobby 5"])
    chat.tell(chat.edit(LOBBY, 5, "another text"))
    expect(words).to_have_text(["another text"])
    chat.tell(chat.delete(LOBBY, 5))
    expect(words).to_have_text(["Message deleted"])


@pytest.mark.parametrize("role", ["reader", "member"])
def test_only_those_who_can_write_can_reply(chat: Chat, role: str) -> None:
    """Readers see quotes and can follow them; a deleted message can't be replied to."""
    chat.join(TEAM, role, "admin")
    chat.store(TEAM, "mind the gap")
    chat.store(TEAM, "I do", reply_to=1)
    page = enter(chat.open(), "team")
    expect(page.locator(QUOTES)).to_have_count(1)
    expect(page.get_by_role("button", name="Reply", exact=True)).to_have_count(2 if role == "member" else 0)
    chat.tell(chat.delete(TEAM, 1))
    expect(page.get_by_role("button", name="Reply", exact=True)).to_have_count(1 if role == "member" else 0)
    page.locator(QUOTES).click()
    expect(page.locator('#messages [data-seq="1"]')).to_be_focused()
