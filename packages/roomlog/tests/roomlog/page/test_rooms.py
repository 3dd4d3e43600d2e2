"""The chat page in a real browser: a room is renamed and left."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter

ALICE = {"id": 7, "username": "alice"}


@pytest.fixture
def page(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A tab with the room "team", whose admin is alice; rooms can be renamed and left."""

    def rename(frame: dict[str, Any]) -> None:
        facts = {"action": "rename_room", "uuid": frame["uuid"], "user": ALICE, "name": frame["name"]}
        chat.tell(chat._keep(frame["room"], facts))

    def leave(frame: dict[str, Any]) -> None:
        if chat.refuses:
            chat._write(frame)
            return
        facts = {"action": "leave_room", "uuid": frame["uuid"], "user": ALICE}
        chat.tell(chat._keep(frame["room"], facts | {"member": ALICE | {"role": "admin"}}))
        del chat.rooms[frame["room"]]
        chat.tell({"action": "room_left", "room": frame["room"]})

    def set_topic(frame: dict[str, Any]) -> None:
        facts = {"action": "set_topic", "uuid": frame["uuid"], "user": ALICE, "topic": frame["topic"]}
        chat.tell(chat._keep(frame["room"], facts))

    monkeypatch.setattr(chat, "_set_topic", set_topic, raising=False)
    monkeypatch.setattr(chat, "_rename_room", rename, raising=False)
    monkeypatch.setattr(chat, "_leave_room", leave, raising=False)
    chat.join(TEAM, "admin", "member")
    chat.join(LOBBY, "member", "admin")
    return enter(chat.open(), "team")


def test_an_admin_renames_a_room(chat: Chat, page: Page) -> None:
    """By keyboard; members are offered to leave only, and in a direct room nothing of this."""
    page.locator("#room-button").press("Enter")
    field = page.get_by_label("Name", exact=True).locator("visible=true")
    expect(field).to_have_value("team")
    field.fill(" tea ")
    field.press("Enter")
    expect(page.locator("#room-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_have_text("tea")
    expect(page.locator("#rooms")).to_contain_text("tea")
    expect(page.locator("#messages .note").last).to_have_text("alice renamed the room tea")
    enter(page, "lobby")
    page.click("#room-button")
    expect(page.locator("#new-name")).to_be_hidden()
    expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
    page.keyboard.press("Escape")
    chat.rooms[LOBBY]["kind"] = "direct"
    page.wait_for_function("() => !history.state?.dialog")
    page.reload()
    enter(page, "lobby")
    page.click("#room-button")
    expect(page.locator("#new-name")).to_be_hidden()
    expect(page.locator("#rename details")).to_be_hidden()
    assert chat.errors == []


def test_an_admin_says_what_a_room_is_about(chat: Chat, page: Page) -> None:
    """All see it under the room's name and in the log; an empty one goes away. The name stays."""
    topic = page.locator("#room-topic")
    expect(topic).to_be_hidden()
    for typed, note in (
        ("<b>Tea</b> & cake", "alice set the topic: <b>Tea</b> & cake"),
        ("", "alice removed the topic"),
    ):
        page.click("#room-button")
        page.get_by_label("Topic").fill(typed)
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#room-dialog")).to_be_hidden()
        expect(page.locator("#messages .note").last).to_have_text(note)
        expect(topic).to_have_text(typed)
        expect(topic).to_be_visible(visible=bool(typed))
    assert not [one for one in chat.events[TEAM] if one["action"] == "rename_room"]
    chat.rooms[LOBBY]["topic"] = "as it was told"
    page.reload()
    enter(page, "lobby")
    expect(topic).to_have_text("as it was told")
    page.click("#room-button")
    expect(page.locator("#new-topic")).to_be_hidden()
    assert chat.errors == []


def test_a_room_is_left_after_a_second_thought(chat: Chat, page: Page) -> None:
    """A refusal is told in the dialog; what was typed stays to be copied."""
    page.fill("#text", "half a thought")
    page.click("#room-button")
    leave = page.get_by_role("button", name="Leave", exact=True)
    expect(leave).to_be_hidden()
    page.click("#room-dialog summary")
    chat.refuses = ("archived", "The room is archived.")
    leave.click()
    expect(page.locator("#room-dialog .wrong")).to_have_text("The room is archived.")
    chat.refuses = None
    leave.click()
    expect(page.locator("#room-dialog")).to_be_hidden()
    expect(page.locator("#closed")).to_contain_text("You left this room.")
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator("#room-button")).to_be_hidden()
    assert chat.errors == []


def test_an_empty_place_says_so(chat: Chat) -> None:
    """A room without messages, and a list without rooms."""
    quiet = "c" * 32
    chat.add_room(quiet, "quiet")
    page = enter(chat.open(), "quiet")
    expect(page.locator("#messages")).to_have_text("No messages yet.")
    chat.say(quiet, "first")
    expect(page.locator("#messages .text")).to_have_text("first")
    expect(page.locator("#messages")).not_to_contain_text("No messages yet.")
    for room in list(chat.rooms):
        chat.remove(room)
    page.reload()
    expect(page.locator("#rooms")).to_have_text("You are not in any room yet.")
