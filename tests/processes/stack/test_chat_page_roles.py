"""The chat page by roles, in real browsers before a whole stack: pins, pictures, mutes, roles and bans.

On one database: what a page shows does not depend on it.
"""

from base64 import b64encode
from io import BytesIO
from typing import Any, Final

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.harness.browser import browser, reload
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.harness.waiting import wait_until
from tests.harness.wire import SECONDS
from tests.processes.stack.test_chat_page import DEADLINE_MS, Demo, Person, shared_demo

__all__ = ["browser", "shared_demo"]
DROP: Final = """content => {
  const bytes = Uint8Array.from(atob(content), (sign) => sign.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], "tea.png"));
  const init = { dataTransfer: files, bubbles: true, cancelable: true };
  document.querySelector(".talk").dispatchEvent(new DragEvent("drop", init));
}"""


@pytest.fixture
def plans(shared_demo: Demo, request: pytest.FixtureRequest) -> tuple[Person, Person]:
    """Alice, who owns a room for this test, and bob, a member: both in it."""
    room = request.function.__name__
    shared_demo.make_room(room)
    alice, bob = shared_demo.person("alice"), shared_demo.person("bob")
    for person in (alice, bob):
        person.enter(room)
    return alice, bob


def change(person: Person, name: str, choice: str) -> None:
    """Do something to a member by the dialog, and wait until it is done."""
    person.page.click("#members-button")
    person.page.locator("#members li", has_text=name).locator("button:not(.block)").click()
    person.page.select_option("#member-choice", label=choice)
    person.page.click("#member-dialog .primary")
    expect(person.page.locator("#member-dialog")).to_be_hidden(timeout=DEADLINE_MS)
    person.page.click("#members-dialog [data-closes]")


def notes(person: Person, *texts: Any) -> None:
    """Wait until the log's last lines say this."""
    for place, text in enumerate(texts):
        line = person.page.locator("#messages .note").nth(place - len(texts))
        expect(line).to_have_text(text, timeout=DEADLINE_MS)


def share_a_picture(demo: Demo, sender: Person, member: Person, stranger: Person) -> None:
    """Drop a picture; a member sees its small copy and gets the whole, and a stranger of the room neither."""
    content = BytesIO()
    Image.new("RGB", (900, 600), "teal").save(content, "PNG")
    sender.page.evaluate(DROP, b64encode(content.getvalue()).decode())
    expect(sender.page.locator("#uploads .name")).to_have_text("tea.png")
    expect(sender.page.locator("#uploads progress")).to_be_hidden(timeout=DEADLINE_MS)
    sender.page.click("#send")
    picture = member.page.locator("#messages .picture")
    expect(picture).to_be_visible(timeout=DEADLINE_MS)
    image = picture.locator("img")
    wait_until(lambda: image.evaluate("image => image.naturalWidth") == 480, SECONDS, "its small copy")
    address = f"{demo.stack.page}{picture.get_attribute('href')}"
    assert member.page.request.get(address).body() == content.getvalue()
    for refused in (address, f"{address}thumbnail/"):
        assert stranger.page.request.get(refused).status == 404


@POSTGRES_ONLY
def test_people_pin_and_share_a_picture(shared_demo: Demo, plans: tuple[Person, Person]) -> None:
    """Both see the mark and the list, after a reload too; only the owner may pin. One stack for both."""
    alice, bob = plans
    share_a_picture(shared_demo, alice, bob, shared_demo.person("carol"))
    bob.say("Bring tea")
    alice.sees("", "Bring tea")
    expect(bob.page.get_by_role("button", name="Pin message")).to_have_count(0)
    alice.page.get_by_role("button", name="Pin message").last.click()
    for person in plans:
        expect(person.page.locator("#messages .pinned")).to_have_text("Pinned", timeout=DEADLINE_MS)
        notes(person, "alice pinned a message")
        reload(person.page)
        expect(person.page.locator("#messages .pinned")).to_have_text("Pinned", timeout=DEADLINE_MS)
        person.page.click("#pins-button")
        expect(person.page.locator("#pins .words")).to_have_text(["Bring tea"], timeout=DEADLINE_MS)
    bob.page.locator("#pins .entry").click()
    expect(bob.page.locator("#messages .message").last).to_be_focused()
    alice.page.get_by_role("button", name="Unpin the message of").click()
    expect(alice.page.locator("#no-pins")).to_have_text("No message is pinned.", timeout=DEADLINE_MS)
    for person in plans:
        expect(person.page.locator("#messages .pinned")).to_have_count(0, timeout=DEADLINE_MS)
        notes(person, "alice unpinned a message")
        assert person.errors == []


@POSTGRES_ONLY
def test_an_owner_moderates(plans: tuple[Person, Person]) -> None:
    """A mute, a role and a ban: who can't write is told at once, and after a reload."""
    alice, bob = plans
    bob.say("Hello")
    alice.sees("Hello")
    change(alice, "bob", "Mute for 10 minutes")
    expect(bob.page.locator("#closed")).to_contain_text("You are muted in this room until ")
    expect(bob.page.locator("#text")).not_to_be_editable()
    reload(bob.page)
    expect(bob.page.locator("#closed")).to_contain_text("You are muted in this room until ")
    change(alice, "bob", "Unmute")
    expect(bob.page.locator("#text")).to_be_editable(timeout=DEADLINE_MS)
    change(alice, "bob", "Role: Reader")
    expect(bob.page.locator("#closed")).to_contain_text("You can only read in this room.")
    change(alice, "bob", "Role: Admin")
    bob.say("I am back")
    alice.sees("Hello", "I am back")
    expect(bob.page.get_by_role("button", name="Pin message")).to_have_count(2)
    notes(alice, "alice gave bob the role Reader", "alice gave bob the role Admin")
    change(alice, "bob", "Mute without an end")
    expect(bob.page.locator("#closed")).to_contain_text("You are muted in this room.")
    reload(bob.page)
    expect(bob.page.locator("#closed")).to_contain_text("You are muted in this room.")
    change(alice, "bob", "Ban without an end")
    expect(bob.page.locator("#closed")).to_contain_text(
        "You were banned from this room by \u2068alice\u2069."
    )
    notes(alice, "alice muted bob", "alice banned bob")
    for person in plans:
        assert person.errors == []
