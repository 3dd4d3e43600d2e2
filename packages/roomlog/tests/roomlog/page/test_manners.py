"""The chat page in a real browser: dialogs, the Back button, names that turn text around, a lost network."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import reload
from tests.harness.scripted_chat import MADE, PHONE, TEAM, Chat, MakeChat, enter
from tests.harness.waiting import wait_until

OVERRIDE = "\u202e"
HOSTILE = [f"{OVERRIDE}evil", "\u2069\u202eevil", "\u2067evil"]
IS_BEFORE = """([one, other]) => {
  const [left, right] = [one, other].map((name) => document.querySelector(name).getBoundingClientRect());
  return left.right <= right.left + 1;
}"""
GLYPHS_TURNED = """(name) => {
  const text = document.querySelector(name).firstChild;
  const range = document.createRange();
  const at = (place) => {
    range.setStart(text, place);
    range.setEnd(text, place + 1);
    return range.getBoundingClientRect().left;
  };
  return at(0) > at(text.length - 1);
}"""
SIZES = """() => [...document.querySelectorAll("input:not([type=hidden]), select, textarea")]
  .map((field) => parseFloat(getComputedStyle(field).fontSize))"""
TOUCHED = """const query = window.matchMedia;
window.matchMedia = (asked) => (asked.includes("coarse") ? { matches: true } : query.call(window, asked));"""
HOLD_BACK = """() => {
  history.back = () => { window.goBack = () => History.prototype.back.call(history); };
}"""


def test_a_dialogs_mistakes_stand_in_it(page: Page) -> None:
    """Visible in front, gone at the next opening and in the next dialog."""
    page.click("[data-opens=new-room-dialog]")
    page.fill("#new-room [name=name]", "plans")
    page.fill("#new-room [name=people]", "nobody")
    page.click("#new-room .primary")
    expect(page.locator("#new-room .wrong")).to_contain_text("Nobody called \u2068nobody\u2069 can be found")
    expect(page.locator("#notice")).to_be_hidden()
    page.click("#new-room [data-closes]")
    page.click("[data-opens=invite-dialog]")
    expect(page.locator("#invite .wrong")).to_be_hidden()
    page.keyboard.press("Escape")
    page.click("[data-opens=new-room-dialog]")
    expect(page.locator("#new-room .wrong")).to_be_hidden()
    expect(page.locator("#new-room [name=name]")).to_have_value("plans")


def test_a_refused_command_is_told_in_its_dialog(chat: Chat, page: Page) -> None:
    """The server's sentence too: what was typed is still there."""
    chat.refuses = ("bad_value", "This person is a member already.")
    page.click("[data-opens=invite-dialog]")
    page.fill("#person", "bob")
    page.click("#invite .primary")
    expect(page.locator("#invite .wrong")).to_have_text("This person is a member already.")
    expect(page.locator("#person")).to_have_value("bob")


def test_without_a_connection_a_dialog_says_so(chat: Chat, page: Page) -> None:
    """Nothing waits behind a closed dialog."""
    page.click("[data-opens=new-room-dialog]")
    page.fill("#new-room [name=name]", "plans")
    chat.is_down = True
    chat.context.set_offline(True)
    page.click("#new-room .primary")
    expect(page.locator("#new-room .wrong")).to_contain_text("no connection right now")


