"""The order of a room's events at the client: next, repeated, missing, reset, more than there is space."""

from typing import Any

import pytest
from msgspec.structs import replace

from roomlog_client.events import Event, RoomJoined, RoomLeft, RoomMarked, RoomReset, RoomSummary
from roomlog_client.incoming import Page, Selected
from roomlog_client.rooms import (
    ASKED_SECONDS,
    NO_PROGRESS_SECONDS,
    ROOMS_ASKED,
    WAITING_ITEMS,
    Ask,
    Question,
    Rooms,
)
from roomlog_contract.commands import Cursor
from roomlog_contract.events import User

ROOM = "a" * 32
EPOCH = "e1"


def summary(seq: int = 10, room: str = ROOM, epoch: str = EPOCH) -> RoomSummary:
    """Return a room whose head is `seq`."""
    return RoomSummary(room, "Kitchen", "group", epoch, seq)


def event(seq: int, room: str = ROOM, epoch: str = EPOCH, **facts: Any) -> Event:
    """Return the event at a place of a room's log."""
    return Event(room, epoch, seq, "new_message", f"u-{seq}", User(2, "bob"), f"text {seq}", {}, **facts)


def page(first: int, last: int, *, more: bool = False, reset: bool = False, epoch: str = EPOCH) -> Page:
    """Return the answer with the events from `first` to `last`."""
    events = [event(seq) for seq in range(first, last + 1)]
    return Page(f"select-{ROOM}", ROOM, epoch, last, events, more, reset)


def following(seq: int = 10, **options: Any) -> Rooms:
    """Return a client's rooms just after authenticate, with nothing waiting."""
    rooms = Rooms(options.pop("start", "head"), options.pop("only", ()), options.pop("cursors", {}))
    rooms.authenticated([summary(seq)])
    take(rooms)
    return rooms


@pytest.fixture
def rooms() -> Rooms:
    """One room that has been followed to place 10."""
    return following(10)


def take(rooms: Rooms) -> list[Any]:
    """Take the items out, as the client and then the application do."""
    items = list(rooms.items)
    rooms.items.clear()
    rooms.taken(len(items))
    return items


def seqs(rooms: Rooms) -> list[int]:
    """Take the items out and return the places of the events among them."""
    return [item.seq for item in take(rooms) if isinstance(item, Event)]


def ask(rooms: Rooms, now: float = 0.0) -> list[Question]:
    """Return the questions of that moment, as sent."""
    questions = rooms.questions(now)
    for question in questions:
        rooms.asked(question.room, now)
    return questions


def test_next_event_is_handed_on_once_after_the_cursor_moved(rooms: Rooms) -> None:
    """The cursor is there before anybody takes it; at or below it an event is ignored."""
    rooms.event(event(11))
    assert rooms.cursors() == {ROOM: Cursor(EPOCH, 11)}
    assert seqs(rooms) == [11]
    assert ask(rooms) == []
    rooms = following(10)
    for seq in (11, 11, 10, 3):
        rooms.event(event(seq))
    assert seqs(rooms) == [11]
    assert ask(rooms) == []


def test_gap_is_asked_for_once_and_closed_by_a_page(rooms: Rooms) -> None:
    """From the cursor; the page's events come in order, then the live ones."""
    rooms.event(event(12))
    rooms.event(event(13))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms.event(event(14))
    assert ask(rooms) == []
    assert seqs(rooms) == []
    rooms = following(10)
    rooms.event(event(12))
    ask(rooms)
    rooms.page(page(11, 12), 1.0)
    rooms.event(event(13))
    assert seqs(rooms) == [11, 12, 13]
    assert ask(rooms, 1.0) == []


def test_pages_are_asked_until_there_are_no_more(rooms: Rooms) -> None:
    """A live event that overtakes the missing ones is read with the next."""
    rooms.head_is(ROOM, Cursor(EPOCH, 30))
    ask(rooms)
    rooms.page(page(11, 20, more=True), 1.0)
    assert ask(rooms, 1.0) == [Question(ROOM, Cursor(EPOCH, 20))]
    rooms.page(page(21, 30), 2.0)
    assert ask(rooms, 2.0) == []
    assert seqs(rooms) == list(range(11, 31))
    rooms = following(10)
    rooms.head_is(ROOM, Cursor(EPOCH, 20))
    ask(rooms)
    rooms.page(page(11, 15, more=True), 1.0)
    rooms.event(event(21))
    ask(rooms, 1.0)
    rooms.page(page(16, 21), 2.0)
    assert seqs(rooms) == list(range(11, 22))


