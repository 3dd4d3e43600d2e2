"""Messages in their present state, in whatever order events and answers come."""

from itertools import permutations
from typing import Any

from roomlog_client import Event, Messages, RoomReset
from roomlog_client.cli.event_lines import what
from roomlog_client.incoming import event_of

ROOM = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"


def message(seq: int, text: str, **facts: Any) -> dict[str, Any]:
    """Return a message of the wire."""
    user = {"id": 1, "username": "alice"}
    return {
        "id": 100 + seq,
        "seq": seq,
        "user": user,
        "text": text,
        "edited_at": None,
        "deleted": False,
        "reactions": {},
        "reacted_seq": None,
        "pinned": None,
    } | facts


def event(action: str, seq: int, **facts: Any) -> Event:
    """Return an event of the wire."""
    user = {} if action == "new_message" else {"user": {"id": 1, "username": "alice"}}
    place = {"room": ROOM, "epoch": "e", "seq": seq, "action": action, "uuid": f"u{seq}"}
    return event_of(place | user | facts)


def said(seq: int, text: str = "first") -> Event:
    """Return the event of a message."""
    return event("new_message", seq, message=message(seq, text))


def edited(seq: int, target: int, text: str) -> Event:
    """Return the event of an edit."""
    reference = {"id": 100 + target, "seq": target, "user": 1}
    return event("edit_message", seq, message=reference, text=text, edited_at=seq)


def deleted(seq: int, target: int) -> Event:
    """Return the event of a deletion."""
    return event("delete_message", seq, message={"id": 100 + target, "seq": target, "user": 1})


