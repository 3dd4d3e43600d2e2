"""The chat page in a real browser: links to messages."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import scroll
from tests.harness.scripted_chat import LOBBY, PHONE, TEAM, Chat, MakeChat, enter
from tests.harness.scripted_gateway import ORIGIN

KEEP_COPY = "document.execCommand = () => { window.copied = document.activeElement.value; }"


def link(seq: int, room: str = LOBBY) -> str:
    """Return the address of a message, from the server's root."""
    return f"/#{room}/{seq}"


def shows(page: Page, seq: int) -> None:
    """Wait until the reader is at this message."""
    expect(page.locator(f'#messages [data-seq="{seq}"]')).to_be_focused()
    expect(page.locator(f'#messages [data-seq="{seq}"]')).to_be_in_viewport()


def test_a_copied_link_leads_to_its_message(chat: Chat, page: Page) -> None:
    """In another tab and after a reload, with the messages around it, until another room is chosen."""
    chat.add_room(LOBBY, "lobby", messages=130)
    page.reload()
    enter(page, "lobby")
    page.evaluate(KEEP_COPY)
    button = page.get_by_role("button", name="Copy link").first
    button.press("Enter")
    expect(page.locator("#notice")).to_have_text("Link copied.")
    expect(button).to_be_focused()
    assert page.evaluate("copied") == ORIGIN + link(111)
    page = chat.open(link(40))
    shows(page, 40)
    expect(page.locator("#room-name")).to_have_text("lobby")
    expect(page.locator("#messages .message")).to_have_count(90)
    page.reload()
    shows(page, 40)
    scroll(page, 1_000_000)
    expect(page.locator("#messages .message")).to_have_count(130)
    enter(page, "team")
    assert page.url == f"{ORIGIN}/"
    page.reload()
    expect(page.locator("#room-name")).to_have_text("team")
    assert chat.errors == []


def test_back_leads_to_where_a_link_was_followed(chat: Chat, page: Page) -> None:
    """And Forward to the message again; a dialog in between moves nothing."""
    chat.add_room(LOBBY, "lobby", messages=3)
    page.reload()
    enter(page, "team")
    page.evaluate("(hash) => { location.hash = hash; }", link(1)[1:])
    shows(page, 1)
    expect(page.locator("#room-name")).to_have_text("lobby")
    page.focus("#text")
    page.click("#pins-button")
    page.click("#pins-dialog [data-closes]")
    page.wait_for_function("() => !history.state?.dialog")
    assert page.url == ORIGIN + link(1)
    expect(page.locator("#pins-button")).to_be_focused()
    page.go_back()
    expect(page.locator("#room-name")).to_have_text("team")
    page.go_forward()
    expect(page.locator("#room-name")).to_have_text("lobby")
    shows(page, 1)
    page.go_back()
    page.evaluate("(hash) => { location.hash = hash; }", link(2)[1:])
    shows(page, 2)
    assert chat.errors == []


def test_on_a_phone_a_link_opens_its_room(make_chat: MakeChat) -> None:
    """The arrow leads to the rooms, and the link is no longer in the address."""
    chat = make_chat(PHONE)
    chat.add_room(LOBBY, "lobby", messages=3)
    page = chat.open(link(2))
    shows(page, 2)
    page.click("#back")
    expect(page.locator("#rooms .room").first).to_be_visible()
    assert page.url == f"{ORIGIN}/"


@pytest.mark.parametrize(
    ("address", "room", "sentence"),
    [
        (link(1, "d" * 32), "team", "The link leads to a room that you are not in."),
        (link(99), "lobby", "The message can't be found."),
    ],
)
def test_a_link_that_leads_nowhere_says_so(chat: Chat, address: str, room: str, sentence: str) -> None:
    """A room of others, or a message that is not there."""
    chat.add_room(LOBBY, "lobby", messages=3)
    page = chat.open(address)
    expect(page.locator("#notice")).to_have_text(sentence)
    expect(page.locator("#room-name")).to_have_text(room)
    expect(page.locator("#messages .message")).to_have_count(3 if room == "lobby" else 0)
    assert chat.errors == []


def test_links_are_copied_in_archived_rooms(chat: Chat) -> None:
    """Messages can be reported there, and nothing else be done."""
    chat.store(TEAM, "the end")
    chat.rooms[TEAM]["archived"] = True
    page = enter(chat.open(), "team")
    expect(page.locator("#messages .actions button")).to_have_count(2)
    expect(page.get_by_role("button", name="Copy link")).to_have_count(1)
    expect(page.get_by_role("button", name="Report message")).to_have_count(1)
