"""Who has read what, in a real browser: below the last message that others have read, and in a small list."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

BELOW = "#messages .read-by"


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", which shows receipts: alice and bob have said something in it."""
    chat.names |= {9: "carol", 10: "dave", 11: "erin"}
    chat.join(TEAM, "admin", "member", "member", "member", "member")
    chat.rooms[TEAM]["receipts"] = True
    for user in (7, 8, 7):
        chat.store(TEAM, f"from {user}", user=user)
    page = chat.open()
    enter(page, "team")
    until(page, lambda: any(frame["action"] == "watch" for frame in chat.frames))
    return page


def tell(chat: Chat, *, room: str = TEAM, whole: bool = False, **marks: int) -> None:
    """Say how far people have read: `u8=2`."""
    told = [{"user": int(user[1:]), "seq": seq} for user, seq in marks.items()]
    chat.tell({"action": "room_receipts", "room": room, "epoch": "e1", "whole": whole, "marks": told})


def switch(chat: Chat, *, receipts: bool) -> None:
    """Let bob turn receipts on or off."""
    bob = {"id": 8, "username": "bob"}
    chat.tell(chat._keep(TEAM, {"action": "set_receipts", "uuid": "", "user": bob, "receipts": receipts}))


def above(page: Page) -> str | None:
    """Return the seq of the message above the words."""
    found: str | None = page.locator(BELOW).evaluate("node => node.previousElementSibling.dataset.seq")
    return found


def test_who_has_read_stands_below_the_last_message_that_they_have(chat: Chat, page: Page) -> None:
    """Neither oneself nor an author counts; many are counted, and the list names them."""
    tell(chat, whole=True, u7=3, u8=2, u9=0)
    expect(page.locator(BELOW)).to_have_text("Read by \u2068bob\u2069")
    assert above(page) == "1"
    tell(chat, u8=3, u9=3, u10=2)
    expect(page.locator(BELOW)).to_have_text("Read by \u2068bob\u2069, \u2068carol\u2069")
    assert above(page) == "3"
    tell(chat, u10=3, u11=3)
    expect(page.locator(BELOW)).to_have_text("Read by 4")
    page.click(f"{BELOW} button")
    expect(page.locator("#readers li")).to_have_text(["bob", "carol", "dave", "erin"])
    page.click("#readers-dialog [data-closes]")
    expect(page.locator(f"{BELOW} button")).to_be_focused()
    assert chat.errors == []


def test_screen_readers_are_not_told_of_each_mark(chat: Chat, page: Page) -> None:
    """The log is announced, this line of it is not."""
    tell(chat, whole=True, u8=3)
    expect(page.locator(BELOW)).to_have_attribute("aria-live", "off")


def test_it_ends_with_the_membership_and_when_it_is_turned_off(chat: Chat, page: Page) -> None:
    """And is gone while nothing is known: after a disconnect, and where nobody says anything."""
    tell(chat, whole=True, u8=3, u9=3)
    chat.tell(chat.moderate(TEAM, "remove_user", 8, user=7))
    expect(page.locator(BELOW)).to_have_text("Read by \u2068carol\u2069")
    switch(chat, receipts=False)
    expect(page.locator(BELOW)).to_have_count(0)
    expect(page.locator("#messages .note").last).to_have_text("bob turned read receipts off")
    switch(chat, receipts=True)
    tell(chat, whole=True, u9=3)
    expect(page.locator(BELOW)).to_have_count(1)
    enter(page, "lobby")
    expect(page.locator(BELOW)).to_have_count(0)
    enter(page, "team")
    expect(page.locator(BELOW)).to_have_count(1)
    chat.sockets[-1].close(code=1012)
    expect(page.locator(BELOW)).to_have_count(0)
    assert chat.errors == []


def test_admins_turn_it_on_and_either_of_two(chat: Chat, page: Page) -> None:
    """In the dialog of the room; of a direct room there is nothing else to change."""
    page.click("#room-button")
    page.uncheck("#new-receipts input")
    page.click("#rename .row .primary")
    until(page, lambda: sent(chat) == [(TEAM, False)])
    chat.rooms[LOBBY]["kind"] = "direct"
    page.reload()
    enter(page, "lobby")
    page.click("#room-button")
    expect(page.locator("#new-name, #new-topic, #rename details").first).to_be_hidden()
    page.check("#new-receipts input")
    page.click("#rename .row .primary")
    until(page, lambda: sent(chat)[-1] == (LOBBY, True))
    assert chat.errors == []


def sent(chat: Chat) -> list[tuple[str, bool]]:
    """Return room and value of each `set_receipts`."""
    return [(one["room"], one["receipts"]) for one in chat.frames if one["action"] == "set_receipts"]
