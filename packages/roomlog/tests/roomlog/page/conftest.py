"""The chat page in a real browser, before a gateway that says what a test says."""

from collections.abc import Iterator

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Browser, Page

from tests.harness.browser import running_browser
from tests.harness.scripted_chat import DESK, FACTS, Chat, MakeChat
from tests.harness.scripted_gateway import gateway

__all__ = ["gateway"]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser without a memory for all tests of the page: a start costs as much as showing the page."""
    with running_browser() as chromium:
        yield chromium


@pytest.fixture
def make_chat(browser: Browser) -> Iterator[MakeChat]:
    """Make browsers of alice's with the chat page before a scripted gateway; they are closed at the end."""
    pages = {
        "/": render_to_string("roomlog/chat.html", FACTS),
        "/login/": render_to_string("roomlog/login.html", {}),
    }
    made: list[Chat] = []

    def make(viewport: dict[str, int] = DESK) -> Chat:
        made.append(Chat(browser, pages, viewport))
        return made[-1]

    yield make
    for chat in made:
        chat.context.close()


@pytest.fixture
def chat(make_chat: MakeChat) -> Chat:
    """A browser on a desk."""
    return make_chat()


@pytest.fixture
def page(chat: Chat) -> Page:
    """The chat page in a tab of it."""
    return chat.open()
