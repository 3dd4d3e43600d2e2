"""The chat page in a real browser: people are found by name, and direct rooms are called by them."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.accessibility import violations
from tests.harness.scripted_chat import LOBBY, MADE, TEAM, Chat, enter

PICTURE = "/static/roomlog/icon.svg"


@pytest.fixture
def page(chat: Chat, page: Page) -> Page:
    """A tab with the room "team"; three people have names that begin alike, two of them the same."""
    chat.names |= {21: "Carla", 22: "Carl, the elder", 23: "Carl", 24: "Carl"}
    enter(page, "team")
    return page


def sent(chat: Chat, action: str) -> list[dict[str, Any]]:
    """Return what was asked for by commands of this action."""
    return [{**frame, "uuid": ""} for frame in chat.frames if frame["action"] == action]


def answer_direct_rooms(chat: Chat, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let alice make a direct room, and the api say that it is with bob, and nothing of other rooms."""

    def make(frame: dict[str, Any]) -> None:
        chat.add_room(MADE, "")
        chat.rooms[MADE]["kind"] = frame["kind"]
        alice = {"id": 7, "username": "alice"}
        chat.tell(chat._keep(MADE, {"action": "create_room", "uuid": frame["uuid"], "user": alice}))
        chat.tell({"action": "room_joined", "room": chat.summary(MADE)})

    bob = {"room": MADE, "id": 8, "username": "bob", "avatar": PICTURE}
    monkeypatch.setattr(chat, "_create_room", make, raising=False)
    page.route("**/api/v1/rooms/direct/?*", lambda route: route.fulfill(json=[bob]))


def options(page: Page) -> Locator:
    """Return the people of the open list."""
    return page.get_by_role("option")


def test_somebody_is_found_by_keyboard_and_invited(chat: Chat, page: Page) -> None:
    """Who has the same name as another is told apart; Escape closes the list first, and then the dialog."""
    chat.join(TEAM, "owner", "member")
    page.locator("#invite-button").press("Enter")
    field = page.get_by_role("combobox", name="Name")
    expect(field).to_be_focused()
    field.press_sequentially("Carl")
    expect(options(page)).to_have_text(["Carla", "Carl, the elder", "Carl #23", "Carl #24"])
    expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("People found: 4")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert violations(page) == []
    field.press("Escape")
    expect(page.get_by_role("listbox", name="People")).to_be_hidden()
    expect(page.get_by_role("dialog", name="Invite somebody")).to_be_visible()
    field.press("Enter")
    expect(page.locator("#invite .wrong")).to_contain_text("Several people are called")
    field.press("Backspace")
    field.press("l")
    expect(options(page)).to_have_count(4)
    field.press("ArrowUp")
    expect(options(page).last).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", "person-found-24")
    field.press("Enter")
    expect(field).to_have_value("Carl")
    expect(options(page)).to_have_count(0)
    field.press("Enter")
    expect(page.locator("#invite-dialog")).to_be_hidden()
    assert sent(chat, "invite_user") == [{"uuid": "", "action": "invite_user", "room": TEAM, "user": 24}]
    assert chat.errors == []


@pytest.mark.parametrize(("typed", "user"), [("bob", 8), ("4711", 4711)])
def test_an_exact_name_or_an_id_is_enough(chat: Chat, page: Page, typed: str, user: int) -> None:
    """Without a look at the list, and for whom the search may not show."""
    page.click("#invite-button")
    page.get_by_role("combobox", name="Name").fill(typed)
    chat.names[4711] = "who was not found"
    page.get_by_role("button", name="Invite", exact=True).last.click()
    expect(page.locator("#invite-dialog")).to_be_hidden()
    assert [frame["user"] for frame in sent(chat, "invite_user")] == [user]


def test_a_room_is_made_with_several_people(chat: Chat, page: Page) -> None:
    """Chosen by mouse, commas in their names or not, taken away again, or typed."""
    page.get_by_role("button", name="New room").click()
    page.get_by_label("Name", exact=True).locator("visible=true").fill("plans")
    field = page.get_by_role("combobox", name="People")
    for name in ("Carl, the elder", "Carla"):
        field.press_sequentially("Carl")
        options(page).get_by_text(name, exact=True).click()
        expect(field).to_have_value("")
    expect(page.locator(".chosen li")).to_have_count(2)
    page.get_by_role("button", name="Take \u2068Carla\u2069 away").click()
    field.fill("bob")
    page.get_by_role("button", name="Make room").click()
    expect(page.locator("#new-room-dialog")).to_be_hidden()
    assert [frame["members"] for frame in sent(chat, "create_room")] == [[22, 8]]
    page.get_by_role("button", name="New room").click()
    expect(page.locator(".chosen li")).to_have_count(0)
    assert chat.errors == []


def test_a_direct_room_carries_the_others_name_and_picture(
    chat: Chat, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun by a search; in the list of rooms and above the messages. One without another says what it is."""
    answer_direct_rooms(chat, page, monkeypatch)
    page.get_by_role("button", name="New direct chat").click()
    page.get_by_role("combobox", name="Name").press_sequentially("bo")
    expect(options(page)).to_have_text(["bob"])
    for key in ("ArrowDown", "Enter", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#new-direct-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_have_text("bob")
    made = {"uuid": "", "action": "create_room", "kind": "direct", "members": [8]}
    assert sent(chat, "create_room") == [made]
    chat.rooms[LOBBY] |= {"kind": "direct", "name": ""}
    page.reload()
    expect(page.locator("#rooms .room-title")).to_have_text(["team", "Direct chat", "bob"])
    expect(page.locator("#rooms .avatar img")).to_have_attribute("src", PICTURE)
    expect(page.locator("#room-picture .avatar img")).to_have_attribute("src", PICTURE)
    enter(page, "team")
    expect(page.locator("#room-picture .avatar")).to_have_count(0)
    assert chat.errors == []
