"""The chat page in a real browser: roles, mutes, bans and removals, of others and of the user's own."""

import time
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.harness.scripted_chat import LOBBY, TEAM, Chat, MakeChat, enter
from tests.harness.scripted_gateway import ORIGIN

END_TOLERANCE = 60
CHOICE = "#member-choice"


def people(chat: Chat, *roles: str) -> None:
    """Have the room "team" with alice, bob, carol and dave in these roles."""
    chat.names |= {9: "carol", 10: "dave"}
    chat.join(TEAM, *roles)


@pytest.fixture
def page(chat: Chat) -> Page:
    """A tab with the room "team", whose admin is alice."""
    people(chat, "admin", "owner", "member", "reader")
    chat.store(TEAM, "which one?", user=9)
    page = enter(chat.open(), "team")
    expect(page.get_by_role("button", name="Pin message")).to_have_count(1)
    return page


def member(page: Page, name: str) -> Locator:
    """Return somebody's row in the open list of members."""
    return page.locator("#members li", has_text=name)


def choose(page: Page, name: str, choice: str, open_list: bool = True) -> None:
    """Choose what shall be done to somebody; it is not confirmed yet."""
    if open_list:
        page.click("#members-button")
    member(page, name).locator("button:not(.block)").click()
    page.select_option(CHOICE, label=choice)


def confirm(page: Page) -> None:
    """Press the button that does it."""
    page.click("#member-dialog .primary")


def moderated(chat: Chat) -> list[dict[str, Any]]:
    """Return what pages sent about members."""
    return [
        {key: value for key, value in frame.items() if key != "uuid"}
        for frame in chat.frames
        if "user" in frame
    ]


