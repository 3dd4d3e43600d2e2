"""The chat page in a real browser: reactions to messages, the user's own and those of others."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.browser import scroll
from tests.harness.scripted_chat import LOBBY, PHONE, TEAM, Chat, MakeChat, enter
from tests.harness.scripted_gateway import until

TEXTS = "#messages .text bdi"
CHIPS = "#messages .reactions button"
UP, HEART, PARTY = "👍", "❤️", "🎉"
FULL = "The message has the maximum number of different reactions."
IS_ON_SCREEN = """() => {
  const { left, right, top, bottom } = document.getElementById("emoji-picker").getBoundingClientRect();
  return left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
}"""


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team": bob's question, to which he has reacted himself, and alice's answer."""
    chat.store(TEAM, "which one?")
    chat.store(TEAM, "the red one", user=7)
    chat.react(TEAM, 1, UP)
    page = enter(chat.open(), "team")
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 1"])
    return page


def row(page: Page, text: str) -> Locator:
    """Return the row of the message with this text."""
    return page.locator("#messages .message", has_text=text)


def react(page: Page, text: str, emoji: str) -> None:
    """React to the message with this text by the picker."""
    row(page, text).get_by_role("button", name="React").click()
    page.locator("#emoji-picker [role=option]", has_text=emoji).click()


def reactions(chat: Chat) -> list[tuple[Any, ...]]:
    """Return the reactions that pages sent."""
    keys = ("action", "room", "message", "emoji")
    return [tuple(frame[key] for key in keys) for frame in chat.frames if "emoji" in frame]


def arrived(chat: Chat, page: Page) -> None:
    """Wait until the page has heard all that was told so far."""
    chat.say(LOBBY, "all of it has arrived")
    expect(page.locator(".room:has-text('lobby') .unread")).to_be_visible()


def test_a_click_on_a_chip_toggles_the_users_own(chat: Chat, page: Page) -> None:
    """The chip says whether the user is among them; the last one to go takes it along."""
    chip = page.locator(CHIPS)
    expect(chip).to_have_attribute("aria-pressed", "false")
    chip.click()
    expect(chip).to_have_text(f"{UP} 2")
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".pending")).to_have_count(0)
    chat.tell(chat.unreact(TEAM, 1, UP))
    expect(chip).to_have_text(f"{UP} 1")
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(page.locator(".reactions")).to_have_count(0)
    assert reactions(chat) == [("add_reaction", TEAM, 1, UP), ("remove_reaction", TEAM, 1, UP)]
    assert chat.errors == []


def test_the_picker_reacts_and_takes_back(chat: Chat, page: Page) -> None:
    """To one's own message too; what the user has chosen before is checked, and survives a reload."""
    react(page, "the red one", HEART)
    chip = row(page, "the red one").locator(".reactions button")
    expect(chip).to_have_text(f"{HEART} 1")
    expect(page.locator("#emoji-picker")).to_be_hidden()
    page.reload()
    expect(chip).to_have_attribute("aria-pressed", "true")
    row(page, "the red one").get_by_role("button", name="React").click()
    expect(page.get_by_role("option", selected=True)).to_have_text(HEART)
    page.get_by_role("option", name="red heart").click()
    expect(chip).to_have_count(0)
    assert [one[0] for one in reactions(chat)] == ["add_reaction", "remove_reaction"]


