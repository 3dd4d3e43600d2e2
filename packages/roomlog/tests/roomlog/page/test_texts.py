"""The chat page in a real browser: a text stays until the server has it, and is nobody else's."""

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, enter

KEPT = "[...Object.keys(localStorage), ...Object.keys(sessionStorage)].filter((key) => key.includes('-7'))"


@pytest.fixture
def page(page: Page) -> Page:
    """A tab with the room "team"."""
    enter(page, "team")
    return page


def send(page: Page, text: str) -> None:
    """Write a message and click on Send."""
    page.fill("#text", text)
    page.click("#send")


def kept(page: Page) -> list[str]:
    """Return the keys of all that the browser keeps of alice."""
    found: list[str] = page.evaluate(KEPT)
    return found


def waits(chat: Chat, page: Page, number: int, days: float = 0.0) -> None:
    """Have so many messages wait, as if typed in an outage that long ago."""
    chat.is_silent = True
    began = int((time.time() - days * 86_400) * 1000)
    for place in range(number):
        command = {"uuid": f"w{place}", "action": "new_message", "room": LOBBY, "text": str(place)}
        entry = json.dumps({"at": began + place, "command": command})
        page.evaluate(
            "([key, entry]) => localStorage.setItem(key, entry)", [f"roomlog-outbox-7:w{place}", entry]
        )
    page.reload()
    expect(page.locator("#rooms .room").first).to_be_visible()


@pytest.fixture
def refused(chat: Chat, page: Page) -> Page:
    """A tab whose one message, "hear me", was refused."""
    chat.refuses = ("muted", "Not now.")
    send(page, "hear me")
    expect(page.locator(".refused .text")).to_have_text("hear me")
    return page


def test_each_room_has_a_draft_of_its_own(page: Page) -> None:
    """What was begun for one room is neither shown nor sent in another, and is there again after a reload."""
    page.fill("#text", "for the team")
    enter(page, "lobby")
    expect(page.locator("#text")).to_have_value("")
    page.fill("#text", "for the lobby")
    enter(page, "team")
    expect(page.locator("#text")).to_have_value("for the team")
    page.reload()
    expect(page.locator("#text")).to_have_value("for the team")
    enter(page, "lobby")
    expect(page.locator("#text")).to_have_value("for the lobby")


def test_what_waits_for_over_a_week_is_not_repeated(chat: Chat, page: Page) -> None:
    """It may have been stored and pruned since; its author decides."""
    waits(chat, page, 1, days=6.9)
    enter(page, "lobby")
    assert [frame["uuid"] for frame in chat.sent()] == ["w0"]
    waits(chat, page, 1, days=7.1)
    enter(page, "lobby")
    expect(page.locator(".refused .fate")).to_contain_text("it may have been sent")
    assert [frame["uuid"] for frame in chat.sent()] == ["w0"]


def test_two_tabs_keep_their_own_drafts(chat: Chat) -> None:
    """Sending from one tab takes nothing from the other, a reload included."""
    one, other = chat.open(), chat.open()
    for page, text in ((one, "first"), (other, "second")):
        enter(page, "team")
        page.fill("#text", text)
    one.click("#send")
    expect(one.locator("#text")).to_have_value("")
    other.reload()
    expect(other.locator("#text")).to_have_value("second")


def test_a_removed_author_stays_with_the_draft(chat: Chat, page: Page) -> None:
    """The page does not go elsewhere with it: it says who ended it, and lets the text be copied."""
    page.fill("#text", "half a thought")
    chat.remove(TEAM)
    expect(page.locator("#closed")).to_contain_text("You were removed from this room by \u2068bob\u2069.")
    expect(page.locator("#room-name")).to_have_text("team")
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator("#text")).not_to_be_editable()
    expect(page.locator("#copy")).to_be_visible()
    page.press("#text", "Enter")
    enter(page, "lobby")
    expect(page.locator("#text")).to_have_value("")
    page.reload()
    enter(page, "team")
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator("#closed")).to_contain_text("no longer a member")
    assert (chat.sent(), chat.errors) == ([], [])