def test_members_are_listed_and_can_be_changed_by_role(chat: Chat, page: Page) -> None:
    """An admin may change all but owners; of themselves the role alone."""
    page.locator("#members-button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#members li .who")).to_have_text(
        ["alice Admin", "bob Owner", "carol Member", "dave Reader"]
    )
    expect(page.locator("#members button:not(.block):visible")).to_have_text(["Change…"] * 3)
    expect(member(page, "bob").locator("button:not(.block):visible")).to_have_count(0)
    choose(page, "alice", "Role: Reader", open_list=False)
    assert page.locator(f"{CHOICE} option").all_inner_texts() == ["Choose…", "Role: Reader", "Role: Member"]
    page.keyboard.press("Escape")
    expect(page.locator("#member-dialog")).to_be_hidden()
    expect(member(page, "alice").locator("button:not(.block)")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#members-button")).to_be_focused()
    assert moderated(chat) == []


@pytest.mark.parametrize("role", ["member", "reader"])
def test_others_only_see_who_is_there(chat: Chat, role: str) -> None:
    """Without a button that the server would refuse; in a direct room too, where the list is for blocks."""
    people(chat, role, "owner")
    chat.rooms[LOBBY]["kind"] = "direct"
    page = enter(chat.open(), "team")
    page.click("#members-button")
    expect(page.locator("#members li")).to_have_count(2)
    expect(page.locator("#members button:not(.block):visible")).to_have_count(0)
    page.click("#members-dialog [data-closes]")
    chat.join(LOBBY, "member", "member")
    enter(page, "lobby")
    page.click("#members-button")
    expect(page.locator("#members button:visible")).to_have_text(["Block"])


def test_a_role_is_given_once_it_is_confirmed(chat: Chat, page: Page) -> None:
    """The dialog says what will come of it; the list and the log tell it."""
    choose(page, "carol", "Role: Reader")
    expect(page.locator("#member-effect")).to_have_text(
        "\u2068carol\u2069 gets the role Reader in this room."
    )
    assert moderated(chat) == []
    confirm(page)
    expect(page.locator("#member-dialog")).to_be_hidden()
    expect(member(page, "carol").locator("small")).to_have_text("Reader")
    expect(page.locator(".note").last).to_have_text("alice gave carol the role Reader")
    assert moderated(chat) == [{"action": "set_role", "room": TEAM, "user": 9, "role": "reader"}]
    assert chat.errors == []


@pytest.mark.parametrize(
    ("choice", "seconds"),
    [
        ("Mute for 10 minutes", 600),
        ("Mute for 1 hour", 3_600),
        ("Mute for 1 day", 86_400),
        ("Mute without an end", None),
    ],
)
def test_a_member_is_muted_and_unmuted(chat: Chat, page: Page, choice: str, seconds: int | None) -> None:
    """With the end that was chosen; who is muted can be unmuted."""
    choose(page, "carol", choice)
    confirm(page)
    expect(member(page, "carol").locator("small")).to_contain_text("Member, muted")
    (sent,) = moderated(chat)
    assert (sent["action"], sent["user"], "until" in sent) == ("mute_user", 9, seconds is not None)
    if seconds:
        assert abs(sent["until"] - time.time() - seconds) < END_TOLERANCE
        expect(page.locator(".note").last).to_contain_text("alice muted carol until ")
    else:
        expect(page.locator(".note").last).to_have_text("alice muted carol")
    choose(page, "carol", "Unmute", open_list=False)
    confirm(page)
    expect(member(page, "carol").locator("small")).to_have_text("Member")
    expect(page.locator(".note").last).to_have_text("alice unmuted carol")


@pytest.mark.parametrize(
    ("choice", "action", "note"),
    [
        ("Remove from the room", "remove_user", "alice removed carol"),
        ("Ban without an end", "ban_user", "alice banned carol"),
    ],
)
def test_a_member_is_removed_or_banned(chat: Chat, page: Page, choice: str, action: str, note: str) -> None:
    """And leaves the list, in which the focus is not lost."""
    choose(page, "carol", choice)
    confirm(page)
    expect(page.locator("#members li", has_text="carol Member")).to_have_count(0)
    expect(page.locator("#members-dialog [data-closes]")).to_be_focused()
    expect(page.locator(".note").last).to_have_text(note)
    assert moderated(chat) == [{"action": action, "room": TEAM, "user": 9}]


def test_a_ban_may_have_an_end(chat: Chat, page: Page) -> None:
    """It is said before the choice is confirmed, and counted from then."""
    choose(page, "carol", "Ban for 1 week")
    expect(page.locator("#member-effect")).to_contain_text("Nobody can invite them until ")
    confirm(page)
    expect(page.locator(".note").last).to_contain_text("alice banned carol until ")
    (sent,) = moderated(chat)
    assert sent["action"] == "ban_user"
    assert abs(sent["until"] - time.time() - 604_800) < END_TOLERANCE


def test_a_ban_is_lifted(chat: Chat, page: Page) -> None:
    """Those who may see who is banned, below the members."""
    until = int(time.time()) + 3_600
    chat.tell(chat.moderate(TEAM, "ban_user", 10, until=until))
    choose(page, "carol", "Ban without an end")
    confirm(page)
    expect(page.locator("#members li")).to_have_count(4)
    expect(page.locator("#members li small").nth(2)).to_contain_text("banned until ")
    expect(member(page, "carol").locator("small")).to_have_text("banned")
    choose(page, "carol", "Lift the ban", open_list=False)
    confirm(page)
    expect(member(page, "carol")).to_have_count(0)
    expect(page.locator(".note").last).to_have_text("alice lifted the ban of carol")
    assert moderated(chat)[-1] == {"action": "unban_user", "room": TEAM, "user": 9}
    assert chat.errors == []


def test_a_refusal_stands_in_the_dialog(chat: Chat, page: Page) -> None:
    """And the choice stays."""
    chat.refuses = ("forbidden", "Your role does not allow this.")
    choose(page, "carol", "Ban without an end")
    confirm(page)
    expect(page.locator("#member-dialog .wrong")).to_have_text("Your role does not allow this.")
    expect(page.locator("#member-effect")).to_contain_text("Nobody can invite them")
    chat.refuses = None
    confirm(page)
    expect(page.locator("#member-dialog")).to_be_hidden()


def test_what_others_do_is_told_in_the_log(chat: Chat, page: Page) -> None:
    """Each event has a line of its own, and moves no other row."""
    page.evaluate("() => { window.nodes = [...document.querySelectorAll('[data-seq]')]; }")
    until = int(time.time()) + 3_600
    chat.tell(chat.moderate(TEAM, "mute_user", 9, until=until))
    chat.tell(chat.moderate(TEAM, "ban_user", 9, until=until))
    chat.tell(chat.moderate(TEAM, "unban_user", 9, role="member"))
    chat.tell(chat.moderate(TEAM, "set_role", 10, role="owner"))
    notes = page.locator("#messages .note:not(.date)")
    expect(notes).to_have_count(4)
    words = notes.all_inner_texts()
    assert words[0].startswith("bob muted carol until ")
    assert words[1].startswith("bob banned carol until ")
    assert words[2:] == ["bob lifted the ban of carol", "bob gave dave the role Owner"]
    assert page.evaluate("() => nodes.every((node) => node.isConnected)")
    assert chat.errors == []


def is_told(page: Page, sentence: str | None) -> None:
    """Wait until the field is closed for this reason, or open."""
    if sentence is None:
        expect(page.locator("#closed")).to_be_hidden()
        expect(page.locator("#text")).to_be_editable()
    else:
        expect(page.locator("#closed")).to_contain_text(sentence)
        expect(page.locator("#text")).not_to_be_editable()
        expect(page.locator("#send")).to_be_hidden()


def test_the_muted_are_told_and_write_again(chat: Chat, page: Page) -> None:
    """By the events; what was typed stays, and one's own messages can still be deleted."""
    chat.say(TEAM, "mine", user=7)
    page.fill("#text", "half a thought")
    chat.tell(chat.moderate(TEAM, "mute_user", 7))
    is_told(page, "You are muted in this room. What you wrote stays here.")
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator(".own .actions button")).to_have_count(3)
    expect(page.locator("[data-does=edit], [data-does=react]")).to_have_count(0)
    page.reload()
    is_told(page, "You are muted in this room.")
    chat.tell(chat.moderate(TEAM, "unmute_user", 7))
    is_told(page, None)
    expect(page.locator("#text")).to_have_value("half a thought")
    expect(page.locator(".own .actions button")).to_have_count(6)
    assert chat.errors == []


