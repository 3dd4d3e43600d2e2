"""select_room without a race: what is held, what follows the answer, what a missing answer leaves behind."""

import pytest

from roomlog_contract import limits
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import ROOM, Stage, read, seqs
from tests.gateway.room_log import RESTORED, RoomLog


def test_events_wait_for_the_answer_and_follow_it(stage: Stage, session: Session) -> None:
    """What is in the answer is not sent again; what is not, is."""
    request = stage.select(session)
    stage.append()
    answer = stage.snapshot(0)
    stage.append()
    stage.publish(1, 2)
    assert read(session) == []
    stage.selection.answer(request, answer)
    frames = read(session)
    assert frames[0]["action"] == "select_room"
    assert seqs(frames) == [2]


def test_an_answer_ahead_of_the_notices_is_not_repeated_by_them(stage: Stage, session: Session) -> None:
    """The worker read the log before its notice came here."""
    request = stage.select(session)
    stage.append()
    stage.selection.answer(request, stage.snapshot(0))
    read(session)
    stage.append()
    stage.publish(1, 2)
    assert seqs(read(session)) == [2]


def test_a_page_with_more_stops_the_events_until_the_last_page(stage: Stage, session: Session) -> None:
    """Between two pages nothing is sent, and nothing is missing in the end."""
    stage.commit(4)
    read(session)
    request = stage.select(session)
    stage.selection.answer(request, stage.snapshot(0, limit=2))
    stage.commit()
    assert [frame["action"] for frame in read(session)] == ["select_room"]
    assert stage.room.behind() == [session]
    request = stage.select(session)
    stage.selection.answer(request, stage.snapshot(2))
    stage.commit()
    assert seqs(read(session)) == [6]


def test_without_an_answer_the_held_events_are_sent(stage: Stage, session: Session) -> None:
    """An error or 15 s without an answer leave the connection where it was, without a gap."""
    request = stage.select(session)
    stage.commit()
    stage.selection.release(request)
    stage.commit()
    assert seqs(read(session)) == [1, 2]


def test_what_came_in_the_same_loop_turn_is_sent_before_the_hold(stage: Stage, session: Session) -> None:
    """The events of a turn are given out at its end; a select_room in between must not swallow them."""
    stage.commit()
    request = stage.select(session)
    stage.commit()
    stage.selection.release(request)
    assert seqs(read(session)) == [1, 2]


def test_who_becomes_live_in_the_middle_of_a_loop_turn_gets_what_follows_only(stage: Stage) -> None:
    """What came earlier in the turn is in the head that it was told."""
    first = stage.session()
    stage.commit()
    newcomer = stage.session()
    stage.commit()
    assert seqs(read(newcomer)) == [2]
    assert seqs(read(first)) == [1, 2]


def test_more_events_than_are_held_must_be_asked_for(stage: Stage, session: Session) -> None:
    """Over 256 the held ones are dropped; the answer is followed by a request to ask for the rest."""
    request = stage.select(session)
    answer = stage.snapshot(0)
    stage.commit(limits.HELD_EVENTS + 2)
    stage.selection.answer(request, answer)
    assert [frame["action"] for frame in read(session)] == ["select_room", "sync_required"]
    stage.commit()
    assert read(session) == []


def test_an_overflow_that_the_answer_covers_needs_no_question(stage: Stage, session: Session) -> None:
    """Everything that was dropped is in the answer."""
    request = stage.select(session)
    stage.commit(limits.HELD_EVENTS + 2)
    stage.selection.answer(request, stage.snapshot(limits.HELD_EVENTS))
    stage.commit()
    assert seqs(read(session)) == [limits.HELD_EVENTS + 3]


def test_of_two_selections_the_last_answer_counts(stage: Stage, session: Session) -> None:
    """Events wait for both; they go on from the second."""
    first, second = stage.select(session), stage.select(session)
    one = stage.snapshot(0)
    stage.append()
    two = stage.snapshot(0)
    stage.append()
    stage.publish(1, 2)
    stage.selection.answer(first, one)
    assert seqs(read(session)) == []
    stage.selection.answer(second, two)
    assert seqs(read(session)) == [2]


def test_an_answer_from_another_log_makes_the_room_begin_anew(stage: Stage) -> None:
    """The database has spoken: everybody else is reset, and the one who asked must ask afresh."""
    session, other = stage.session(), stage.session()
    request = stage.select(session)
    stage.log = RoomLog(ROOM, RESTORED)
    stage.selection.answer(request, stage.snapshot(0))
    assert [frame["action"] for frame in read(session)] == ["select_room", "reset"]
    assert [frame["action"] for frame in read(other)] == ["reset"]


def test_a_selection_of_a_room_that_was_left_changes_nothing(stage: Stage, session: Session) -> None:
    """The answer is passed on; no event follows."""
    request = stage.select(session)
    stage.room.leave(session)
    session.leave(stage.room.id)
    stage.selection.answer(request, stage.snapshot(0))
    stage.commit()
    assert [frame["action"] for frame in read(session)] == ["select_room"]


def test_held_events_stop_when_full(stage: Stage, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing later of the room is sent behind `sync_required`: the client would see a gap and ask twice."""
    request = stage.select(session)
    answer = stage.snapshot(0)
    stage.commit(8)
    monkeypatch.setattr(limits, "OUTBOX_EVENTS", 3)
    stage.selection.answer(request, answer)
    frames = read(session)
    assert [frame["action"] for frame in frames] == ["select_room", "sync_required"]
    assert stage.room.behind() == [session]