def test_page_repeats_nothing_and_makes_nobody_spin(rooms: Rooms) -> None:
    """What came live is not repeated; one that brings nothing is asked again in a second."""
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.event(event(11))
    rooms.page(page(11, 12), 1.0)
    assert seqs(rooms) == [11, 12]
    rooms = following(10)
    rooms.event(event(12))
    ask(rooms)
    rooms.page(Page("", ROOM, EPOCH, 12, [event(12)], more=False, reset=False), 5.0)
    assert ask(rooms, 5.0) == []
    assert rooms.next_at(5.0) == 5.0 + NO_PROGRESS_SECONDS
    assert len(ask(rooms, 5.0 + NO_PROGRESS_SECONDS)) == 1


def test_the_server_may_demand_a_question(rooms: Rooms) -> None:
    """By heads that reveal lost events, or by `sync_required`, which its answer meets."""
    rooms.head_is(ROOM, Cursor(EPOCH, 10))
    assert ask(rooms) == []
    rooms.head_is(ROOM, Cursor(EPOCH, 11))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms = following(10)
    rooms.must_ask(ROOM)
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms = following(10)
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.must_ask(ROOM)
    assert ask(rooms) == []
    rooms.page(page(11, 11), 1.0)
    assert ask(rooms, 1.0) == []
    assert seqs(rooms) == [11]


def test_second_reset_during_a_question_asks_again(rooms: Rooms) -> None:
    """Not one that crosses its answer: the room is in the new epoch already."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.selected(Selected("", ROOM, "e2", 5, []))
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]
    rooms = following(10)
    rooms.reset(ROOM, "e2")
    assert ask(rooms) == [Question(ROOM, None)]
    rooms.selected(Selected("", ROOM, "e2", 5, []))
    rooms.reset(ROOM, "e2")
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]


def test_reset_wins_over_other_demands_and_pages(rooms: Rooms) -> None:
    """A cursor that is worth nothing stays so, also on the next connection."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.must_ask(ROOM)
    rooms.head_is(ROOM, Cursor(EPOCH, 30))
    rooms.event(event(11))
    assert seqs(rooms) == []
    assert ask(rooms) == [Question(ROOM, None)]
    rooms = following(10)
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.page(page(11, 12), 1.0)
    assert seqs(rooms) == []
    assert ask(rooms, 1.0) == [Question(ROOM, None)]
    rooms = following(10)
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.disconnected()
    rooms.authenticated([summary(10)])
    assert ask(rooms) == [Question(ROOM, None)]


def test_answer_of_a_repeat_is_no_event(rooms: Rooms) -> None:
    """One of before the room was joined again is no reset."""
    rooms.event(event(11, duplicate=True))
    assert seqs(rooms) == []
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms = following(10)
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.left(ROOM)
    rooms.joined(summary(5, epoch="e2"))
    rooms.selected(Selected("", ROOM, "e2", 6, []))
    assert [type(item) for item in take(rooms)] == [RoomLeft, RoomJoined]
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]


def test_reset_page_throws_the_cursor_away(rooms: Rooms) -> None:
    """And on goes the new epoch's head, or its beginning where the client reads from there."""
    rooms.event(event(4, epoch="e2"))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms.page(Page("", ROOM, "e2", 4, [], more=False, reset=True), 1.0)
    assert ask(rooms, 1.0) == [Question(ROOM, None)]
    rooms.selected(Selected("", ROOM, "e2", 5, [{"id": 1}]))
    rooms.event(event(6, epoch="e2"))
    reset, following_event = take(rooms)
    assert reset == RoomReset(ROOM, EPOCH, "e2", 5, [{"id": 1}])
    assert following_event.seq == 6
    assert rooms.cursors() == {ROOM: Cursor("e2", 6)}
    rooms = following(10, start="beginning", cursors={ROOM: Cursor(EPOCH, 10)})
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.selected(Selected("", ROOM, "e2", 5, [], first_seq=3))
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 2))]


def test_where_a_room_begins() -> None:
    """At the head or the beginning by `start`, or at a cursor of an earlier run."""
    assert ask(following(10)) == []
    assert ask(following(10, start="beginning")) == [Question(ROOM, Cursor(EPOCH, 0))]
    assert ask(following(10, cursors={ROOM: Cursor(EPOCH, 7)})) == [Question(ROOM, Cursor(EPOCH, 7))]
    assert ask(following(10, cursors={ROOM: Cursor("e0", 10)})) == [Question(ROOM, Cursor("e0", 10))]


