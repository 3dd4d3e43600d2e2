"""Blocks in a real browser: set in the list of members, and what is hidden, counted and closed by them."""

from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter

HIDDEN = "#messages .note[data-seq]"


def members(page: Page) -> None:
    """Open the list of members by the keyboard."""
    page.get_by_role("button", name="Members").press("Enter")
    expect(page.locator("#members li").first).to_be_visible()


def test_somebody_blocked_is_hidden_and_counts_nothing(chat: Chat) -> None:
    """In groups behind one line each, which shows the message; on all tabs, until it is undone."""
    for room in (TEAM, LOBBY):
        chat.join(room, "member", "member")
    chat.say(TEAM, "before")
    page, other = chat.open(), chat.open()
    for one in (page, other):
        enter(one, "team")
        expect(one.locator(".message .text")).to_have_text("before")
    members(page)
    page.get_by_role("button", name="Block \u2068bob\u2069", exact=True).press("Enter")
    expect(page.locator("#members li", has_text="bob").locator("small")).to_have_text(
        "Member, blocked by you"
    )
    page.keyboard.press("Escape")
    for one in (page, other):
        expect(one.locator(HIDDEN)).to_contain_text("A message of somebody you blocked.")
    chat.tell(chat.store(LOBBY, "@alice", mentions=[7]))
    chat.say(LOBBY, "my own", user=7)
    expect(page.locator(".room:has-text('lobby') span:not([hidden])")).to_have_count(0)
    page.locator(HIDDEN).get_by_role("button", name="Show").press("Enter")
    expect(page.locator(".message .text")).to_have_text("before")
    chat.say(TEAM, "after")
    expect(page.locator(HIDDEN)).to_have_count(1)
    members(page)
    page.get_by_role("button", name="Unblock").press("Enter")
    page.keyboard.press("Escape")
    for one in (page, other):
        expect(one.locator(".message .text")).to_have_text(["before", "after"])
    assert chat.errors == []


def test_a_direct_room_is_closed_and_the_blocked_are_listed(chat: Chat) -> None:
    """By the other's block too, which only the server knows; the list has them in every room."""
    chat.rooms[TEAM]["kind"] = "direct"
    chat.join(TEAM, "member", "member")
    chat.join(LOBBY, "member")
    chat.blocked.add(8)
    page = chat.open()
    enter(page, "team")
    expect(page.locator("#closed")).to_contain_text("You have blocked this person")
    enter(page, "lobby")
    members(page)
    expect(page.locator("#members li", has_text="bob").locator("small")).to_have_text("blocked by you")
    page.get_by_role("button", name="Unblock").click()
    expect(page.locator("#members li", has_text="bob")).to_have_count(0)
    page.keyboard.press("Escape")
    enter(page, "team")
    expect(page.locator("#text")).to_be_enabled()
    assert chat.errors == []
