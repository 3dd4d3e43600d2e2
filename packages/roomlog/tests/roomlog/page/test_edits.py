"""The chat page in a real browser: messages that are edited and deleted, by their author and by others."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import scroll
from tests.harness.scripted_chat import LOBBY, PHONE, TEAM, Chat, MakeChat, enter
from tests.harness.scripted_gateway import until

TEXTS = "#messages .text bdi"


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team": bob's question and two messages of alice's."""
    chat.store(TEAM, "which one?")
    chat.store(TEAM, "the red one", user=7)
    chat.store(TEAM, "I think", user=7)
    page = enter(chat.open(), "team")
    expect(page.locator(TEXTS)).to_have_text(["which one?", "the red one", "I think"])
    return page


def button(page: Page, text: str, label: str) -> None:
    """Press a button of the message with this text."""
    page.locator("#messages .message", has_text=text).get_by_role("button", name=label).click()


def writes(chat: Chat, action: str) -> list[dict[str, object]]:
    """Return what pages sent, without uuids."""
    return [
        {key: value for key, value in frame.items() if key not in ("uuid", "action")}
        for frame in chat.frames
        if frame["action"] == action
    ]


def test_an_own_message_is_edited(chat: Chat, page: Page) -> None:
    """The composer shows it, keeps the draft, and Enter saves; the row says when it was edited."""
    page.fill("#text", "half a thought")
    button(page, "the red one", "Edit message")
    expect(page.locator("#text")).to_have_value("the red one")
    expect(page.locator("#text")).to_be_focused()
    expect(page.locator("#editing")).to_be_visible()
    expect(page.locator("#send")).to_have_text("Save")
    expect(page.locator(".message.editing")).to_contain_text("the red one")
    page.fill("#text", "the blue one")
    page.press("#text", "Enter")
    expect(page.locator(TEXTS)).to_have_text(["which one?", "the blue one", "I think"])
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator("#editing")).to_be_hidden()
    mark = page.locator(".message", has_text="the blue one").locator(".edited")
    expect(mark).to_have_text("(edited)")
    at = page.evaluate("(time) => new Date(time).toLocaleString('en-US')", chat.events[TEAM][3]["edited_at"])
    expect(mark).to_have_attribute("title", at)
    expect(page.locator(".waiting, .editing, .note:not(.date)")).to_have_count(0)
    assert writes(chat, "edit_message") == [{"room": TEAM, "message": 2, "text": "the blue one"}]
    assert chat.errors == []


def test_arrow_up_edits_the_last_and_escape_cancels(chat: Chat, page: Page) -> None:
    """In an empty field only; nothing is sent for a text that did not change, nor for an empty one."""
    page.press("#text", "ArrowUp")
    expect(page.locator("#text")).to_have_value("I think")
    page.fill("#text", "I know")
    page.press("#text", "Escape")
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#editing")).to_be_hidden()
    page.press("#text", "ArrowUp")
    page.press("#text", "Enter")
    expect(page.locator("#editing")).to_be_hidden()
    page.press("#text", "ArrowUp")
    page.fill("#text", " ")
    page.press("#text", "Enter")
    expect(page.locator("#text-error")).to_contain_text("can't be empty")
    page.click("#cancel-edit")
    page.fill("#text", "a draft")
    page.press("#text", "ArrowUp")
    expect(page.locator("#text")).to_have_value("a draft")
    expect(page.locator("#editing")).to_be_hidden()
    assert writes(chat, "edit_message") == writes(chat, "new_message") == []


def test_an_edit_that_was_begun_is_not_lost(page: Page) -> None:
    """Neither by another room, nor by a reload, nor by a click on another message's button."""
    page.fill("#text", "half a thought")
    button(page, "the red one", "Edit message")
    page.fill("#text", "the blue")
    button(page, "I think", "Edit message")
    expect(page.locator("#notice")).to_contain_text("Save or cancel first")
    expect(page.locator("#text")).to_have_value("the blue")
    enter(page, "lobby")
    expect(page.locator("#editing")).to_be_hidden()
    expect(page.locator("#text")).to_have_value("")
    page.reload()
    enter(page, "team")
    expect(page.locator("#editing")).to_be_visible()
    expect(page.locator("#text")).to_have_value("the blue")
    page.press("#text", "Escape")
    expect(page.locator("#text")).to_have_value("half a thought")


