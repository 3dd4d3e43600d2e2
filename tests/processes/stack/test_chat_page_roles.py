"""The chat page by roles, in real browsers before a whole stack: pins, mutes, roles and bans.

On one database: what a page shows does not depend on it.
"""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.harness.browser import browser, reload
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.processes.stack.test_chat_page import DEADLINE_MS, Demo, Person, shared_demo

__all__ = ["browser", "shared_demo"]


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
    person.page.locator("#members li", has_text=name).get_by_role("button").click()
    person.page.select_option("#member-choice", label=choice)
    person.page.click("#member-dialog .primary")
    expect(person.page.locator("#member-dialog")).to_be_hidden(timeout=DEADLINE_MS)
    person.page.click("#members-dialog [data-closes]")


def notes(person: Person, *texts: Any) -> None:
    """Wait until the log's last lines say this."""
    for place, text in enumerate(texts):
        line = person.page.locator("#messages .note").nth(place - len(texts))
        expect(line).to_have_text(text, timeout=DEADLINE_MS)


@POSTGRES_ONLY
def test_people_pin(plans: tuple[Person, Person]) -> None:
    """Both see the mark and the list, after a reload too; only the owner may pin."""
    alice, bob = plans
    bob.say("Bring tea")
    alice.sees("Bring tea")
    expect(bob.page.get_by_role("button", name="Pin message")).to_have_count(0)
    alice.page.get_by_role("button", name="Pin message").click()
    for person in plans:
        expect(person.page.locator("#messages .pinned")).to_have_text("Pinned", timeout=DEADLINE_MS)
        notes(person, "alice pinned a message")
        reload(person.page)
        expect(person.page.locator("#messages .pinned")).to_have_text("Pinned", timeout=DEADLINE_MS)
        person.page.click("#pins-button")
        expect(person.page.locator("#pins .words")).to_have_text(["Bring tea"], timeout=DEADLINE_MS)
    bob.page.locator("#pins .entry").click()
    expect(bob.page.locator("#messages .message")).to_be_focused()
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