def test_back_on_a_phone_leads_to_the_rooms(make_chat: MakeChat) -> None:
    """From a dialog to its room, from the room to the list; the page stays, and Forward leads back."""
    page = make_chat(PHONE).open()
    enter(page, "team")
    page.click("#invite-button")
    page.go_back()
    expect(page.locator("#invite-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_be_visible()
    page.go_back()
    expect(page.locator("#rooms")).to_be_visible()
    expect(page.locator(".talk")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#room-name")).to_have_text("team")
    page.click("#back")
    expect(page.locator("#rooms")).to_be_visible()


def test_back_still_works_after_a_reload_and_a_dialog(make_chat: MakeChat) -> None:
    """A dialog that was closed by hand leaves no step behind; a reload shows the same room."""
    page = make_chat(PHONE).open()
    enter(page, "team")
    page.click("#invite-button")
    page.click("#invite [data-closes]")
    reload(page)
    expect(page.locator("#room-name")).to_have_text("team")
    page.go_back()
    expect(page.locator("#rooms")).to_be_visible()


def test_a_room_that_comes_while_its_dialog_closes_stays(chat: Chat, page: Page) -> None:
    """The browser takes a dialog's step back a moment after its close: what was chosen meanwhile is kept."""
    page.click("[data-opens=new-room-dialog]")
    page.fill("#new-room [name=name]", "plans")
    page.evaluate(HOLD_BACK)
    page.click("#new-room .primary")
    wait_until(lambda: page.evaluate("Boolean(window.goBack)"), 10, "the dialog is closed")
    chat.tell({"action": "room_joined", "room": chat.rooms[MADE] | {"seq": 1, "unread": 0}})
    expect(page.locator("#room-name")).to_have_text("plans")
    page.evaluate("window.goBack()")
    wait_until(lambda: page.evaluate("history.state?.room") == MADE, 10, "the step is taken back")
    expect(page.locator("#room-name")).to_have_text("plans")
    page.reload()
    expect(page.locator("#room-name")).to_have_text("plans")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_turns_nothing_around(chat: Chat, name: str) -> None:
    """Controls of direction in names change neither their neighbours nor the name itself."""
    chat.names[8] = name
    chat.rooms[TEAM]["name"] = f"{name} room"
    chat.say(TEAM, "hello")
    page = enter(chat.open(), "evil room")
    expect(page.locator(".author .name")).to_have_text("evil")
    assert page.evaluate(IS_BEFORE, [".author .name", ".author time"])
    for place in (".author .name", "#room-name", ".room-title"):
        assert not page.evaluate(GLYPHS_TURNED, place), place
    chat.remove(TEAM)
    expect(page.locator(".note:not(.date)")).to_have_text("evil removed alice")
    assert page.evaluate(IS_BEFORE, [".note bdi:first-child", ".note bdi:last-child"])
    assert OVERRIDE not in page.locator("#closed").inner_text() + page.title()


def test_a_text_turns_around_itself_alone(chat: Chat) -> None:
    """A message is kept as it was written, inside an element that isolates it."""
    texts = [f"{OVERRIDE}txet", "\u2069\u202etxet", "<b>\u2067txet"]
    for text in texts:
        chat.store(TEAM, text)["message"]["edited_at"] = 1
    page = enter(chat.open(), "team")
    expect(page.locator(".text bdi")).to_have_text(texts)
    style = page.evaluate("getComputedStyle(document.querySelector('.text bdi')).unicodeBidi")
    assert "isolate" in style
    shown = page.evaluate("getComputedStyle(document.querySelector('.text .edited')).display")
    assert shown == "block"


def test_trouble_is_shown_where_it_is(chat: Chat, page: Page) -> None:
    """`degraded` may name rooms; `offline` is believed, and a click need not wait for the pause."""
    enter(page, "team")
    chat.tell({"action": "degraded", "since_ms": 0, "rooms": [TEAM]})
    expect(page.locator("#state")).to_have_text("Degraded: messages wait")
    enter(page, "lobby")
    expect(page.locator("#state")).to_have_text("Online")
    chat.tell({"action": "degraded", "since_ms": 0})
    expect(page.locator("#state")).to_have_text("Degraded: messages wait")
    chat.tell({"action": "recovered", "since_ms": 0})
    expect(page.locator("#state")).to_have_text("Online")
    chat.is_down = True
    chat.context.set_offline(True)
    expect(page.locator("#state")).to_have_text("Connection lost, trying again…")
    expect(page.locator("#retry")).to_be_visible()
    page.evaluate("Math.random = () => 1")
    chat.is_down = False
    chat.context.set_offline(False)
    expect(page.locator("#state")).to_have_text("Online")
    chat.close(1013)
    page.click("#retry")
    expect(page.locator("#state")).to_have_text("Online")


def test_no_field_makes_a_phone_zoom_in(make_chat: MakeChat) -> None:
    """Browsers do so for fields with letters below 16 px: the composer, and each field of the dialogs."""
    page = enter(make_chat(PHONE).open(), "team")
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 5
    assert min(sizes) >= 16


def test_enter_makes_a_newline_under_fingers(make_chat: MakeChat) -> None:
    """The button sends; with a keyboard before it Enter does, as everywhere else."""
    chat = make_chat(PHONE)
    chat.context.add_init_script(TOUCHED)
    page = enter(chat.open(), "team")
    page.locator("#text").press_sequentially("one\ntwo")
    expect(page.locator("#text")).to_have_value("one\ntwo")
    assert chat.sent() == []
    page.click("#send")
    expect(page.locator("#messages .text")).to_have_text("one\ntwo")
    assert chat.errors == []