def test_an_own_message_is_deleted_after_a_question(chat: Chat, page: Page) -> None:
    """Cancel and Escape delete nothing; deleted it keeps its place and nothing more can be done to it."""
    dialog = page.locator("#delete-dialog")
    button(page, "the red one", "Delete message")
    expect(dialog).to_contain_text("the red one")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    button(page, "the red one", "Delete message")
    dialog.get_by_role("button", name="Cancel").click()
    assert writes(chat, "delete_message") == []
    button(page, "the red one", "Delete message")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(TEXTS)).to_have_text(["which one?", "Message deleted", "I think"])
    expect(page.locator(".message", has_text="Message deleted").locator(".actions")).to_have_count(0)
    expect(page.locator("#messages")).to_be_focused()
    assert writes(chat, "delete_message") == [{"room": TEAM, "message": 2}]
    page.reload()
    expect(page.locator(TEXTS)).to_have_text(["which one?", "Message deleted", "I think"])
    assert "the red one" not in page.content()


def test_the_keyboard_reaches_every_button(page: Page) -> None:
    """One row's are in the Tab order; arrows go from row to row, Enter presses."""
    page.focus("#messages")
    for _ in range(3):
        page.keyboard.press("Tab")
    last = page.locator(".message", has_text="I think")
    expect(last.get_by_role("button", name="Edit message")).to_be_focused()
    page.keyboard.press("ArrowUp")
    second = page.locator(".message", has_text="the red one")
    expect(second.get_by_role("button", name="Edit message")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    theirs = page.locator(".message", has_text="which one?")
    expect(theirs.get_by_role("button")).to_have_count(5)
    expect(theirs.get_by_role("button", name="Delete message")).to_be_focused()
    expect(theirs.get_by_role("button").last).to_have_accessible_description("which one?")
    page.keyboard.press("End")
    expect(last.get_by_role("button", name="Delete message")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#delete-dialog")).to_contain_text("I think")


def test_others_see_it_and_nothing_else_moves(chat: Chat, page: Page) -> None:
    """Only the row of the message changes: selection, focus and the nodes of the others stay."""
    page.evaluate(
        "() => { window.rows = [...document.querySelectorAll('[data-seq]')];"
        " getSelection().selectAllChildren(rows[1].querySelector('.text')); }"
    )
    page.focus(".room:has-text('lobby')")
    chat.tell(chat.edit(TEAM, 1, "which colour?"))
    expect(page.locator(TEXTS).first).to_have_text("which colour?")
    chat.tell(chat.delete(TEAM, 1))
    expect(page.locator(TEXTS)).to_have_text(["Message deleted", "the red one", "I think"])
    expect(page.locator(".edited")).to_have_count(0)
    assert page.evaluate("() => rows.every((row) => row.isConnected)")
    assert page.evaluate("() => getSelection().toString().trim()") == "the red one"
    assert page.evaluate("document.activeElement.textContent").startswith("lobby")


def test_who_may_not_delete_others_messages_is_told_once(chat: Chat, page: Page) -> None:
    """The server knows the roles: its refusal is told, and the button is offered no more in that room."""
    chat.refuses = ("forbidden", "Your role does not allow this.")
    button(page, "which one?", "Delete message")
    page.click("#delete-dialog .primary")
    expect(page.locator("#notice")).to_have_text(
        "The message was not deleted: Your role does not allow this."
    )
    theirs = page.locator(".message", has_text="which one?")
    expect(theirs.get_by_role("button", name="Delete message")).to_have_count(0)
    expect(page.locator("#messages [data-does=delete]")).to_have_count(2)
    expect(page.locator(".waiting")).to_have_count(0)


def test_a_deletion_that_came_second_is_no_trouble(chat: Chat, page: Page) -> None:
    """Somebody else has deleted the message: that is what was wanted."""
    chat.refuses = ("not_found", "There is no such message in this room.")
    button(page, "the red one", "Delete message")
    page.click("#delete-dialog .primary")
    expect(page.locator(".going")).to_have_count(0)
    chat.tell(chat.delete(TEAM, 2))
    expect(page.locator(TEXTS)).to_have_text(["which one?", "Message deleted", "I think"])
    expect(page.locator("#notice")).to_be_hidden()


def test_in_a_direct_room_only_ones_own(chat: Chat) -> None:
    """And in an archived one nothing at all can be changed."""
    chat.rooms[LOBBY]["kind"] = "direct"
    chat.store(LOBBY, "theirs")
    chat.store(LOBBY, "mine", user=7)
    page = enter(chat.open(), "lobby")
    expect(page.locator("#messages [data-does=delete]")).to_have_count(1)
    expect(page.locator(".own .actions button")).to_have_count(6)
    chat.change(LOBBY, "archive_room", archived=True)
    expect(page.locator(".actions button:not([data-does=link], [data-does=report])")).to_have_count(0)
    page.press("#text", "ArrowUp")
    expect(page.locator("#editing")).to_be_hidden()


def test_a_refused_edit_stays_with_its_text(chat: Chat, page: Page) -> None:
    """Over a reload too; the message has its old text, and the edit can be sent again."""
    chat.refuses = ("muted", "You are muted in this room.")
    page.press("#text", "ArrowUp")
    page.fill("#text", "I know")
    page.press("#text", "Enter")
    expect(page.locator(".refused .fate")).to_contain_text("Edit not saved: You are muted in this room.")
    page.reload()
    expect(page.locator(TEXTS)).to_have_text(["which one?", "the red one", "I think", "I know"])
    chat.refuses = None
    page.click("text=Send again")
    expect(page.locator(TEXTS)).to_have_text(["which one?", "the red one", "I know"])
    assert [one["message"] for one in writes(chat, "edit_message")] == [3, 3]


def test_what_waits_is_shown_in_its_row(chat: Chat, page: Page) -> None:
    """The new text and what it waits for, over a reload too; the answer ends it."""
    chat.is_silent = True
    page.press("#text", "ArrowUp")
    page.fill("#text", "I know")
    page.press("#text", "Enter")
    button(page, "the red one", "Delete message")
    page.click("#delete-dialog .primary")
    for _ in range(2):
        expect(page.locator(".waiting .text bdi")).to_have_text(["the red one", "I know"])
        expect(page.locator(".waiting .fate")).to_have_text(["Sending…", "Sending…"])
        expect(page.locator(".going .actions")).to_have_count(0)
        expect(page.locator("#log-out-button")).to_have_text("Log out (2 unsent)")
        page.reload()
    chat.is_silent = False
    chat.close(1012)
    expect(page.locator(TEXTS)).to_have_text(["which one?", "Message deleted", "I know"])
    expect(page.locator(".waiting")).to_have_count(0)


def test_an_older_answer_brings_no_old_text_back(chat: Chat) -> None:
    """History that was read before an edit and a deletion arrives after them: both count, and stay."""
    chat.add_room(LOBBY, "lobby", messages=24)
    page = enter(chat.open(), "lobby")
    expect(page.locator("[data-seq]")).to_have_count(20)
    held = chat.held = []
    page.locator("#messages").dispatch_event("wheel", {"deltaY": -10})  # it is at the top already
    until(page, lambda: held)
    chat.tell(chat.edit(LOBBY, 2, "edited two"))
    chat.tell(chat.delete(LOBBY, 3))
    chat.say(LOBBY, "after it")
    expect(page.locator(TEXTS).last).to_have_text("after it")
    chat.tell(held[0])
    first = ["lobby 1", "edited two", "Message deleted", "lobby 4", "lobby 5"]
    expect(page.locator("[data-seq]")).to_have_count(25)
    assert page.locator(TEXTS).all_inner_texts()[:5] == first
    assert chat.errors == []


def test_a_newer_answer_is_not_undone_by_the_events_before_it(chat: Chat) -> None:
    """The answer knows the second edit: the first one, heard after it, changes nothing."""
    chat.add_room(LOBBY, "lobby", messages=24)
    page = enter(chat.open(), "lobby")
    first, second = chat.edit(LOBBY, 2, "once"), chat.edit(LOBBY, 2, "twice")
    scroll(page, 0)
    expect(page.locator(TEXTS).nth(1)).to_have_text("twice")
    chat.tell(first)
    chat.say(TEAM, "it has arrived")
    expect(page.locator(".room:has-text('team') .unread")).to_have_text("1")
    expect(page.locator(TEXTS).nth(1)).to_have_text("twice")
    chat.tell(second)
    chat.tell(chat.edit(LOBBY, 2, "thrice"))
    expect(page.locator(TEXTS).nth(1)).to_have_text("thrice")


def test_what_is_gone_is_not_unread(chat: Chat) -> None:
    """Deleted before it was read it counts no more, whoever counted it; an edit is nothing new."""
    for text in ("one", "two", "three"):
        chat.store(LOBBY, text)
    chat.store(LOBBY, "mine", user=7)
    page = chat.open()
    badge = page.locator(".room:has-text('lobby') .unread")
    expect(badge).to_have_text("3")
    chat.say(LOBBY, "four")
    chat.say(LOBBY, "mine again", user=7)
    expect(badge).to_have_text("4")
    chat.tell(chat.delete(LOBBY, 1))
    expect(badge).to_have_text("3")
    chat.tell(chat.delete(LOBBY, 5))
    expect(badge).to_have_text("2")
    chat.tell(chat.edit(LOBBY, 2, "two, better"))
    for own in (4, 6):
        chat.tell(chat.delete(LOBBY, own, user=7))
    chat.say(TEAM, "all of it has arrived")
    expect(page.locator("#messages .text")).to_have_text("all of it has arrived")
    expect(badge).to_have_text("2")
    page.reload()
    expect(badge).to_have_text("2")


def test_a_count_that_is_older_than_a_deletion_is_put_right(chat: Chat) -> None:
    """A notice of the read mark may be made before the deletion that the page has heard."""
    for text in ("one", "two", "three"):
        chat.store(LOBBY, text)
    page = chat.open()
    late = {"action": "room_marked", "room": chat.summary(LOBBY)}
    chat.tell(chat.delete(LOBBY, 2))
    chat.tell(late)
    chat.say(TEAM, "all of it has arrived")
    expect(page.locator("#messages .text")).to_have_text("all of it has arrived")
    expect(page.locator(".room:has-text('lobby') .unread")).to_have_text("2")


def test_an_edit_of_what_is_gone_keeps_its_text(chat: Chat, page: Page) -> None:
    """A message that is gone meanwhile: the text that was written for it stays."""
    page.press("#text", "ArrowUp")
    page.fill("#text", "I know")
    chat.tell(chat.delete(TEAM, 3))
    expect(page.locator(TEXTS).last).to_have_text("Message deleted")
    chat.refuses = ("not_found", "It does not exist.")
    page.press("#text", "Enter")
    expect(page.locator(".refused .text")).to_have_text("I know")
    expect(page.locator(".refused .fate")).to_contain_text("Edit not saved: It does not exist.")


CHANGES = """async () => {
  const { changed, Changes } = await import("/static/roomlog/changes.js");
  const edit = (seq, message, text) => {
    return { action: "edit_message", seq, message: { seq: message }, text, edited_at: seq };
  };
  const row = (seq) => ({ seq, text: `old ${seq}`, edited_at: null, deleted: false });
  const changes = new Changes();
  changes.heard(edit(2001, 1, "new"));
  changes.heard(edit(2002, 1, ""));
  const [one] = changes.caughtUp([row(1)], 1000);
  for (let seq = 2; seq <= 501; seq++) changes.heard(edit(3000 + seq, seq, "new"));
  const texts = (asOf) => changes.caughtUp([row(1), row(501)], asOf)?.map(({ text }) => text) ?? null;
  return [changed(row(7), edit(8, 7, "")).text, one.text, one.edited_at, texts(2001), texts(2002)];
}"""


def test_what_was_heard_has_a_bound(page: Page) -> None:
    """500 messages; an answer that needs what is forgotten is not used. An empty text is a deletion's."""
    assert page.evaluate(CHANGES) == ["", "", None, None, ["old 1", "new"]]


def test_back_on_a_phone_answers_the_question_with_no(make_chat: MakeChat) -> None:
    """It leads from the question to its room, and nothing is deleted."""
    chat = make_chat(PHONE)
    chat.store(TEAM, "mine", user=7)
    page = enter(chat.open(), "team")
    button(page, "mine", "Delete message")
    expect(page.locator("#delete-dialog")).to_be_visible()
    page.go_back()
    expect(page.locator("#delete-dialog")).to_be_hidden()
    expect(page.locator("#room-name")).to_be_visible()
    assert writes(chat, "delete_message") == []
