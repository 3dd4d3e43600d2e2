"""The chat page in a real browser: pinned messages, their mark, their list, and who may pin."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.browser import scroll
from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

MARKS = "#messages .pinned"
PINS = "#pins li"
FULL = "The room has the maximum number of pinned messages."


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", whose admin is alice: bob's question, and her answer."""
    chat.join(TEAM, "admin", "member")
    chat.store(TEAM, "which one?")
    chat.store(TEAM, "the red one", user=7)
    page = enter(chat.open(), "team")
    expect(page.get_by_role("button", name="Pin message")).to_have_count(2)
    return page


def row(page: Page, text: str) -> Locator:
    """Return the row of the message with this text."""
    return page.locator("#messages .message", has_text=text)


def pinned(chat: Chat) -> list[tuple[str, int]]:
    """Return the pins that pages sent."""
    return [
        (frame["action"], frame["message"])
        for frame in chat.frames
        if frame["action"] in ("pin_message", "unpin_message")
    ]


def test_a_pin_is_shown_and_taken_back(chat: Chat, page: Page) -> None:
    """By one button that keeps the focus; a line says who did it, and a reload shows the mark again."""
    row(page, "which one?").get_by_role("button", name="Pin message").focus()
    page.keyboard.press("Enter")
    expect(row(page, "which one?").locator(".pinned")).to_have_text("Pinned")
    expect(page.locator(".note").last).to_have_text("alice pinned a message")
    button = row(page, "which one?").get_by_role("button", name="Unpin message")
    expect(button).to_be_focused()
    page.reload()
    expect(page.locator(MARKS)).to_have_count(1)
    button.click()
    expect(page.locator(MARKS)).to_have_count(0)
    expect(page.locator(".note").last).to_have_text("alice unpinned a message")
    assert pinned(chat) == [("pin_message", 1), ("unpin_message", 1)]
    assert chat.errors == []


def test_only_marks_change(chat: Chat, page: Page) -> None:
    """Rows, focus and selection stay; a deleted message is not pinned any more."""
    page.evaluate(
        "() => { window.nodes = [...document.querySelectorAll('[data-seq], [data-does]')];"
        " getSelection().selectAllChildren(document.querySelector('.text')); }"
    )
    chat.tell(chat.pin(TEAM, 1))
    expect(page.locator(MARKS)).to_have_count(1)
    assert page.evaluate("() => nodes.every((node) => node.isConnected)")
    assert page.evaluate("() => getSelection().toString()").startswith("which one?")
    chat.tell(chat.delete(TEAM, 1))
    expect(page.locator(MARKS)).to_have_count(0)


@pytest.mark.parametrize("role", ["member", "reader"])
def test_members_see_pins_and_make_none(chat: Chat, role: str) -> None:
    """No button, neither in the log nor in the list; a new role shows both at once."""
    chat.join(TEAM, role, "admin")
    chat.store(TEAM, "mind the gap")
    chat.pin(TEAM, 1)
    page = enter(chat.open(), "team")
    expect(page.locator(MARKS)).to_have_count(1)
    page.click("#pins-button")
    expect(page.locator(PINS)).to_have_count(1)
    unpin = page.get_by_role("button", name="Unpin the message of \u2068bob\u2069")
    expect(unpin).to_have_count(0)
    chat.tell(chat.moderate(TEAM, "set_role", 7, role="admin"))
    unpin.click()
    expect(page.locator(PINS)).to_have_count(0)
    expect(page.locator("#no-pins")).to_have_text("No message is pinned.")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#pins-dialog")).to_be_hidden()
    expect(page.locator("#pins-button")).to_be_focused()
    expect(page.locator("[data-does=pin]")).to_have_count(1)


def test_in_a_direct_room_both_may(chat: Chat) -> None:
    """Whatever their roles."""
    chat.rooms[LOBBY]["kind"] = "direct"
    chat.join(LOBBY, "member", "member")
    chat.store(LOBBY, "mind the gap")
    page = enter(chat.open(), "lobby")
    page.get_by_role("button", name="Pin message").click()
    expect(page.locator(MARKS)).to_have_count(1)