def test_the_keyboard_reaches_picker_and_chips(chat: Chat, page: Page) -> None:
    """Escape closes the picker, the focus returns; the rows' Tab order has the chips."""
    page.focus("#messages")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    button = row(page, "which one?").get_by_role("button", name="React")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    search = page.get_by_role("searchbox", name="Search emoji")
    expect(search).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#emoji-picker")).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(search).to_be_focused()
    for key in ("ArrowDown", "End", "Enter"):
        page.keyboard.press(key)
    expect(button).to_be_focused()
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 1", "👀 1"])
    for _ in range(6):
        page.keyboard.press("Tab")
    expect(page.locator(CHIPS).last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 1"])
    expect(page.locator(CHIPS)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(row(page, "the red one").get_by_role("button").last).to_be_focused()
    expect(page.locator("#messages .message:has([tabindex='0'])")).to_have_count(1)


def test_the_keyboard_moves_in_the_picker(page: Page) -> None:
    """Arrows go from the search to emoji and back, and through categories; Tab at the end closes."""
    button = row(page, "which one?").get_by_role("button", name="React")
    button.click()
    search, items = page.get_by_role("searchbox", name="Search emoji"), page.get_by_role("option")
    expect(search).to_be_focused()
    for key, place in (("ArrowDown", 0), ("ArrowLeft", 0), ("ArrowRight", 1), ("ArrowDown", 9), ("End", 11)):
        page.keyboard.press(key)
        expect(items.nth(place)).to_be_focused()
    for key in ("ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(search).to_be_focused()
    for key in ("Tab", "ArrowRight"):
        page.keyboard.press(key)
    expect(page.get_by_role("tab", name="Smileys")).to_be_focused()
    expect(items.first).to_have_text("😀")
    page.keyboard.press("Home")
    expect(items).to_have_count(12)
    page.keyboard.press("Tab")
    expect(items.first).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#emoji-picker")).to_be_hidden()
    expect(row(page, "which one?").get_by_role("button", name="Reply")).to_be_focused()


def test_the_picker_goes_with_its_message(chat: Chat, page: Page) -> None:
    """A second click closes it, a deletion and another room too; the focus is not lost."""
    button = row(page, "which one?").get_by_role("button", name="React")
    picker = page.locator("#emoji-picker")
    button.click()
    expect(picker).to_be_visible()
    button.click()
    expect(picker).to_be_hidden()
    button.click()
    chat.tell(chat.delete(TEAM, 1))
    expect(picker).to_be_hidden()
    expect(page.locator("#messages")).to_be_focused()
    expect(page.locator(".reactions")).to_have_count(0)
    row(page, "the red one").get_by_role("button", name="React").click()
    page.evaluate("document.querySelector('.room:not([aria-current=true])').click()")
    expect(picker).to_be_hidden()
    assert reactions(chat) == []


def test_a_chip_names_up_to_five(chat: Chat, page: Page) -> None:
    """And says how many more there are; a name turns nothing around it around."""
    chat.names |= {number: f"person {number}" for number in range(11, 18)} | {11: "\u202eevil"}
    chip = page.locator(CHIPS)
    expect(chip).to_have_attribute("title", f"\u2068{UP}\u2069 1: \u2068bob\u2069")
    for number in range(11, 16):
        chat.tell(chat.react(TEAM, 1, UP, user=number))
    names = ", ".join(
        f"\u2068{name}\u2069" for name in ("bob", "evil", "person 12", "person 13", "person 14")
    )
    expect(chip).to_have_attribute("title", f"\u2068{UP}\u2069 6: {names} and 1 other")
    chat.tell(chat.react(TEAM, 1, UP, user=16))
    expect(chip).to_have_attribute("title", f"\u2068{UP}\u2069 7: {names} and 2 others")
    expect(chip).to_have_attribute("aria-label", f"\u2068{UP}\u2069 7: {names} and 2 others")
    page.reload()
    expect(chip).to_have_attribute("title", f"\u2068{UP}\u2069 7: {names} and 2 others")
    chat.tell(chat.unreact(TEAM, 1, UP))
    rest = names.removeprefix("\u2068bob\u2069, ")
    expect(chip).to_have_attribute("title", f"\u2068{UP}\u2069 6: {rest} and 2 others")


def test_nothing_else_moves_and_nothing_is_said(chat: Chat, page: Page) -> None:
    """Only chips change: rows, focus and selection stay, unread counts too; screen readers hear nothing."""
    page.evaluate(
        "() => { window.nodes = [...document.querySelectorAll('[data-seq], .reactions, .reactions *')];"
        " getSelection().selectAllChildren(document.querySelector('.text')); }"
    )
    page.locator(CHIPS).focus()
    for emoji in (PARTY, HEART):
        chat.tell(chat.react(TEAM, 1, emoji))
    chat.tell(chat.unreact(TEAM, 1, PARTY))
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 1", f"{HEART} 1"])
    assert page.evaluate("() => nodes.every((node) => node.isConnected)")
    assert page.evaluate("() => getSelection().toString().trim()") == "which one?"
    expect(page.locator(CHIPS).first).to_be_focused()
    expect(page.locator(".reactions")).to_have_attribute("aria-live", "off")
    expect(page.locator("#messages .note:not(.date), .divider")).to_have_count(0)
    chat.store(LOBBY, "something")
    chat.tell(chat.events[LOBBY][0])
    chat.tell(chat.react(LOBBY, 1, UP))
    chat.say(TEAM, "it has arrived")
    expect(page.locator(TEXTS).last).to_have_text("it has arrived")
    expect(page.locator(".room:has-text('lobby') .unread")).to_have_text("1")


def test_a_reaction_that_waits_is_shown_as_one(chat: Chat, page: Page) -> None:
    """Over a reload too; a second click takes it back, and the answers end both."""
    chat.is_silent = True
    page.locator(CHIPS).click()
    react(page, "the red one", PARTY)
    for _ in range(2):
        expect(page.locator(".pending")).to_have_text([f"{UP} 2", f"{PARTY} 1"])
        expect(page.locator(".waiting, .fate")).to_have_count(0)
        page.reload()
    row(page, "the red one").locator(".pending").click()
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 2"])
    chat.is_silent = False
    chat.close(1012)
    expect(page.locator(".pending")).to_have_count(0)
    until(page, lambda: ("remove_reaction", TEAM, 2, PARTY) in reactions(chat))
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 2"])


def test_a_refusal_is_told(chat: Chat, page: Page) -> None:
    """And undone: the chip is as it was."""
    chat.refuses = ("too_many_reactions", FULL)
    react(page, "which one?", PARTY)
    expect(page.locator("#notice")).to_have_text(f"The reaction \u2068{PARTY}\u2069 was not added: {FULL}")
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 1"])
    chat.refuses = None
    page.locator(CHIPS).click()
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 2"])
    expect(page.locator(".pending")).to_have_count(0)
    chat.refuses = ("archived", "The room is archived.")
    page.locator(CHIPS).click()
    expect(page.locator("#notice")).to_have_text(
        f"The reaction \u2068{UP}\u2069 was not removed: The room is archived."
    )
    expect(page.locator(CHIPS)).to_have_text([f"{UP} 2"])


@pytest.mark.parametrize("code", ["not_found", "bad_value"])
def test_another_device_that_was_faster_is_no_trouble(chat: Chat, page: Page, code: str) -> None:
    """What was wanted is so already, or the message is gone: nobody is told."""
    chat.refuses = (code, "It is so already.")
    page.locator(CHIPS).click()
    expect(page.locator(".pending")).to_have_count(0)
    until(page, lambda: reactions(chat))
    arrived(chat, page)
    expect(page.locator("#notice")).to_be_hidden()


def test_in_an_archived_room_chips_are_only_read(chat: Chat, page: Page) -> None:
    """Each says who reacted, and a click does nothing."""
    chat.change(TEAM, "archive_room", archived=True)
    chip = page.locator(CHIPS)
    expect(chip).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".actions button:not([data-does=link], [data-does=report])")).to_have_count(0)
    page.focus("#messages")
    for key in ("Tab", "ArrowUp", "Tab", "Tab"):
        page.keyboard.press(key)
    expect(chip).to_be_focused()
    page.keyboard.press("Enter")
    arrived(chat, page)
    expect(chip).to_have_text(f"{UP} 1")
    assert reactions(chat) == []
    chat.change(TEAM, "restore_room", archived=False)
    expect(chip).to_have_attribute("aria-disabled", "false")
    order = [node.get_attribute("class") for node in row(page, "which one?").locator("> *").all()]
    assert order == ["author", "text", "actions", "reactions"]


def test_an_older_answer_undoes_no_reaction(chat: Chat) -> None:
    """History that was read before reactions arrives after them: all of them count, in the log's order."""
    chat.add_room(LOBBY, "lobby", messages=24)
    chat.react(LOBBY, 2, UP)
    chat.react(LOBBY, 3, UP)
    page = enter(chat.open(), "lobby")
    expect(page.locator("[data-seq]")).to_have_count(20)
    held = chat.held = []
    scroll(page, 0)
    until(page, lambda: held)
    chat.tell(chat.react(LOBBY, 2, HEART, user=7))
    chat.tell(chat.unreact(LOBBY, 2, UP))
    chat.tell(chat.react(LOBBY, 3, HEART))
    chat.tell(chat.delete(LOBBY, 3))
    chat.say(LOBBY, "after it")
    expect(page.locator(TEXTS).last).to_have_text("after it")
    chat.tell(held[0])
    expect(page.locator("[data-seq]")).to_have_count(25)
    expect(page.locator(CHIPS)).to_have_text([f"{HEART} 1"])
    expect(page.locator(CHIPS)).to_have_attribute("aria-pressed", "true")
    assert chat.errors == []


def test_what_a_newer_answer_knows_is_not_counted_twice(chat: Chat) -> None:
    """Events up to its `reacted_seq` are in it already; those above count."""
    chat.add_room(LOBBY, "lobby", messages=24)
    page = enter(chat.open(), "lobby")
    first, second = chat.react(LOBBY, 2, UP), chat.react(LOBBY, 2, UP, user=7)
    page.locator("#messages").dispatch_event("wheel", {"deltaY": -10})  # it is at the top already
    chip = page.locator(CHIPS)
    expect(chip).to_have_text(f"{UP} 2")
    chat.tell(first)
    chat.tell(second)
    chat.tell(chat.react(LOBBY, 2, HEART))
    expect(chip).to_have_text([f"{UP} 2", f"{HEART} 1"])


CHANGES = """async () => {
  const { Changes } = await import("/static/roomlog/changes.js");
  const changes = new Changes(7);
  const event = (seq, message) => {
    return { action: "add_reaction", seq, message: { seq: message }, emoji: "👍", user: { id: seq } };
  };
  for (let seq = 1001; seq <= 1501; seq++) changes.heard(event(seq, seq % 2));
  const count = ({ reactions }) => reactions[0]?.count ?? 0;
  const rows = (asOf) => [0, 1].map((seq) => ({ seq, reacted_seq: asOf }));
  const counts = (asOf) => changes.caughtUp(rows(asOf), asOf)?.map(count) ?? null;
  return [counts(1000), counts(1001), counts(1500)];
}"""


def test_what_was_heard_has_a_bound(page: Page) -> None:
    """500 reactions; an answer that needs what is forgotten is not used."""
    assert page.evaluate(CHANGES) == [None, [250, 250], [0, 1]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_all_of_it_is_on_the_screen(make_chat: MakeChat, scheme: Any) -> None:
    """Twenty chips wrap, and the picker stays inside, below its button or above it."""
    chat = make_chat(PHONE)
    for _ in range(12):
        chat.store(TEAM, "What a long question this is, so long that it takes several lines on a phone " * 2)
    for place in range(20):
        chat.react(TEAM, 12, chr(0x1F600 + place))
    page = chat.open()
    page.emulate_media(color_scheme=scheme)
    enter(page, "team")
    expect(page.locator(CHIPS)).to_have_count(20)
    assert page.evaluate("() => document.getElementById('messages').scrollWidth <= innerWidth")
    page.get_by_role("button", name="React").last.click()
    assert page.evaluate(IS_ON_SCREEN)
