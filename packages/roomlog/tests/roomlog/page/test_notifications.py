"""The chat page in a real browser: what tells of new messages while nobody looks."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until

FAKE = """
window.told = []; window.asked = 0; document.hasFocus = () => !window.isAway;
window.Notification = class extends EventTarget {
  static permission = "default";
  static async requestPermission() {
    window.asked += 1;
    return (this.permission = localStorage.getItem("answer") ?? "granted");
  }
  constructor(title, options) {
    super();
    Object.assign(this, { title, options });
    window.told.push(this);
  }
  close() {}
};
"""


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", before a browser whose user agrees to notifications."""
    chat.context.add_init_script(FAKE)
    return enter(chat.open(), "team")


def told(page: Page) -> list[Any]:
    """Return title and text of each notification, and whether it is silent."""
    found: list[Any] = page.evaluate(
        "told.map(({ title, options }) => [title, options.body, options.silent])"
    )
    return found


def test_title_and_icon_say_that_something_is_unread(chat: Chat, page: Page) -> None:
    """Until it is read."""
    icon = page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", "/static/roomlog/icon.svg")
    chat.say(LOBBY, "hello")
    expect(page).to_have_title("(1) Roomlog")
    assert str(icon.get_attribute("href")).endswith("/static/roomlog/icon_unread.svg")
    enter(page, "lobby")
    expect(page).to_have_title("Roomlog")
    assert str(icon.get_attribute("href")).endswith("/static/roomlog/icon.svg")
    assert chat.errors == []


def test_nobody_is_asked_and_nothing_told_unless_they_wish(chat: Chat, page: Page) -> None:
    """Off by default; the bell asks, and takes it back."""
    page.evaluate("window.isAway = true")
    chat.say(LOBBY, "one")
    expect(page).to_have_title("(1) Roomlog")
    bell = page.get_by_role("button", name="Notify me of new messages")
    expect(bell).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("[asked, told.length]") == [0, 0]
    bell.press("Enter")
    expect(bell).to_have_attribute("aria-pressed", "true")
    chat.say(LOBBY, "two\nlines")
    until(page, lambda: told(page))
    assert told(page) == [["\u2068bob\u2069 in \u2068lobby\u2069", "two", True]]
    chat.say(LOBBY, "my own", user=7)
    page.evaluate("window.isAway = false")
    chat.say(LOBBY, "seen")
    expect(page).to_have_title("(3) Roomlog")
    page.evaluate("window.isAway = true")
    bell.click()
    expect(bell).to_have_attribute("aria-pressed", "false")
    chat.say(LOBBY, "three")
    expect(page).to_have_title("(4) Roomlog")
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.evaluate("[asked, told.length]") == [1, 1]
    assert chat.errors == []


def test_a_notification_leads_to_its_message(chat: Chat, page: Page) -> None:
    """In its room, whichever is shown."""
    page.click("#notify")
    page.evaluate("window.isAway = true")
    chat.say(LOBBY, "one")
    until(page, lambda: told(page))
    page.evaluate("told[0].dispatchEvent(new Event('click'))")
    expect(page.locator("#room-name")).to_have_text("lobby")
    expect(page.locator('#messages [data-seq="1"]')).to_be_focused()


def test_notifications_sound_only_by_another_click(chat: Chat, page: Page) -> None:
    """The choice is there with them alone, is kept in this browser and taken back."""
    sound = page.get_by_role("button", name="Sound with notifications")
    expect(sound).to_be_hidden()
    page.click("#notify")
    expect(sound).to_have_attribute("aria-pressed", "false")
    for number, is_loud in enumerate((True, False), 1):
        sound.press("Enter")
        expect(sound).to_have_attribute("aria-pressed", str(is_loud).lower())
        page.evaluate("window.isAway = true")
        chat.say(LOBBY, f"news {number}")
        until(page, lambda: len(told(page)) == number)  # noqa: B023 - asked at once
        assert told(page)[-1][2] is not is_loud
    assert chat.errors == []


def test_a_room_tells_of_what_its_level_wants(chat: Chat, page: Page) -> None:
    """Set in the room's head, and by another device; title, notifications and badges go by it."""
    page.click("#notify")
    page.get_by_role("button", name="Notifications of this room").click()
    page.get_by_label("Tell me of").select_option("Mentions only")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#level-dialog")).to_be_hidden()
    assert chat.rooms[TEAM]["notify"] == "mentions"
    enter(page, "lobby")
    page.evaluate("window.isAway = true")
    chat.say(TEAM, "for everybody")
    badges = page.locator(".room:has-text('team') span:not([hidden])")
    expect(badges).to_have_text("1")
    expect(badges).to_have_class("unread quiet")
    expect(page).to_have_title("Roomlog")
    chat.tell(chat.store(TEAM, "@alice", mentions=[7]))
    expect(page).to_have_title("(1) Roomlog")
    expect(badges).to_have_text(["@1", "2"])
    until(page, lambda: told(page))
    assert [text for _, text, _ in told(page)] == ["@alice"]
    chat.rooms[TEAM]["notify"] = "none"
    chat.tell({"action": "room_marked", "room": chat.summary(TEAM)})
    expect(page).to_have_title("Roomlog")
    expect(badges).to_have_text("2")
    chat.tell(chat.store(TEAM, "@alice again", mentions=[7]))
    expect(badges).to_have_text("3")
    assert len(told(page)) == 1
    assert chat.errors == []


def test_a_browser_that_refuses_is_told_of(chat: Chat, page: Page) -> None:
    """And the bell stays off."""
    page.evaluate("localStorage.setItem('answer', 'denied')")
    page.click("#notify")
    expect(page.locator("#notice")).to_contain_text("does not allow notifications")
    expect(page.locator("#notify")).to_have_attribute("aria-pressed", "false")
    chat.say(TEAM, "hello")
    expect(page.locator("#messages .message")).to_have_count(1)
    assert told(page) == []
