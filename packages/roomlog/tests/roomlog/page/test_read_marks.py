"""What was read on one device is read on all: the server keeps the mark, and the page believes it."""

from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter
from tests.harness.scripted_gateway import until
from tests.roomlog.page.test_log import hide

UNREAD = ".room:has-text('team') .unread"


def marks(chat: Chat, room: str) -> list[int]:
    """Return the marks of a room that pages have sent."""
    return [one["seq"] for one in chat.frames if (one["action"], one.get("room")) == ("mark_read", room)]


def lobby(chat: Chat) -> Page:
    """Return a page that shows the lobby."""
    return enter(chat.open(), "lobby")


def test_the_server_is_told_what_was_seen(chat: Chat) -> None:
    """Once for many messages, and not of what nobody has looked at."""
    page = lobby(chat)
    for number in range(10):
        chat.say(TEAM, f"news {number}")
    expect(page.locator(UNREAD)).to_have_text("10")
    assert marks(chat, TEAM) == []
    enter(page, "team")
    expect(page.locator(UNREAD)).to_be_hidden()
    until(page, lambda: marks(chat, TEAM) == [10])


def test_what_another_device_has_read_is_read_here(chat: Chat) -> None:
    """The server's word counts, also for what this page has heard; what comes later is unread."""
    page = lobby(chat)
    for number in range(4):
        chat.say(TEAM, f"news {number}")
    expect(page.locator(UNREAD)).to_have_text("4")
    chat.rooms[TEAM]["read_seq"] = 3
    chat.tell({"action": "room_marked", "room": chat.summary(TEAM)})
    expect(page.locator(UNREAD)).to_have_text("1")
    chat.say(TEAM, "more")
    expect(page.locator(UNREAD)).to_have_text("2")


def test_a_late_notice_brings_nothing_back(chat: Chat) -> None:
    """Marks move forward only."""
    page = lobby(chat)
    chat.say(TEAM, "news")
    late = {"action": "room_marked", "room": chat.summary(TEAM)}
    enter(page, "team")
    until(page, lambda: marks(chat, TEAM) == [1])
    enter(page, "lobby")
    chat.tell(late)
    chat.say(LOBBY, "after it")
    expect(page.locator("#messages .text")).to_have_text("after it")
    expect(page.locator(UNREAD)).to_be_hidden()


def test_a_new_browser_begins_with_the_servers_mark(chat: Chat) -> None:
    """Nothing of its own is stored: it shows the server's count, of others' messages above the mark."""
    for text in ("one", "two", "three"):
        chat.store(LOBBY, text)
    chat.store(LOBBY, "mine", user=7)
    chat.rooms[LOBBY]["read_seq"] = 1
    expect(chat.open().locator(".room:has-text('lobby') .unread")).to_have_text("2")


def test_what_was_seen_without_an_answer_is_sent_after_the_next_login(chat: Chat) -> None:
    """Seen is seen: here at once, and on the server as soon as it hears of it."""
    page = lobby(chat)
    chat.is_silent = True
    chat.say(TEAM, "news")
    enter(page, "team")
    until(page, lambda: marks(chat, TEAM) == [1])
    chat.is_silent = False
    chat.close(1012)
    until(page, lambda: chat.rooms[TEAM]["read_seq"] == 1)
    assert marks(chat, TEAM) == [1, 1]


def test_a_hidden_page_tells_of_nothing(chat: Chat) -> None:
    """Until somebody looks at it."""
    page = enter(chat.open(), "team")
    hide(page, True)
    chat.say(TEAM, "news")
    expect(page.locator("#messages .text")).to_have_text("news")
    assert marks(chat, TEAM) == []
    hide(page, False)
    until(page, lambda: marks(chat, TEAM) == [1])


UNANSWERED = """async () => {
  const { Marks } = await import("/static/roomlog/marks.js");
  const marks = new Marks();
  for (let room = 0; room < 40; room++) marks.want(room, 1);
  const sent = [];
  let number = 0;
  const uuid = () => `u${number++}`;
  for (const second of [0, 1, 16, 32, 47]) sent.push(marks.take(1000 * second, uuid).length);
  marks.settle(marks.take(120_000, uuid)[0].uuid);
  sent.push(marks.take(120_001, uuid).length);
  return sent;
}"""


def test_marks_leave_the_connection_to_messages(chat: Chat) -> None:
    """Four wait for answers at most; without one they are repeated, more and more rarely."""
    assert chat.open().evaluate(UNANSWERED) == [4, 0, 4, 0, 4, 1]