def answer(seq: int, *messages: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of get_history."""
    return {"seq": seq, "room_messages": list(messages)}


def shown(messages: Messages) -> list[tuple[str, int | None, bool]]:
    """Return what a program would show."""
    return [(one["text"], one["edited_at"], one["deleted"]) for one in messages.in_order()]


def test_the_terminal_says_which_message_changed() -> None:
    """By its seq, with what it says now; an edit has its text and who made it, a deletion has none."""
    assert (edited(3, 2, "better").text, edited(3, 2, "x").user.username) == ("better", "alice")
    assert (deleted(3, 2).text, said(2, "hi").text) == ("", "hi")
    assert what(edited(3, 2, "better")) == "(edit_message 2) better"
    assert what(deleted(4, 2)) == "(delete_message 2)"
    assert what(reacted(4, 2, "👍", 1)) == "(add_reaction 2) 👍"
    assert (what(pinned(4, 2)), what(unpinned(5, 2))) == ("(pin_message 2)", "(unpin_message 2)")
    assert (what(said(2, "hi")), what(event("leave_room", 5))) == ("hi", "(leave_room)")


def test_an_edit_has_other_mentions() -> None:
    """A deletion leaves none, and a server that knows none says none."""
    first = event("new_message", 2, message=message(2, "hi") | {"mentions": [1, 2]})
    second = event(
        "edit_message", 3, message=edited(3, 2, "").body["message"], text="x", mentions=[2], edited_at=3
    )
    assert [one.mentions for one in (first, second, edited(4, 2, "y"), deleted(5, 2))] == [
        [1, 2],
        [2],
        [],
        [],
    ]
    messages, after = Messages(), []
    for one in (first, second, deleted(5, 2)):
        messages.apply(one)
        after += [found["mentions"] for found in messages.in_order()]
    assert after == [[1, 2], [2], []]


def test_an_older_answer_brings_no_old_text_back() -> None:
    """Whatever comes first: what is known as of a later seq stays."""
    old, new = answer(2, message(2, "first")), answer(4, message(2, "third", edited_at=4))
    steps = [("add", old), ("add", new), ("apply", edited(3, 2, "second")), ("apply", edited(4, 2, "third"))]
    for order in permutations(steps):
        messages = Messages()
        for step, said_then in order:
            getattr(messages, step)(said_then)
        assert shown(messages) == [("third", 4, False)], order


def test_changes_and_answers_may_come_in_any_order() -> None:
    """A change of what is not known yet is kept; of what is deleted or reset it changes nothing."""
    messages = Messages()
    for change in (edited(3, 2, "second"), deleted(5, 4)):
        messages.apply(change)
    messages.add(answer(4, message(2, "second", edited_at=3), message(4, "secret", data={"a": 1})))
    assert shown(messages) == [("second", 3, False), ("", None, True)]
    assert "data" not in messages.in_order()[1]
    messages = Messages()
    messages.apply(event("new_message", 2, message=message(2, "", deleted=True)))
    messages.apply(edited(3, 2, ""))
    messages.apply(edited(4, 2, "late"))
    assert shown(messages) == [("", None, True)]
    messages.apply(said(5, "first"))
    messages.apply(edited(6, 5, ""))
    messages.apply(event("rename_room", 7, name="n"))
    assert shown(messages)[1] == ("", None, True)
    messages = Messages()
    messages.apply(said(2))
    messages.apply(edited(9, 2, "old"))
    messages.reset(RoomReset(ROOM, "e", "f", 3, [message(2, "new")]))
    assert shown(messages) == [("new", None, False)]
    messages.apply(edited(4, 2, "newer"))
    assert shown(messages) == [("newer", 4, False)]


def reacted(seq: int, target: int, emoji: str, user: int, *, is_added: bool = True) -> Event:
    """Return the event of a reaction."""
    action = "add_reaction" if is_added else "remove_reaction"
    reference = {"id": 100 + target, "seq": target, "user": 1}
    person = {"id": user, "username": f"user{user}"}
    return (
        event(action, seq, message=reference, emoji=emoji)
        if user == 1
        else event_of(event(action, seq, message=reference, emoji=emoji).body | {"user": person})
    )


def below(messages: Messages) -> dict[str, tuple[int, list[int], bool]]:
    """Return the reactions to the only message: count, the first users, whether it is one's own."""
    (one,) = messages.in_order()
    return {
        emoji: (facts["count"], [user["id"] for user in facts["users"]], facts["mine"])
        for emoji, facts in one["reactions"].items()
    }


def test_reactions_count_once_in_whatever_order() -> None:
    """A removed one is gone; the sixth is counted and not named."""
    told = {"👍": {"count": 1, "users": [{"id": 2, "username": "user2"}], "mine": False}}
    steps = [
        ("add", answer(2, message(2, "hi"))),
        ("add", answer(3, message(2, "hi", reactions=told, reacted_seq=4))),
        ("apply", reacted(3, 2, "❤️", 3)),
        ("apply", reacted(4, 2, "❤️", 3, is_added=False)),
        ("apply", reacted(5, 2, "👍", 1)),
    ]
    for order in permutations(steps):
        messages = Messages(me=1)
        messages.apply(reacted(1, 2, "👍", 2))
        for step, said_then in order:
            getattr(messages, step)(said_then)
        assert below(messages) == {"👍": (2, [2, 1], True)}, order
    messages = Messages(me=1)
    messages.apply(said(2))
    for seq, user in enumerate([1, 2, 3, 4, 5, 6], start=3):
        messages.apply(reacted(seq, 2, "👍", user))
    assert below(messages) == {"👍": (6, [1, 2, 3, 4, 5], True)}
    messages.apply(reacted(9, 2, "👍", 1, is_added=False))
    assert below(messages) == {"👍": (5, [2, 3, 4, 5], False)}
    messages.apply(deleted(10, 2))
    assert below(messages) == {}


def pinned(seq: int, target: int) -> Event:
    """Return the event of a pin, made at its seq."""
    return event("pin_message", seq, message={"id": 100 + target, "seq": target, "user": 1}, pinned_at=seq)


def unpinned(seq: int, target: int) -> Event:
    """Return the event that ends a pin."""
    return event("unpin_message", seq, message={"id": 100 + target, "seq": target, "user": 1})


def pins(messages: Messages) -> list[int | None]:
    """Return when each message was pinned."""
    return [one["pinned"] for one in messages.in_order()]


def test_the_last_pin_counts_in_whatever_order() -> None:
    """An answer may hold more than its seq says; an edit in between changes nothing of a pin."""
    steps = [
        ("add", answer(2, message(2, "hi"))),
        ("add", answer(3, message(2, "hi", pinned=3))),
        ("add", answer(4, message(2, "hi", pinned=6))),
        ("apply", pinned(3, 2)),
        ("apply", unpinned(5, 2)),
        ("apply", pinned(6, 2)),
    ]
    for order in permutations(steps):
        messages = Messages()
        messages.apply(edited(7, 2, "better"))
        for step, said_then in order:
            getattr(messages, step)(said_then)
        assert pins(messages) == [6], order
    messages.apply(unpinned(8, 2))
    messages.add(answer(7, message(2, "better", pinned=6)))
    assert pins(messages) == [None]


def test_a_list_of_pins_is_an_answer_and_a_deletion_ends_a_pin() -> None:
    """Shown in the room's order; also an edit without a text and a reset end a pin."""
    messages = Messages()
    messages.apply(pinned(9, 4))
    messages.add(answer(8, message(2, "first", pinned=7), message(4, "second", pinned=6)))
    assert pins(messages) == [7, 9]
    messages = Messages()
    messages.apply(said(2))
    messages.apply(pinned(3, 2))
    messages.add(answer(6, message(5, "second", pinned=6)))
    assert pins(messages) == [3, 6]
    messages.apply(deleted(7, 2))
    messages.apply(edited(8, 5, ""))
    assert pins(messages) == [None, None]
    messages.apply(pinned(9, 2))
    messages.reset(RoomReset(ROOM, "e", "f", 3, [message(2, "new")]))
    assert pins(messages) == [None]