def test_the_list_leads_to_its_messages(chat: Chat, page: Page) -> None:
    """By keyboard alone: newest pin first; a message that is not loaded is loaded with what is around it."""
    for number in range(30):
        chat.say(TEAM, f"line {number}")
    for seq in (1, 2):
        chat.tell(chat.pin(TEAM, seq))
    expect(page.locator(MARKS)).to_have_count(2)
    page.locator("#pins-button").focus()
    page.keyboard.press("Enter")
    entries = page.locator(f"{PINS} .entry")
    expect(entries.locator(".words")).to_have_text(["the red one", "which one?"])
    expect(entries.locator("bdi").first).to_have_text("alice")
    entries.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#pins-dialog")).to_be_hidden()
    expect(row(page, "which one?")).to_be_focused()
    expect(row(page, "which one?")).to_be_in_viewport()
    page.reload()
    expect(page.locator("#messages .message")).to_have_count(20)
    page.click("#pins-button")
    entries.nth(1).click()
    expect(row(page, "which one?")).to_be_focused()
    expect(row(page, "which one?")).to_be_in_viewport()
    assert chat.errors == []


def test_a_list_that_is_not_whole_says_so(chat: Chat, page: Page) -> None:
    """An answer has a bound in bytes."""
    for seq in (1, 2):
        chat.tell(chat.pin(TEAM, seq))
    chat.pins_shown = 1
    page.click("#pins-button")
    expect(page.locator("#no-pins")).to_have_text("Messages that were pinned earlier are not shown.")
    expect(page.locator(f"{PINS} .words")).to_have_text(["the red one"])


def test_the_list_follows(chat: Chat, page: Page) -> None:
    """While it is open: pins, edits and deletions of others; what stays is not built again."""
    chat.tell(chat.pin(TEAM, 1))
    page.click("#pins-button")
    expect(page.locator(f"{PINS} .words")).to_have_text(["which one?"])
    page.evaluate("() => { window.kept = document.querySelector('#pins li'); }")
    chat.tell(chat.pin(TEAM, 2))
    chat.tell(chat.edit(TEAM, 1, "which colour?"))
    expect(page.locator(f"{PINS} .words")).to_have_text(["the red one", "which colour?"])
    assert page.evaluate("() => kept.isConnected")
    chat.tell(chat.delete(TEAM, 2, user=7))
    expect(page.locator(f"{PINS} .words")).to_have_text(["which colour?"])


def test_a_refusal_is_told(chat: Chat, page: Page) -> None:
    """And the mark is gone again; another device that was faster is no trouble."""
    chat.refuses = ("too_many_pins", FULL)
    row(page, "which one?").get_by_role("button", name="Pin message").click()
    expect(page.locator("#notice")).to_have_text(f"The message was not pinned: {FULL}")
    expect(page.locator(MARKS)).to_have_count(0)


def test_an_older_answer_undoes_no_pin(chat: Chat) -> None:
    """History that was read before pins arrives after them: the last event counts, in whatever order."""
    chat.add_room(LOBBY, "lobby", messages=24)
    chat.pin(LOBBY, 3)
    page = enter(chat.open(), "lobby")
    expect(page.locator("[data-seq]")).to_have_count(20)
    held = chat.held = []
    scroll(page, 0)
    until(page, lambda: held)
    chat.tell(chat.pin(LOBBY, 2))
    chat.tell(chat.pin(LOBBY, 3, action="unpin_message"))
    expect(page.locator(".note:not(.date)")).to_have_count(2)
    chat.tell(held[0])
    expect(page.locator("[data-seq]")).to_have_count(26)
    expect(page.locator("#messages .message:has(.pinned) .text bdi")).to_have_text(["lobby 2"])
    assert chat.errors == []
