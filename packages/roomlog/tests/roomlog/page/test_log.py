"""The chat page in a real browser: a log that grows under a reader, who keeps place, selection and focus."""

import pytest
from playwright.sync_api import Page, expect

from tests.harness.browser import scroll
from tests.harness.scripted_chat import LOBBY, TEAM, Chat, MakeChat, enter
from tests.harness.scripted_gateway import until

LONG = "c" * 32
FIRST_SEEN = """() => {
  const box = document.getElementById("messages");
  const top = box.getBoundingClientRect().top;
  const row = [...box.querySelectorAll("[data-seq]")].find((one) => one.getBoundingClientRect().bottom > top);
  return { seq: Number(row.dataset.seq), top: row.getBoundingClientRect().top - top };
}"""
TOP_OF = """(text) => {
  const nodes = [...document.querySelectorAll("#messages .text")];
  return nodes.find((node) => node.textContent === text).getBoundingClientRect().top;
}"""
IS_AT_END = """() => {
  const box = document.getElementById("messages");
  return box.scrollHeight - box.scrollTop - box.clientHeight < 2;
}"""
WATCH_ROWS = """() => {
  window.changed = [];
  const rows = new Set(document.querySelectorAll("#messages [data-seq]"));
  new MutationObserver((records) => {
    for (const { target, type, attributeName } of records)
      if (rows.has(target.closest?.("[data-seq]"))) changed.push([type, attributeName, target.className]);
  }).observe(document.getElementById("messages"), { subtree: true, attributes: true, childList: true });
}"""
SELECT_TEXT = """(text) => {
  const nodes = [...document.querySelectorAll("#messages .text")];
  getSelection().selectAllChildren(nodes.find((node) => node.textContent === text));
}"""


def hide(page: Page, is_hidden: bool) -> None:
    """Have another tab cover the page, or this one shown again."""
    page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )


def long_room(make_chat: MakeChat, messages: int) -> tuple[Chat, Page]:
    """Return a page that shows the end of a room with so many messages."""
    chat = make_chat()
    chat.add_room(LONG, "long", messages)
    page = enter(chat.open(), "long")
    expect(page.locator("[data-seq]")).to_have_count(min(20, messages))
    page.click("#pill") if page.locator("#pill").is_visible() else None
    page.wait_for_function(IS_AT_END)
    return chat, page


def load_all(page: Page, messages: int) -> None:
    """Load the whole history of a room."""
    loaded = 20
    while loaded < messages:
        loaded = min(messages, loaded + 50)
        scroll(page, 0)
        expect(page.locator("[data-seq]")).to_have_count(loaded)


def test_selection_and_focus_survive_an_event(make_chat: MakeChat) -> None:
    """A new message adds its own row and touches no other node, neither in the log nor in the list."""
    chat, page = long_room(make_chat, 5)
    page.evaluate(SELECT_TEXT, "long 3")
    page.focus(".room:has-text('lobby')")
    page.evaluate("() => { window.row = document.querySelector('[data-seq]'); }")
    page.evaluate(WATCH_ROWS)
    for room in (LONG, LOBBY):
        chat.say(room, "more")
    expect(page.locator("[data-seq]")).to_have_count(6)
    expect(page.locator(".room:has-text('lobby') .unread")).to_have_text("1")
    assert page.evaluate("getSelection().toString().trim()") == "long 3"
    assert page.evaluate("document.activeElement.textContent").startswith("lobby")
    assert page.evaluate("row.isConnected")
    assert {attribute for _, attribute, _ in page.evaluate("changed")} <= {"tabindex"}, "the last row has it"


def test_history_comes_in_above_the_reader(make_chat: MakeChat) -> None:
    """Scrolling to earlier messages loads them, and moves no line on the screen, nor the selection in it."""
    chat, page = long_room(make_chat, 60)
    held = chat.held = []
    scroll(page, 0)
    until(page, lambda: held)
    page.evaluate(SELECT_TEXT, "long 41")
    before = page.evaluate(TOP_OF, "long 41")
    chat.tell(held[0])
    expect(page.locator("[data-seq]")).to_have_count(60)
    assert page.evaluate(TOP_OF, "long 41") == pytest.approx(before, abs=1)
    assert page.evaluate("getSelection().toString().trim()") == "long 41"
    expect(page.locator("text=Earlier messages")).to_have_count(0)