def test_somebody_invited_again_goes_on_with_the_draft(chat: Chat, page: Page) -> None:
    """The room is read afresh, and what was begun can be sent."""
    page.fill("#text", "half a thought")
    room = chat.rooms[TEAM]
    chat.remove(TEAM)
    expect(page.locator("#text")).not_to_be_editable()
    chat.rooms[TEAM] = room
    chat.store(TEAM, "welcome back")
    chat.tell({"action": "room_joined", "room": room | {"seq": len(chat.events[TEAM]), "unread": 1}})
    expect(page.locator("#text")).to_be_editable()
    expect(page.locator("#messages .text")).to_have_text("welcome back")
    page.press("#text", "Enter")
    expect(page.locator("#messages .text")).to_have_text(["welcome back", "half a thought"])
    expect(page.locator(".waiting")).to_have_count(0)


def test_an_archived_room_can_only_be_read(chat: Chat, page: Page) -> None:
    """Also after a reload; restored, it goes on with the draft."""
    page.fill("#text", "half a thought")
    chat.change(TEAM, "archive_room", archived=True)
    expect(page.locator("#text")).not_to_be_editable()
    expect(page.locator("#closed")).to_contain_text("This room is archived")
    expect(page.locator("#messages")).to_contain_text("bob archived the room")
    page.reload()
    expect(page.locator("#closed")).to_contain_text("This room is archived")
    chat.change(TEAM, "restore_room", archived=False)
    expect(page.locator("#messages")).to_contain_text("bob opened the room again")
    expect(page.locator("#closed")).to_be_hidden()
    page.press("#text", "Enter")
    expect(page.locator("#messages .text")).to_have_text(["half a thought"])


def test_a_text_that_cannot_be_sent_stays(chat: Chat, page: Page) -> None:
    """Too long, in code points as the server counts; or a hundred wait, and one more isn't deleted."""
    send(page, "\U0001f600" * 4001)
    expect(page.locator("#text-error")).to_contain_text("at most 4,000 characters; this one has 4,001")
    expect(page.locator("#text")).to_have_value("\U0001f600" * 4001)
    send(page, "\U0001f600" * 4000)
    expect(page.locator("#text")).to_have_value("")
    expect(page.locator("#text-error")).to_be_hidden()
    assert [frame["text"] for frame in chat.sent()] == ["\U0001f600" * 4000]
    waits(chat, page, 100)
    send(page, "one too many")
    expect(page.locator("#text-error")).to_contain_text("100 messages wait already")
    expect(page.locator("#text")).to_have_value("one too many")


def test_refused_messages_stay_until_they_are_accepted(chat: Chat, page: Page) -> None:
    """Over a reload too; sent again one may be refused again, and is gone only when it is in the log."""
    codes = ["archived", "bad_value", "internal", "not_member"]
    for code in codes:
        chat.refuses = (code, f"Not now: {code}.")
        send(page, code)
        expect(page.locator(".refused .fate").last).to_contain_text(f"Not sent: Not now: {code}.")
    page.reload()
    expect(page.locator(".refused .text")).to_have_text(codes)
    chat.refuses = ("archived", "Still not.")
    page.click("text=Send again >> nth=0")
    expect(page.locator(".refused .fate", has_text="Still not.")).to_have_count(1)
    chat.refuses = None
    for left in range(len(codes) - 1, -1, -1):
        page.click("text=Send again >> nth=0")
        expect(page.locator(".refused")).to_have_count(left)
    expect(page.locator(".waiting")).to_have_count(0)
    assert sorted(page.locator(".message .text").all_inner_texts()) == codes


def test_sending_again_loses_nothing_when_too_many_wait(chat: Chat, refused: Page) -> None:
    """The click can't be carried out, so the message stays where it is."""
    waits(chat, refused, 100)
    refused.click("text=Send again")
    expect(refused.locator("#notice")).to_contain_text("Too many messages wait")
    expect(refused.locator(".refused .text")).to_have_text("hear me")


def test_a_discarded_message_can_be_had_back(refused: Page) -> None:
    """One click must not delete what somebody wrote."""
    refused.click("text=Discard")
    expect(refused.locator(".refused")).to_have_count(0)
    refused.click("text=Undo")
    expect(refused.locator(".refused .text")).to_have_text("hear me")


def test_half_a_character_is_no_dead_end(page: Page) -> None:
    """Half a surrogate pair can't travel: it becomes a replacement character instead of an endless try."""
    page.evaluate("document.getElementById('text').value = 'broken \\ud83d'")
    page.click("#send")
    expect(page.locator(".message .text")).to_have_text("broken \ufffd")


