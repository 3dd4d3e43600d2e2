"""`python -m benchmarks.page_pictures`: the chat page and the admin as people see them, into docs/page.

Beside `page`. A whole stack on PostgreSQL; alice at a desk, bob on a phone at night, carol in German, and a
moderator chat in real browsers, and look at what the page has. After a change of how the page looks,
draw the pictures again and look at them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect

from benchmarks.systems import postgres_server
from tests.harness.browser import running_browser
from tests.harness.manage import manage
from tests.harness.stack import Stack, build_stack
from tests.harness.stack_databases import PostgresDatabases

FOLDER: Final = Path(__file__).parent.parent / "docs" / "page"
MAKE_SECONDS: Final = 60.0
DEADLINE_MS: Final = 30_000
DESK: Final[Any] = {"viewport": {"width": 1100, "height": 720}}
PHONE: Final[Any] = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
    "color_scheme": "dark",
}
GERMAN: Final[Any] = {**DESK, "locale": "de-DE"}
ROOM: Final = "Roof garden"
PLAN: Final = """The beds are **ready**. Still missing:

- tomatoes, *six* of them
- basil
- the key, see `notes.txt`"""


def main() -> None:
    """Chat, and draw."""
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="roomlog-pictures-") as directory,
        postgres_server() as server,
        running_browser() as browser,
    ):
        wanted = {"ROOMLOG_ALLOWED_ORIGINS": "*"}
        stack = build_stack(Path(directory) / "stack", PostgresDatabases(server), environ=wanted)
        try:
            stack.start()
            files = str(Path(directory) / "files")
            api = stack.add_api(ROOMLOG_WEBSOCKET_URL=stack.websocket(), ROOMLOG_ATTACHMENTS_FOLDER=files)
            stack.start(api)
            draw(stack, browser)
        finally:
            stack.close()


def draw(stack: Stack, browser: Browser) -> None:
    """Have people chat in one room and draw what they see."""
    demo = json.loads(manage(stack.environ, "make_demo", seconds=MAKE_SECONDS))
    users = {user["name"]: user for user in demo["users"]}
    alice = sign_in(browser, stack.page, users["alice"], DESK)
    make_room(alice, "bob", "carol")
    bob = sign_in(browser, stack.page, users["bob"], PHONE)
    enter(bob)
    carol = sign_in(browser, stack.page, users["carol"], GERMAN)
    enter(carol)
    say(alice, PLAN)
    say(carol, "I can bring the basil 🌿 on Saturday.")
    for page in (alice, bob, carol):
        expect(page.locator("#messages .message")).to_have_count(2)
    alice.locator("#messages .message").first.hover()
    alice.locator("#messages .message").first.get_by_role("button", name="Pin message").click()
    expect(bob.locator("#messages .pinned")).to_have_count(1)
    bob.locator("#messages .message").last.get_by_role("button", name="React", exact=True).click()
    bob.get_by_role("option", name="party popper").click()
    expect(alice.locator("#messages .reactions button")).to_have_count(1)
    alice.locator("#messages .message").last.get_by_role("button", name="Reply", exact=True).click()
    say(alice, "Wonderful, @carol! @bob, do you have the key?")
    bob.fill("#text", "Yes, ")
    expect(alice.locator("#typing")).not_to_be_empty()
    alice.mouse.move(5, 5)
    picture(alice, "desk")
    picture(bob, "phone-at-night")
    alice.click("#members-button")
    expect(alice.locator("dialog[open] li").first).to_be_visible()
    picture(alice, "members")
    alice.keyboard.press("Escape")
    carol.click("[data-opens=search-dialog]")
    carol.fill("#search [name=text]", "basil")
    carol.press("#search [name=text]", "Enter")
    expect(carol.locator("#hits li").first).to_be_visible(timeout=DEADLINE_MS)
    picture(carol, "search-in-german")
    carol.locator("#search-dialog [data-closes]").click()
    draw_emoji(alice, bob, carol)
    draw_moderation(stack, browser, users["admin"])


def draw_emoji(alice: Page, bob: Page, carol: Page) -> None:
    """Draw the picker: a category of it, at night on a phone, and what a German word finds."""
    alice.keyboard.press("Escape")
    alice.get_by_role("button", name="Choose an emoji").click()
    alice.get_by_role("tab", name="Food and drink").click()
    picture(alice, "emoji")
    alice.keyboard.press("Escape")
    bob.locator("#messages .message").last.get_by_role("button", name="React", exact=True).click()
    expect(bob.get_by_role("option").first).to_be_visible()
    picture(bob, "emoji-on-a-phone")
    bob.keyboard.press("Escape")
    carol.get_by_role("button", name="Emoji auswählen").click()
    carol.get_by_role("searchbox", name="Emojis suchen").fill("blume")
    expect(carol.locator("#emoji-picker [role=status]")).to_contain_text("gefunden")
    picture(carol, "emoji-in-german")
    carol.keyboard.press("Escape")


def draw_moderation(stack: Stack, browser: Browser, login: dict[str, str]) -> None:
    """Draw what a moderator sees of the room."""
    moderator = browser.new_page(**DESK)
    moderator.goto(f"{stack.page}/admin/login/")
    fill_in(moderator, login)
    moderator.click("[type=submit]")
    (room,) = stack.sql("SELECT id FROM roomlog_chatroom WHERE name = %s", ROOM)[0]
    moderator.goto(f"{stack.page}/admin/roomlog/chatmessage/room/{room}/")
    picture(moderator, "moderation")


def sign_in(browser: Browser, address: str, login: dict[str, str], options: Any) -> Page:
    """Seat somebody at a screen."""
    page = browser.new_page(**options)
    page.set_default_timeout(DEADLINE_MS)
    page.goto(address)
    fill_in(page, login)
    page.click("button")
    expect(page.locator("#rooms .room").first).to_be_visible()
    return page


def fill_in(page: Page, login: dict[str, str]) -> None:
    """Fill in name and password."""
    page.fill("input[name=username]", login["name"])
    page.fill("input[name=password]", login["password"])


def make_room(page: Page, *people: str) -> None:
    """Make the room with these people."""
    page.click("[data-opens=new-room-dialog]")
    page.fill("#new-room [name=name]", ROOM)
    for name in people:
        page.fill("#new-room [role=combobox]", name)
        page.locator("#new-room [role=option]").first.click()
    page.click("#new-room .primary")
    expect(page.locator("#room-name")).to_have_text(ROOM)


def enter(page: Page) -> None:
    """Choose the room."""
    page.locator("#rooms .room", has_text=ROOM).click()
    expect(page.locator("#room-name")).to_have_text(ROOM)


def say(page: Page, text: str) -> None:
    """Send a message and wait until it is stored."""
    before = page.locator("#messages .message:not(.waiting)").count()
    page.fill("#text", text)
    page.get_by_role("button", name="Send").or_(page.get_by_role("button", name="Senden")).click()
    expect(page.locator("#messages .message:not(.waiting)")).to_have_count(before + 1)


def picture(page: Page, name: str) -> None:
    """Draw what is on the screen."""
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
