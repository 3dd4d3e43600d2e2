"""A room's events in their order: late, early, twice, lost, of another log."""

import pytest

from roomlog_contract import limits
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import Stage, read, read_outbox, seqs


def test_events_are_delivered_in_order_and_once(stage: Stage, session: Session) -> None:
    """Early ones wait for their predecessor, repeated ones are dropped."""
    for _ in range(4):
        stage.append()
    stage.publish(1, 3, 3, 2, 1, 4, 2)
    assert seqs(read(session)) == [1, 2, 3, 4]


def test_a_missing_event_is_asked_for_and_then_all_follow(stage: Stage, session: Session) -> None:
    """A fetched page fills the gap, and what waited behind it is delivered."""
    for _ in range(5):
        stage.append()
    stage.publish(1, 4, 5)
    assert seqs(read(session)) == [1]
    assert stage.gaps.watched
    assert not stage.room.close_gap()
    stage.fetch()
    assert seqs(read(session)) == [2, 3, 4, 5]
    assert stage.room.close_gap()


def test_more_early_events_than_are_held_are_fetched(stage: Stage, session: Session) -> None:
    """Over 256 the held ones are dropped, and the highest seq is remembered."""
    for _ in range(limits.HELD_EVENTS + 10):
        stage.append()
    stage.publish(*range(2, limits.HELD_EVENTS + 11))
    assert read(session) == []
    received = []
    while not stage.room.close_gap():
        stage.fetch(limit=50)
        received += seqs(read(session))
    assert received == list(range(1, limits.HELD_EVENTS + 11))


def test_a_head_reveals_the_last_event_that_was_lost(stage: Stage) -> None:
    """Nothing came after the lost one, but the database knows it."""
    stage.session()
    stage.append()
    stage.incoming.compare_head(stage.room, stage.log.epoch, 1, is_certain=False)
    assert stage.gaps.watched == 1


def test_an_event_of_another_log_is_not_believed_unasked(stage: Stage, session: Session) -> None:
    """A straggler of the old log must not reset anybody."""
    straggler = stage.append()
    stage.begin_anew()
    assert [frame["action"] for frame in read(session)] == ["reset"]
    stage.incoming.take_event(stage.room, straggler)
    assert stage.gaps.doubted == 1
    assert read(session) == []


def test_a_new_log_resets_its_connections(stage: Stage, session: Session) -> None:
    """All are told the new epoch, and nothing is sent until they ask."""
    stage.commit()
    read(session)
    stage.begin_anew()
    stage.commit()
    frames = read(session)
    assert [(frame["action"], frame["epoch"]) for frame in frames] == [("reset", stage.log.epoch)]
    stage.selection.answer(stage.select(session), stage.snapshot(0))
    stage.commit()
    assert seqs(read(session)) == [2]


def test_events_before_the_first_head_are_not_lost(stage: Stage) -> None:
    """Between subscription and the first head, events wait; those above the head are delivered."""
    stage.room.epoch = ""
    for _ in range(4):
        stage.append()
    stage.publish(2, 3, 4)
    stage.compare_head(2)
    assert stage.room.seq == 4


@pytest.mark.parametrize("is_behind", [False, True])
def test_the_senders_answer_comes_with_the_event(stage: Stage, is_behind: bool) -> None:
    """One frame is both; a sender that is sent no events is told too that its command was carried out."""
    sender = stage.session()
    if is_behind:
        stage.room.fall_behind(sender)
    stage.answered[5] = sender
    stage.append(request=5)
    stage.publish(1)
    assert seqs(read(sender)) == [1]


def test_a_repeated_publication_still_answers(stage: Stage) -> None:
    """The worker that died before it published is followed by one that publishes again."""
    sender = stage.session()
    stage.append(request=5)
    stage.publish(1)
    read(sender)
    stage.answered[5] = sender
    stage.publish(1)
    assert seqs(read(sender)) == [1]


def test_an_overflow_becomes_one_sync_required(stage: Stage) -> None:
    """A connection that reads nothing keeps 256 events at most, then a single request to ask."""
    slow, quick = stage.session(), stage.session()
    received = []
    for _ in range(limits.OUTBOX_EVENTS + 49):
        stage.commit()
        received += seqs(read(quick))
    assert [frame["action"] for frame in read(slow)] == ["sync_required"]
    assert received == list(range(1, limits.OUTBOX_EVENTS + 50))


def test_a_socket_that_takes_all_loses_nothing_to_a_long_turn(stage: Stage) -> None:
    """More than an outbox holds may come in one turn of the loop: it is written in between."""
    quick = stage.session()
    frames = []
    quick.connection.flush = lambda: frames.extend(read_outbox(quick))  # type: ignore[method-assign]
    stage.commit(3 * limits.OUTBOX_EVENTS)
    frames += read(quick)
    assert [frame["seq"] for frame in frames] == list(range(1, 3 * limits.OUTBOX_EVENTS + 1))


def test_who_left_gets_the_event_and_nothing_after_it(stage: Stage) -> None:
    """The log decides: the leaver's last event is its leave."""
    leaver, other = stage.session(), stage.session()
    leaver.user = 9
    stage.append(left=9)
    stage.append()
    stage.publish(1, 2)
    assert seqs(read(leaver)) == [1]
    assert seqs(read(other)) == [1, 2]
    assert stage.room.has_departed(9, head=0)
    assert not stage.room.has_departed(9, head=1)