def test_rooms_come_and_go(rooms: Rooms) -> None:
    """Told once, also while away; after a reconnect only what was missed is asked for."""
    other = summary(3, "b" * 32)
    rooms.joined(other)
    rooms.joined(other)
    rooms.left(ROOM)
    rooms.left(ROOM)
    rooms.event(event(11))
    assert take(rooms) == [RoomJoined(other, 3), RoomLeft(ROOM)]
    rooms.authenticated([summary(12)])
    assert take(rooms) == [RoomLeft(other.id), RoomJoined(summary(12), 12)]
    rooms = following(10)
    rooms.event(event(11))
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.disconnected()
    assert ask(rooms) == []
    rooms.authenticated([summary(11)])
    assert ask(rooms) == []
    rooms.authenticated([summary(13)])
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 11))]


def test_only_the_chosen_rooms_are_followed_and_few_asked_at_once() -> None:
    """Many that are behind are read each in its turn."""
    rooms = Rooms("head", ["b" * 32], {})
    rooms.authenticated([summary(10), summary(3, "b" * 32)])
    take(rooms)
    rooms.event(event(11))
    rooms.event(event(4, "b" * 32))
    assert seqs(rooms) == [4]
    rooms = Rooms("beginning", (), {})
    names = [f"{number:032x}" for number in range(2 * ROOMS_ASKED + 1)]
    rooms.authenticated([summary(1, name) for name in names])
    take(rooms)
    asked: list[str] = []
    while len(asked) < len(names):
        batch = [question.room for question in ask(rooms)]
        assert 1 <= len(batch) <= ROOMS_ASKED
        for name in batch:
            rooms.page(Page("", name, EPOCH, 1, [event(1, name)], more=False, reset=False), 0.0)
        asked += batch
        take(rooms)
    assert asked == names


def test_question_is_asked_again(rooms: Rooms) -> None:
    """Unanswered after its time, refused at the time that the server named."""
    rooms.must_ask(ROOM)
    ask(rooms, 1.0)
    assert rooms.next_at(1.0) == 1.0 + ASKED_SECONDS
    rooms.expire(0.9 + ASKED_SECONDS)
    assert ask(rooms, 0.9 + ASKED_SECONDS) == []
    rooms.expire(1.0 + ASKED_SECONDS)
    assert len(ask(rooms, 1.0 + ASKED_SECONDS)) == 1
    rooms = following(10)
    rooms.must_ask(ROOM)
    ask(rooms, 1.0)
    rooms.refused(ROOM, 3.0)
    assert ask(rooms, 2.9) == []
    assert rooms.next_at(2.9) == 3.0
    assert len(ask(rooms, 3.0)) == 1


def test_slow_application_loses_nothing() -> None:
    """What there is no space for stays in the log and is asked for when the application has caught up."""
    rooms = following(0)
    for seq in range(1, WAITING_ITEMS + 50):
        rooms.event(event(seq))
    assert len(rooms.items) == WAITING_ITEMS
    assert ask(rooms) == []
    assert seqs(rooms) == list(range(1, WAITING_ITEMS + 1))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, WAITING_ITEMS))]


def marked(read_seq: int, epoch: str = EPOCH) -> RoomSummary:
    """Return the room with a read mark."""
    return replace(summary(10), epoch=epoch, read_seq=read_seq, unread=10 - read_seq)


def test_a_mark_is_told_once_and_never_goes_back(rooms: Rooms) -> None:
    """By a notice or the list of rooms; of another epoch it is taken as it is."""
    rooms.marked(marked(4))
    rooms.marked(marked(4))
    rooms.marked(marked(3))
    rooms.authenticated([marked(6)])
    rooms.marked(replace(marked(9), id="c" * 32))
    assert take(rooms) == [RoomMarked(marked(4)), RoomMarked(marked(6))]
    assert [(one.read_seq, one.unread) for one in rooms.summaries()] == [(6, 4)]
    rooms = following(10)
    rooms.marked(marked(4))
    rooms.authenticated([marked(2, "restored")])
    assert [(one.epoch, one.read_seq) for one in rooms.summaries()] == [("restored", 2)]


def test_an_application_that_is_far_behind_is_told_of_the_last_mark_alone(rooms: Rooms) -> None:
    """Its queue has a bound; the room itself knows the mark at once."""
    for _ in range(WAITING_ITEMS):
        rooms.hand_on(RoomLeft("x"))
    rooms.items.clear()
    rooms.marked(marked(4))
    rooms.marked(marked(5))
    assert rooms.items == []
    assert rooms.summaries()[0].read_seq == 5
    rooms.taken(WAITING_ITEMS)
    assert take(rooms) == [RoomMarked(marked(5))]
