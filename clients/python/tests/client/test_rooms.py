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


def test_next_event_is_handed_on_after_the_cursor_moved(rooms: Rooms) -> None:
    """The event after the cursor is handed on, and the cursor is there before anybody takes it."""
    rooms.event(event(11))
    assert rooms.cursors() == {ROOM: Cursor(EPOCH, 11)}
    assert seqs(rooms) == [11]
    assert ask(rooms) == []


def test_repeated_event_is_ignored(rooms: Rooms) -> None:
    """An event at or below the cursor is handed on no second time and asks nothing."""
    for seq in (11, 11, 10, 3):
        rooms.event(event(seq))
    assert seqs(rooms) == [11]
    assert ask(rooms) == []


def test_gap_is_asked_for_once(rooms: Rooms) -> None:
    """An event above the next is not handed on; the client asks from its cursor, once."""
    rooms.event(event(12))
    rooms.event(event(13))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]
    rooms.event(event(14))
    assert ask(rooms) == []
    assert seqs(rooms) == []


def test_page_closes_the_gap_and_live_events_go_on(rooms: Rooms) -> None:
    """The page's events are handed on in order, then the live ones; nothing is asked any more."""
    rooms.event(event(12))
    ask(rooms)
    rooms.page(page(11, 12), 1.0)
    rooms.event(event(13))
    assert seqs(rooms) == [11, 12, 13]
    assert ask(rooms, 1.0) == []


def test_pages_are_asked_until_there_are_no_more(rooms: Rooms) -> None:
    """With `more` the next question starts where the page ended."""
    rooms.head_is(ROOM, Cursor(EPOCH, 30))
    ask(rooms)
    rooms.page(page(11, 20, more=True), 1.0)
    assert ask(rooms, 1.0) == [Question(ROOM, Cursor(EPOCH, 20))]
    rooms.page(page(21, 30), 2.0)
    assert ask(rooms, 2.0) == []
    assert seqs(rooms) == list(range(11, 31))


def test_live_event_between_two_pages_is_read_with_the_next(rooms: Rooms) -> None:
    """An event that overtakes the missing ones is dropped, because the page after brings it in order."""
    rooms.head_is(ROOM, Cursor(EPOCH, 20))
    ask(rooms)
    rooms.page(page(11, 15, more=True), 1.0)
    rooms.event(event(21))
    ask(rooms, 1.0)
    rooms.page(page(16, 21), 2.0)
    assert seqs(rooms) == list(range(11, 22))


def test_page_with_known_events_repeats_nothing(rooms: Rooms) -> None:
    """A page that overlaps with what came live adds only what is new."""
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.event(event(11))
    rooms.page(page(11, 12), 1.0)
    assert seqs(rooms) == [11, 12]


def test_page_that_brings_nothing_is_not_asked_again_at_once(rooms: Rooms) -> None:
    """A page without the missing event makes the client wait a second, not spin."""
    rooms.event(event(12))
    ask(rooms)
    rooms.page(Page("", ROOM, EPOCH, 12, [event(12)], more=False, reset=False), 5.0)
    assert ask(rooms, 5.0) == []
    assert rooms.next_at(5.0) == 5.0 + NO_PROGRESS_SECONDS
    assert len(ask(rooms, 5.0 + NO_PROGRESS_SECONDS)) == 1


def test_head_above_the_cursor_asks(rooms: Rooms) -> None:
    """Heads reveal that the last events were lost."""
    rooms.head_is(ROOM, Cursor(EPOCH, 10))
    assert ask(rooms) == []
    rooms.head_is(ROOM, Cursor(EPOCH, 11))
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]


def test_sync_required_asks_even_where_nothing_seems_missing(rooms: Rooms) -> None:
    """The server sends nothing more until asked, so the client asks from its cursor."""
    rooms.must_ask(ROOM)
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]


def test_demand_during_a_question_is_met_by_its_answer(rooms: Rooms) -> None:
    """A `sync_required` that crosses a question asks nothing more: the answer says where to go on."""
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.must_ask(ROOM)
    assert ask(rooms) == []
    rooms.page(page(11, 11), 1.0)
    assert ask(rooms, 1.0) == []
    assert seqs(rooms) == [11]


def test_second_reset_during_a_question_asks_again(rooms: Rooms) -> None:
    """An answer that was under way when the log was reset may be about the log before."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.selected(Selected("", ROOM, "e2", 5, []))
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]


def test_a_reset_that_crosses_its_answer_is_no_second_one(rooms: Rooms) -> None:
    """The room is in the new epoch already: the cursor is good, and the server waits for it."""
    rooms.reset(ROOM, "e2")
    assert ask(rooms) == [Question(ROOM, None)]
    rooms.selected(Selected("", ROOM, "e2", 5, []))
    rooms.reset(ROOM, "e2")
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]


def test_answer_of_before_the_room_was_joined_again_is_no_reset(rooms: Rooms) -> None:
    """The question is older than the membership: the answer says no more than where the head is."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.left(ROOM)
    rooms.joined(summary(5, epoch="e2"))
    rooms.selected(Selected("", ROOM, "e2", 6, []))
    assert [type(item) for item in take(rooms)] == [RoomLeft, RoomJoined]
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 5))]


def test_reset_is_not_forgotten_over_other_demands(rooms: Rooms) -> None:
    """A cursor that is worth nothing stays so, whatever else asks for the room."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.must_ask(ROOM)
    rooms.head_is(ROOM, Cursor(EPOCH, 30))
    rooms.event(event(11))
    assert seqs(rooms) == []
    assert ask(rooms) == [Question(ROOM, None)]


def test_answer_of_a_repeat_is_no_event(rooms: Rooms) -> None:
    """A duplicate's answer is not handed on, but reveals that its event is missing."""
    rooms.event(event(11, duplicate=True))
    assert seqs(rooms) == []
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 10))]


