"""Mentions in a real browser: names are completed from the room's members, and who is mentioned sees it."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

LIST = "#completions"
CHOSEN = f"{LIST} [aria-selected=true]"
BADGE = ".room:has-text('lobby') .mentions"


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", in which bob and carol are."""
    chat.names |= {8: "bob", 9: "bobby"}
    chat.join(TEAM, "owner", "member", "member")
    page = enter(chat.open(), "team")
    expect(page.locator("#text")).to_be_enabled()
    return page


def write(page: Page, text: str) -> None:
    """Type into the composer, key by key."""
    page.locator("#text").press_sequentially(text)


def sent(chat: Chat) -> list[tuple[str, Any]]:
    """Return text and mentions of what pages sent."""
    writes = [frame for frame in chat.frames if frame["action"] in ("new_message", "edit_message")]
    return [(frame["text"], frame.get("mentions")) for frame in writes]


def test_a_name_is_completed_by_keys(chat: Chat, page: Page) -> None:
    """Arrows choose, Enter and Tab take it; the field keeps the focus and says which one is chosen."""
    write(page, "hi @B")
    expect(page.locator(f"{LIST} li")).to_have_text(["bob", "bobby"])
    expect(page.locator(CHOSEN)).to_have_text("bob")
    expect(page.locator("#text")).to_have_attribute("aria-activedescendant", "mention-8")
    page.keyboard.press("ArrowDown")
    expect(page.locator(CHOSEN)).to_have_text("bobby")
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_have_value("hi @bobby ")
    expect(page.locator(LIST)).to_be_hidden()
    write(page, "and @bo")
    expect(page.locator(CHOSEN)).to_have_text("bob")
    page.keyboard.press("Tab")
    write(page, "!")
    page.keyboard.press("Enter")
    until(page, lambda: sent(chat) == [("hi @bobby and @bob !", [9, 8])])
    assert chat.errors == []


def test_escape_ends_the_list_and_the_mouse_chooses(chat: Chat, page: Page) -> None:
    """Then Enter sends; a name that is written out mentions all the same, a longer word does not."""
    write(page, "@bob")
    expect(page.locator(LIST)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(LIST)).to_be_hidden()
    page.keyboard.press("Enter")
    until(page, lambda: sent(chat) == [("@bob", [8])])
    write(page, "x@bob @bobs @")
    page.locator(f"{LIST} li", has_text="bobby").click()
    page.keyboard.press("Enter")
    until(page, lambda: sent(chat)[1:] == [("x@bob @bobs @bobby ", [9])])


def test_who_is_mentioned_sees_it(chat: Chat, page: Page) -> None:
    """In the list of rooms until it is read, and in the message; a deletion takes it away."""
    for seq in (1, 2):
        chat.tell(chat.store(LOBBY, f"@alice {seq}", mentions=[7]))
    chat.tell(chat.store(LOBBY, "nobody"))
    expect(page.locator(BADGE)).to_have_text("@2")
    chat.tell(chat.delete(LOBBY, 1))
    expect(page.locator(BADGE)).to_have_text("@1")
    enter(page, "lobby")
    expect(page.locator(".message.mentioned .text")).to_have_text(["@alice 2"])
    expect(page.locator(BADGE)).to_be_hidden()
    other = chat.open()
    expect(other.locator(BADGE)).to_be_hidden()


def test_an_edit_changes_whom_it_mentions(chat: Chat, page: Page) -> None:
    """Others' edits are shown; one's own names those who stand in the text."""
    chat.tell(chat.store(TEAM, "nobody"))
    expect(page.locator(".message .text")).to_have_text("nobody")
    edit = chat.edit(TEAM, 1, "@alice")
    edit["mentions"] = [7]
    chat.tell(edit)
    expect(page.locator(".message.mentioned .text bdi")).to_have_text("@alice")
    chat.tell(chat.store(TEAM, "@bob?", user=7, mentions=[8]))
    expect(page.locator(".message .text")).to_have_count(2)
    page.press("#text", "ArrowUp")
    write(page, " @bobby")
    expect(page.locator(CHOSEN)).to_have_text("bobby")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    until(page, lambda: sent(chat) == [("@bob? @bobby", [8, 9])])


def test_the_whole_room_is_completed_mentioned_and_counted(chat: Chat, page: Page) -> None:
    """By `@room`, behind the names; another's message that mentions all is one that mentions the user."""
    write(page, "@ro")
    expect(page.locator(f"{LIST} li")).to_have_text("room: everybody in this room")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    until(page, lambda: sent(chat) == [("@room ", None)])
    assert chat.sent()[0]["mentions_room"] is True
    expect(page.locator(".message .text")).to_have_text("@room")
    expect(page.locator(".message.mentioned")).to_have_count(0)
    chat.tell(chat.store(LOBBY, "@room", mentions_room=True))
    expect(page.locator(BADGE)).to_have_text("@1")
    chat.tell(chat.edit(LOBBY, 1, "nobody"))
    expect(page.locator(BADGE)).to_be_hidden()
    chat.names |= {number: f"guest {number}" for number in range(10, 70)}
    chat.join(LOBBY, "member", *["member"] * 60)
    enter(page, "lobby")
    write(page, "@bo")
    expect(page.locator(f"{LIST} li")).to_have_text(["bob", "bobby"])
    page.fill("#text", "")
    write(page, "@ro")
    expect(page.locator(LIST)).to_be_hidden()
    assert chat.errors == []
