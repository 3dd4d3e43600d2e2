"""Who is there, in a real browser: asked of the room on the screen, shown in its head and its members."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

LINE = "#present"


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", and alice, bob and carol in it."""
    chat.names |= {9: "carol"}
    chat.join(TEAM, "admin", "owner", "member")
    page = enter(chat.open(), "team")
    until(page, lambda: watched(chat) == [[TEAM]])
    return page


def watched(chat: Chat) -> list[list[str]]:
    """Return the rooms of each watch."""
    return [frame["rooms"] for frame in chat.frames if frame["action"] == "watch"]


def tell(chat: Chat, *users: int, room: str = TEAM) -> None:
    """Say who is there."""
    chat.tell({"action": "room_presence", "room": room, "users": list(users), "count": len(users)})


def test_the_room_on_the_screen_is_watched(chat: Chat, page: Page) -> None:
    """No other, none in the list alone, and it again on the next connection; what was known is forgotten."""
    tell(chat, 7, 8)
    expect(page.locator(LINE)).to_have_text("2 online")
    enter(page, "lobby")
    expect(page.locator(LINE)).to_be_empty()
    until(page, lambda: watched(chat) == [[TEAM], [LOBBY]])
    tell(chat, 7, room=LOBBY)
    expect(page.locator(LINE)).to_have_text("1 online")
    chat.sockets[-1].close(code=1012)
    expect(page.locator(LINE)).to_be_empty()
    until(page, lambda: watched(chat) == [[TEAM], [LOBBY], [LOBBY]])


def test_members_who_are_there_have_a_dot(chat: Chat, page: Page) -> None:
    """And lose it when they go; of very many nobody is named."""
    tell(chat, 7, 9)
    page.click("#members-button")
    expect(page.locator("#members li .who")).to_have_text(
        ["alice Admin, online", "bob Owner", "carol Member, online"]
    )
    expect(page.locator("#members li.here")).to_have_count(2)
    tell(chat, 7)
    expect(page.locator("#members li.here .who")).to_have_text(["alice Admin, online"])
    chat.tell({"action": "room_presence", "room": TEAM, "users": None, "count": 321})
    expect(page.locator("#members li.here")).to_have_count(0)
    expect(page.locator(LINE)).to_have_text("321 online")
    assert chat.errors == []


def test_a_direct_room_says_whether_the_other_is_there(chat: Chat) -> None:
    """Without a number: oneself is there anyway."""
    chat.rooms[TEAM]["kind"] = "direct"
    page = enter(chat.open(), "team")
    for users, words in (((7, 8), "online"), ((7,), ""), ((7, 8), "online")):
        tell(chat, *users)
        expect(page.locator(LINE)).to_have_text(words)