def test_who_scrolls_while_the_page_paints_stays_there(make_chat: MakeChat) -> None:
    """The browser tells of a scroll later than it happens: a paint in between must not go back to the end."""
    _, page = long_room(make_chat, 60)
    page.evaluate(
        """() => {
          document.getElementById("messages").scrollTop = 200;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.evaluate("document.getElementById('messages').scrollTop") == 200


def test_a_paint_hides_no_scroll(make_chat: MakeChat) -> None:
    """What the browser has not told of yet, when the page paints, still loads earlier messages."""
    _, page = long_room(make_chat, 60)
    page.evaluate(
        """() => {
          document.getElementById("messages").scrollTop = 0;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    expect(page.locator("[data-seq]")).to_have_count(60)


def test_nothing_is_trimmed_under_the_reader(make_chat: MakeChat) -> None:
    """With 703 messages loaded a new one leaves the screen as it is, wherever the reader is."""
    chat, page = long_room(make_chat, 703)
    load_all(page, 703)
    for top in (0, 9_000):
        scroll(page, top)
        before = page.evaluate(FIRST_SEEN)
        for _ in range(3):
            chat.say(LONG, "more")
        expect(page.locator("#pill")).to_contain_text("new messages")
        assert page.evaluate(FIRST_SEEN) == pytest.approx(before, abs=1)
    page.click("#pill")
    chat.say(LONG, "the last")
    expect(page.locator("[data-seq] .text").last).to_have_text("the last")
    page.wait_for_function(IS_AT_END)
    chat.say(LONG, "the very last")
    expect(page.locator("[data-seq] .text").last).to_have_text("the very last")
    expect(page.locator("[data-seq]")).to_have_count(500)


def test_what_came_meanwhile_is_counted_and_marked(make_chat: MakeChat) -> None:
    """Scrolled up, new messages are told by a pill and a line before the first; read they are at the end."""
    chat, page = long_room(make_chat, 20)
    scroll(page, 0)
    for number in range(30):
        chat.say(LONG, f"new {number + 1}")
    expect(page.locator("#pill")).to_have_text("30 new messages ↓")
    expect(page.locator(".room:has-text('long') .unread")).to_have_text("30")
    assert page.title() == "(30) Roomlog"
    expect(page.locator(".divider + [data-seq] .text")).to_have_text("new 1")
    page.reload()
    expect(page.locator(".room:has-text('long') .unread")).not_to_have_text("0")
    page.click("#pill")
    expect(page.locator("#pill")).to_be_hidden()
    expect(page.locator(".room:has-text('long') .unread")).to_be_hidden()
    assert page.title() == "Roomlog"


def test_a_hidden_page_has_read_nothing(make_chat: MakeChat) -> None:
    """What arrives meanwhile waits below a line, and the page has not run away from it."""
    chat, page = long_room(make_chat, 20)
    hide(page, True)
    for number in range(30):
        chat.say(LONG, f"new {number + 1}")
    expect(page.locator("[data-seq]")).to_have_count(50)
    assert page.title() == "(30) Roomlog"
    hide(page, False)
    expect(page.locator(".divider")).to_be_in_viewport()
    expect(page.locator("[data-seq]", has_text="new 1").first).to_be_in_viewport()
    expect(page.locator("#pill")).to_contain_text("new message")


def test_ones_own_messages_are_never_unread(chat: Chat) -> None:
    """Written in one tab they are not news in the other, nor after a reload."""
    one, other = chat.open(), chat.open()
    enter(one, "team")
    enter(other, "lobby")
    one.fill("#text", "mine")
    one.press("#text", "Enter")
    expect(one.locator("#messages .text")).to_have_text("mine")
    chat.say(TEAM, "news", user=7)
    expect(one.locator("#messages .text")).to_have_text(["mine", "news"])
    chat.say(LOBBY, "all of it has arrived")
    for _ in range(2):
        expect(other.locator("#messages .text")).to_have_text("all of it has arrived")
        expect(other.locator(".room:has-text('team') .unread")).to_be_hidden()
        other.reload()


def test_tabs_agree_on_what_was_read(chat: Chat) -> None:
    """Read in one tab it is read in the other at once."""
    one, other = chat.open(), chat.open()
    for page in (one, other):
        enter(page, "lobby")
    chat.say(TEAM, "news")
    for page in (one, other):
        expect(page.locator(".room:has-text('team') .unread")).to_have_text("1")
    enter(one, "team")
    expect(other.locator(".room:has-text('team') .unread")).to_be_hidden()


def test_a_room_is_come_back_to_where_it_was_left(make_chat: MakeChat) -> None:
    """Looking into another room costs no place, and coming back reads nothing that is below it."""
    chat, page = long_room(make_chat, 60)
    load_all(page, 60)
    scroll(page, 700)
    before = page.evaluate(FIRST_SEEN)
    enter(page, "lobby")
    chat.say(LONG, "meanwhile")
    expect(page.locator(".room:has-text('long') .unread")).to_have_text("1")
    enter(page, "long")
    expect(page.locator("#pill")).to_have_text("1 new message ↓")
    assert page.evaluate(FIRST_SEEN) == pytest.approx(before, abs=1)


def test_a_far_reader_loads_what_was_let_go(make_chat: MakeChat) -> None:
    """A log has a bound: who reads far above its end loads the end again, without a gap."""
    chat, page = long_room(make_chat, 960)
    load_all(page, 960)
    scroll(page, 0)
    for number in range(100):
        chat.say(LONG, f"new {number}")
    expect(page.locator("text=Later messages")).to_have_count(1)
    assert page.locator("[data-seq]").count() <= 1_001
    while page.locator("text=Later messages").count():
        last = page.locator("[data-seq]").last.get_attribute("data-seq")
        scroll(page, 1_000_000)
        expect(page.locator("[data-seq]").last).not_to_have_attribute("data-seq", str(last))
    expect(page.locator("[data-seq] .text").last).to_have_text("new 99")
    seqs = page.evaluate("[...document.querySelectorAll('[data-seq]')].map((row) => Number(row.dataset.seq))")
    assert seqs == list(range(seqs[0], 1_061))


def test_the_log_says_at_its_top_that_earlier_messages_are_not_kept(make_chat: MakeChat) -> None:
    """Where history ends, and in a room of which nothing is kept."""
    chat = make_chat()
    chat.add_room(LONG, "long", 40)
    keep_from(chat, 31)
    page = enter(chat.open(), "long")
    sentence = page.get_by_text("Earlier messages are not kept.")
    expect(page.locator("[data-seq]")).to_have_count(10)
    expect(sentence).to_be_visible()
    keep_from(chat, 11)
    enter(page, "lobby")
    expect(sentence).to_be_visible()
    expect(page.get_by_text("No messages yet.")).to_be_hidden()
    page.reload()
    enter(page, "long")
    expect(page.locator("[data-seq]")).to_have_count(20)
    expect(sentence).to_be_hidden()
    scroll(page, 0)
    expect(page.locator("[data-seq]")).to_have_count(30)
    expect(sentence).to_be_visible()


def keep_from(chat: Chat, first_seq: int) -> None:
    """Have all rooms' logs begin there."""
    messages_of, select_room, get_history = Chat._messages, Chat._select_room, Chat._get_history
    chat._messages = lambda room: [  # type: ignore[method-assign]
        one for one in messages_of(chat, room) if one["seq"] >= first_seq
    ]
    told = {"first_seq": first_seq}
    chat._select_room = lambda frame: (select_room(chat, frame) or {}) | told  # type: ignore[method-assign]
    chat._get_history = lambda frame: (get_history(chat, frame) or {}) | told  # type: ignore[method-assign]