def test_reset_page_throws_the_cursor_away(rooms: Rooms) -> None:
    """After a reset the room is selected afresh and goes on from the new epoch's head."""
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


def test_reset_while_a_page_is_under_way_wins(rooms: Rooms) -> None:
    """A page asked for before the reset is not applied after it."""
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.page(page(11, 12), 1.0)
    assert seqs(rooms) == []
    assert ask(rooms, 1.0) == [Question(ROOM, None)]


def test_reset_room_reads_from_the_beginning_where_the_client_does() -> None:
    """A client that starts at the beginning reads the log from its first event that is kept."""
    rooms = following(10, start="beginning", cursors={ROOM: Cursor(EPOCH, 10)})
    rooms.must_ask(ROOM, Ask.AFRESH)
    ask(rooms)
    rooms.selected(Selected("", ROOM, "e2", 5, [], first_seq=3))
    assert ask(rooms) == [Question(ROOM, Cursor("e2", 2))]


def test_room_without_cursor_begins_at_the_head_or_the_beginning() -> None:
    """`start` decides where a room begins that the client has no cursor of."""
    assert ask(following(10)) == []
    assert ask(following(10, start="beginning")) == [Question(ROOM, Cursor(EPOCH, 0))]


def test_known_cursor_resumes() -> None:
    """A cursor of an earlier run is where the room goes on; of another epoch it is asked for too."""
    assert ask(following(10, cursors={ROOM: Cursor(EPOCH, 7)})) == [Question(ROOM, Cursor(EPOCH, 7))]
    assert ask(following(10, cursors={ROOM: Cursor("e0", 10)})) == [Question(ROOM, Cursor("e0", 10))]


def test_reconnect_asks_only_for_what_was_missed(rooms: Rooms) -> None:
    """After a reconnect the rooms that moved on are asked for, from the cursor."""
    rooms.event(event(11))
    rooms.must_ask(ROOM)
    ask(rooms)
    rooms.disconnected()
    assert ask(rooms) == []
    rooms.authenticated([summary(11)])
    assert ask(rooms) == []
    rooms.authenticated([summary(13)])
    assert ask(rooms) == [Question(ROOM, Cursor(EPOCH, 11))]


def test_interrupted_reset_is_finished_after_the_reconnect(rooms: Rooms) -> None:
    """A cursor that is worth nothing stays worth nothing on the next connection."""
    rooms.must_ask(ROOM, Ask.AFRESH)
    rooms.disconnected()
    rooms.authenticated([summary(10)])
    assert ask(rooms) == [Question(ROOM, None)]


def test_rooms_come_and_go(rooms: Rooms) -> None:
    """Joined and left rooms are told once, also when that happened while the client was away."""
    other = summary(3, "b" * 32)
    rooms.joined(other)
    rooms.joined(other)
    rooms.left(ROOM)
    rooms.left(ROOM)
    rooms.event(event(11))
    assert take(rooms) == [RoomJoined(other, 3), RoomLeft(ROOM)]
    rooms.authenticated([summary(12)])
    assert take(rooms) == [RoomLeft(other.id), RoomJoined(summary(12), 12)]


def test_only_the_chosen_rooms_are_followed() -> None:
    """Events of rooms that the application did not choose are dropped."""
    rooms = Rooms("head", ["b" * 32], {})
    rooms.authenticated([summary(10), summary(3, "b" * 32)])
    take(rooms)
    rooms.event(event(11))
    rooms.event(event(4, "b" * 32))
    assert seqs(rooms) == [4]


def test_unanswered_question_is_asked_again(rooms: Rooms) -> None:
    """A question without an answer counts as lost after its time."""
    rooms.must_ask(ROOM)
    ask(rooms, 1.0)
    assert rooms.next_at(1.0) == 1.0 + ASKED_SECONDS
    rooms.expire(0.9 + ASKED_SECONDS)
    assert ask(rooms, 0.9 + ASKED_SECONDS) == []
    rooms.expire(1.0 + ASKED_SECONDS)
    assert len(ask(rooms, 1.0 + ASKED_SECONDS)) == 1


def test_refused_question_waits_for_its_time(rooms: Rooms) -> None:
    """A question that the server refused for now is asked again at the time that it named."""
    rooms.must_ask(ROOM)
    ask(rooms, 1.0)
    rooms.refused(ROOM, 3.0)
    assert ask(rooms, 2.9) == []
    assert rooms.next_at(2.9) == 3.0
    assert len(ask(rooms, 3.0)) == 1


def test_few_rooms_are_asked_at_once() -> None:
    """Many rooms that are behind are read a few at a time, each in its turn."""
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
    """By a notice, or by the list of rooms after an absence; a late notice changes nothing."""
    rooms.marked(marked(4))
    rooms.marked(marked(4))
    rooms.marked(marked(3))
    rooms.authenticated([marked(6)])
    rooms.marked(replace(marked(9), id="c" * 32))
    assert take(rooms) == [RoomMarked(marked(4)), RoomMarked(marked(6))]
    assert [(one.read_seq, one.unread) for one in rooms.summaries()] == [(6, 4)]


def test_a_mark_of_another_epoch_is_taken_as_it_is(rooms: Rooms) -> None:
    """A restored database may have an earlier one."""
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