def test_a_mute_ends_by_the_clock(chat: Chat) -> None:
    """Without an event: the page wakes up by itself."""
    people(chat, "member", "owner")
    page = chat.context.new_page()
    page.clock.install()
    page.goto(ORIGIN)
    enter(page, "team")
    is_told(page, None)
    until = int(page.evaluate("Date.now()") / 1000) + 600
    chat.tell(chat.moderate(TEAM, "mute_user", 7, until=until))
    is_told(page, "You are muted in this room until ")
    chat.members[TEAM][0] |= {"muted": False, "muted_until": None}
    page.clock.fast_forward(590_000)
    is_told(page, "You are muted in this room until ")
    page.clock.fast_forward(12_000)
    is_told(page, None)


def test_a_refusal_says_that_one_is_muted(chat: Chat, page: Page) -> None:
    """The api says for how long; what was refused can be sent again afterwards."""
    chat.members[TEAM][0] |= {"muted": True, "muted_until": int(time.time()) + 3_600}
    chat.refuses = ("muted", "You are muted in this room.")
    page.fill("#text", "hear me")
    page.press("#text", "Enter")
    expect(page.locator(".refused .fate")).to_contain_text("You are muted in this room.")
    is_told(page, "You are muted in this room until ")


def test_readers_are_told(chat: Chat, page: Page) -> None:
    """By the event that makes them one, and by a refusal whose event was missed."""
    chat.tell(chat.moderate(TEAM, "set_role", 7, role="reader"))
    is_told(page, "You can only read in this room.")
    expect(page.locator(".actions button:not([data-does=link], [data-does=report])")).to_have_count(0)
    chat.tell(chat.moderate(TEAM, "set_role", 7, role="member"))
    is_told(page, None)
    chat.members[TEAM][0]["role"] = "reader"
    chat.refuses = ("forbidden", "Your role does not allow this.")
    page.fill("#text", "hear me")
    page.press("#text", "Enter")
    is_told(page, "You can only read in this room.")


def test_a_chip_of_ones_own_can_still_be_taken_back(chat: Chat, page: Page) -> None:
    """By the muted: but none can be added."""
    chat.tell(chat.react(TEAM, 1, "👍", user=7))
    chat.tell(chat.react(TEAM, 1, "🎉"))
    chat.tell(chat.moderate(TEAM, "mute_user", 7))
    chips = page.locator("#messages .reactions button")
    expect(chips.nth(0)).to_have_attribute("aria-disabled", "false")
    expect(chips.nth(1)).to_have_attribute("aria-disabled", "true")
    chips.nth(1).click(force=True)
    chips.nth(0).click()
    expect(chips).to_have_text(["🎉 1"])
    assert [frame["action"] for frame in chat.frames if "emoji" in frame] == ["remove_reaction"]


def test_the_banned_are_told(chat: Chat, page: Page) -> None:
    """By whom; an open list goes with the room."""
    page.click("#members-button")
    expect(page.locator("#members li")).to_have_count(4)
    chat.tell(chat.moderate(TEAM, "ban_user", 7))
    del chat.rooms[TEAM]
    chat.tell({"action": "room_left", "room": TEAM})
    expect(page.locator("#closed")).to_contain_text("You were banned from this room by \u2068bob\u2069.")
    expect(page.locator("#members-dialog")).to_be_hidden()
    expect(page.locator("#members-button")).to_be_hidden()


def test_a_long_list_comes_in_pages(make_chat: MakeChat) -> None:
    """100 at a time; a change shows as many as before."""
    chat = make_chat()
    chat.names |= {number: f"person {number}" for number in range(9, 140)}
    chat.join(TEAM, "admin", *["member"] * 132)
    page = enter(chat.open(), "team")
    page.click("#members-button")
    rows = page.locator("#members li")
    expect(rows).to_have_count(100)
    page.click("#more-members")
    expect(rows).to_have_count(133)
    expect(page.locator("#more-members")).to_be_hidden()
    chat.tell(chat.moderate(TEAM, "set_role", 130, role="reader"))
    expect(member(page, "person 130").locator("small")).to_have_text("Reader")
    expect(rows).to_have_count(133)
