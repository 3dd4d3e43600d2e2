"""Pictures of people on chat page and element, in a real browser."""

from uuid import UUID

from django.template.loader import render_to_string
from playwright.sync_api import expect

from tests.harness.scripted_chat import FACTS, TEAM, Chat, enter

PICTURE = "/static/roomlog/icon.svg"


def test_pictures_are_asked_for_once_and_shown(chat: Chat) -> None:
    """Those of all authors together; who has none keeps the initial, and no page learns who looks."""
    chat.pictures = {8: PICTURE}
    chat.say(TEAM, "hello")
    chat.store(TEAM, "hello bob", user=7)
    page = enter(chat.open(), "team")
    picture = page.locator(".author .avatar img")
    expect(picture).to_have_attribute("src", PICTURE)
    expect(picture).to_have_attribute("referrerpolicy", "no-referrer")
    expect(page.locator(".author .avatar")).to_have_text(["B", "A"])
    chat.say(TEAM, "how are you?")
    expect(page.locator(".message .text")).to_have_count(3)
    assert [sorted(ids) for ids in chat.asked_people] == [[7, 8]]
    assert chat.errors == []


def test_a_picture_that_is_gone_leaves_the_initial(chat: Chat) -> None:
    """A project may delete what it named."""
    chat.pictures = {8: "/static/roomlog/gone.png"}
    chat.say(TEAM, "hello")
    page = chat.open()
    with page.expect_response("**/gone.png"):
        enter(page, "team")
    expect(page.locator(".author .avatar img")).to_have_count(0)
    expect(page.locator(".author .avatar")).to_have_text("B")


def test_the_element_shows_pictures(chat: Chat) -> None:
    """Where it was told whom to ask."""
    chat.pictures = {8: PICTURE}
    chat.say(TEAM, "hello")
    element = render_to_string("roomlog/element.html", FACTS | {"room": UUID(TEAM)})
    chat.pages = {
        **chat.pages,
        "/order/": element,
        "/without/": element.replace(' people="/api/v1/people/"', ""),
    }
    expect(chat.open("/order/").locator("roomlog-chat .avatar img")).to_have_attribute("src", PICTURE)
    asked = len(chat.asked_people)
    expect(chat.open("/without/").locator("roomlog-chat .message .text")).to_have_text("hello")
    assert len(chat.asked_people) == asked