def test_the_end_of_access_is_told(chat: Chat, page: Page) -> None:
    """Nothing is under way for ever: what waits is called not sent, and everything can be copied."""
    chat.is_silent = True
    send(page, "under way")
    page.fill("#text", "half a thought")
    expect(page.locator(".waiting .fate")).to_have_text("Sending…")
    chat.close(4403)
    expect(page.locator("#banner")).to_contain_text("access has ended")
    expect(page.locator("#state")).to_have_text("Access was revoked")
    expect(page.locator(".refused .text")).to_have_text("under way")
    expect(page.locator(".refused .fate")).to_contain_text("Not sent")
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator("#text")).not_to_be_editable()
    assert kept(page) == []


def test_what_waits_for_the_connection_says_so(chat: Chat, page: Page) -> None:
    """Without a connection nothing is being sent, and nothing says that it is."""
    chat.is_down = True
    chat.context.set_offline(True)
    expect(page.locator("#state")).to_have_text("Connection lost, trying again…")
    send(page, "later")
    fate = re.compile(r"^Waits for the connection… Written at \d\d:\d\d\s[AP]M\.$")
    expect(page.locator(".waiting .fate")).to_have_text(fate)
    chat.is_down = False
    chat.context.set_offline(False)
    expect(page.locator(".message:not(.waiting) .text")).to_have_text("later")


def test_a_logout_leaves_nothing_in_the_browser(chat: Chat) -> None:
    """Drafts, what waits, what was refused, read marks: gone, in the other tab too, which is told."""
    page, other = chat.open(), chat.open()
    for tab in (page, other):
        enter(tab, "team")
        tab.fill("#text", "half a thought")
    enter(page, "lobby")
    chat.refuses = ("archived", "Not now.")
    send(page, "refused")
    expect(page.locator(".refused")).to_be_visible()
    chat.refuses, chat.is_silent = None, True
    send(page, "waiting")
    expect(page.locator("#log-out-button")).to_have_text("Log out (2 unsent)")
    page.click("#log-out-button")
    expect(page.locator(".card")).to_be_visible()
    expect(other.locator("#banner")).to_contain_text("You logged out in another tab")
    expect(other.locator("#text")).to_have_value("half a thought")
    assert (kept(page), kept(other)) == ([], [])
    assert page.evaluate("localStorage.length") == 0


def test_a_page_that_was_logged_out_elsewhere_keeps_nothing(chat: Chat, page: Page) -> None:
    """The session has ended: the page says so, and the login page finds nothing of anybody."""
    page.fill("#text", "half a thought")
    chat.has_session = False
    chat.close(1012)
    expect(page.locator("#banner")).to_contain_text("You are logged out.")
    expect(page.locator("#text")).to_have_value("half a thought")
    assert kept(page) == []
    page.evaluate("localStorage.setItem('roomlog-draft-9:x', '1')")
    assert chat.open("/login/").evaluate("localStorage.length") == 0


def test_another_user_finds_and_sends_nothing(chat: Chat, page: Page) -> None:
    """Somebody else logs in in this browser: the old page ends before it sends, and its leftovers go."""
    page.fill("#text", "half a thought")
    chat.is_silent = True
    send(page, "alice's")
    page.fill("#text", "half a thought")
    chat.user = 8
    chat.close(1012)
    expect(page.locator("#banner")).to_contain_text("Somebody else is logged in")
    assert len(chat.sent()) == 1
    assert kept(page) == []


def test_leftovers_of_others_are_deleted_at_the_start(page: Page) -> None:
    """However a session of somebody else ended, the next user's page begins without it."""
    leftovers: dict[str, Any] = {"roomlog-draft-8:x": "1", "roomlog-outbox-8:y": "1", "unrelated": "1"}
    for storage in ("localStorage", "sessionStorage"):
        page.evaluate(f"(all) => Object.assign({storage}, all)", leftovers)
    page.reload()
    expect(page.locator("#state")).to_have_text("Online")
    for storage in ("localStorage", "sessionStorage"):
        assert page.evaluate(f"Object.keys({storage}).filter((key) => key.includes('-8:'))") == []
    assert page.evaluate("localStorage.getItem('unrelated')") == "1"
