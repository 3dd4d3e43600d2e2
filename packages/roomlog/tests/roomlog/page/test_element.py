"""<roomlog-chat> in a page of a project's own, in a real browser: one room, and nothing of it leaks."""

import re
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import FACTS, MADE, TEAM, Chat
from tests.harness.waiting import wait_until

AROUND = """<!doctype html><title>Order 7</title><h1 id="room-name">Order 7</h1>
<form><input id="text" value="theirs"><button id="send">Pay</button></form>{}"""
LOOK = """() => {
  const nodes = [document.body, document.getElementById("send")];
  const [page, button] = nodes.map((node) => getComputedStyle(node));
  return [page.margin, page.height, page.backgroundColor, button.borderRadius, button.padding];
}"""


def order_page(chat: Chat, room: str | None = TEAM) -> Page:
    """Return a tab with a page of the project's that has ids of its own, and the element in it."""
    element = render_to_string("roomlog/element.html", FACTS | {"room": room and UUID(room)})
    chat.pages = {**chat.pages, "/order/": AROUND.format(element), "/bare/": AROUND.format("")}
    return chat.open("/order/")


def say(page: Page, text: str) -> None:
    """Type a message into the element and send it."""
    page.fill("roomlog-chat #text", text)
    page.press("roomlog-chat #text", "Enter")


def test_one_room_is_shown_and_written_in(chat: Chat) -> None:
    """The room that the page names, without a list; what is said arrives, and what is heard is shown."""
    chat.say(TEAM, "Which colour?")
    page = order_page(chat)
    texts = page.locator("roomlog-chat .message .text")
    expect(texts).to_have_text(["Which colour?"])
    expect(page.locator("roomlog-chat .rooms")).to_be_hidden()
    expect(page.locator("roomlog-chat #back")).to_be_hidden()
    say(page, "Blue.")
    expect(texts).to_have_text(["Which colour?", "Blue."])
    assert [(frame["room"], frame["text"]) for frame in chat.sent()] == [(TEAM, "Blue.")]
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    assert chat.errors == []


def test_a_room_that_is_not_there_yet_is_shown_when_it_is(chat: Chat) -> None:
    """A new order's page may be faster than the worker that makes its room; nobody is told to choose one."""
    chat.is_down = True
    page = order_page(chat, MADE)
    name = page.locator("roomlog-chat #room-name")
    expect(page.locator("roomlog-chat #state")).to_have_text("Connection lost, trying again…")
    expect(name).to_have_text("Waiting for the room…")
    chat.is_down = False
    page.locator("roomlog-chat #retry").dispatch_event("click")  # it may have been faster by itself
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    expect(name).to_have_text("Waiting for the room…")
    chat.add_room(MADE, "order 7", messages=1)
    chat.tell({"action": "room_joined", "room": chat.rooms[MADE] | {"seq": 1, "unread": 1}})
    expect(page.locator("roomlog-chat .message .text")).to_have_text(["order 7 1"])
    expect(name).to_have_text("order 7")


def test_without_a_room_people_choose_one(chat: Chat) -> None:
    """Among all of theirs."""
    page = order_page(chat, None)
    expect(page.locator("roomlog-chat #room-name")).to_have_text("Choose a room")
    page.locator("roomlog-chat .room", has_text="lobby").click()
    expect(page.locator("roomlog-chat #room-name")).to_have_text("lobby")
    assert page.url.endswith("/order/"), "the page's history is its own"


def test_the_page_around_it_stays_as_it_was(chat: Chat) -> None:
    """Neither styles nor ids get out, and none of the page's get in."""
    page = order_page(chat)
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    say(page, "Blue.")
    assert page.input_value("form > #text") == "theirs"
    expect(page.locator("h1#room-name")).to_have_text("Order 7")
    expect(page).to_have_title("Order 7")
    assert page.evaluate(LOOK)[2:] == chat.open("/bare/").evaluate(LOOK)[2:]
    assert page.evaluate(LOOK)[0] == "8px"


def test_messages_are_edited_and_deleted_in_it(chat: Chat) -> None:
    """With its own question, by keyboard alone; the page around it neither moves nor hears of a step back."""
    page = order_page(chat)
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    say(page, "Red.")
    texts = page.locator("roomlog-chat .message .text bdi")
    expect(texts).to_have_text(["Red."])
    steps = page.evaluate("history.length")
    page.press("roomlog-chat #text", "ArrowUp")
    say(page, "Blue.")
    expect(texts).to_have_text(["Blue."])
    page.focus("roomlog-chat #messages")
    for key in ("Tab", "Tab", "Tab", "Tab", "Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(texts).to_have_text(["Message deleted"])
    assert (page.evaluate("history.length"), chat.errors) == (steps, [])


def test_members_and_pins_are_in_it(chat: Chat) -> None:
    """With lists of its own; the page around it neither moves nor hears of a step back."""
    chat.join(TEAM, "admin", "member")
    chat.store(TEAM, "Blue.")
    page = order_page(chat)
    page.get_by_role("button", name="Pin message").click()
    expect(page.locator("roomlog-chat #messages .pinned")).to_have_text("Pinned")
    steps = page.evaluate("history.length")
    page.get_by_role("button", name="Pinned messages").click()
    page.locator("roomlog-chat #pins .entry").click()
    expect(page.locator("roomlog-chat #messages .message")).to_be_focused()
    page.get_by_role("button", name="Members", exact=True).click()
    page.get_by_role("button", name=re.compile("^Change .*bob")).click()
    page.select_option("#member-choice", label="Role: Reader")
    page.get_by_role("button", name="Change the role").click()
    expect(page.locator("roomlog-chat #members small")).to_have_text(["Admin", "Reader"])
    assert (page.evaluate("history.length"), chat.errors) == (steps, [])


def test_it_disconnects_when_it_leaves_the_page(chat: Chat) -> None:
    """And connects again when it comes back, as in a page that moves its parts."""
    page = order_page(chat)
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    page.evaluate("() => { window.kept = document.querySelector('roomlog-chat'); kept.remove(); }")
    wait_until(lambda: page.evaluate("0") == 0 and not chat.sockets, 10, "it is disconnected")
    page.evaluate("document.body.append(kept)")
    expect(page.locator("roomlog-chat #state")).to_have_text("Online")
    assert chat.errors == []


@pytest.mark.parametrize("user", ["9", "x"])
def test_somebody_elses_ticket_ends_it(chat: Chat, user: str) -> None:
    """No message goes out under another name than the page's."""
    page = order_page(chat)
    page.evaluate(
        "(user) => { const one = document.querySelector('roomlog-chat'); one.remove();"
        " one.setAttribute('user', user); document.body.append(one); }",
        user,
    )
    expect(page.locator("roomlog-chat #banner")).to_contain_text("Somebody else is logged in")
