"""The counts: what is accepted, lost, doubled and unanswered, and how long it took."""

from benchmarks.tally import Losses, Tally, percentile


def two_rooms() -> Tally:
    """Connections 0 and 1 in the first room, 2 to 4 in the second."""
    return Tally([[0, 1], [2, 3, 4]])


def test_what_everybody_got_once_is_neither_lost_nor_doubled() -> None:
    """A message is accepted by its sender's own copy; other copies count by connection."""
    tally = two_rooms()
    number = tally.send(sender=0, room=0, sent_at=1.0)
    assert not tally.deliver(1, number)
    assert tally.accepted == 0
    assert tally.deliver(0, number)
    assert not tally.deliver(0, number)
    assert (tally.accepted, tally.delivered) == (1, 3)
    tally = two_rooms()
    for sender, room, members in ((1, 0, (0, 1)), (3, 1, (2, 3, 4))):
        number = tally.send(sender, room, sent_at=1.0)
        assert not tally.is_settled
        for connection in members:
            tally.deliver(connection, number)
    assert tally.is_settled
    assert tally.losses() == Losses(lost=0, doubled=0, unanswered=0)
    tally = two_rooms()
    number = tally.send(sender=2, room=1, sent_at=1.0)
    for connection in (2, 3, 3, 3):
        tally.deliver(connection, number)
    assert tally.losses() == Losses(lost=1, doubled=2, unanswered=0)


def test_a_message_that_never_came_back_is_unanswered_and_not_lost() -> None:
    """Times are of the messages in the window; percentiles of nothing are nothing."""
    tally = two_rooms()
    number = tally.send(sender=2, room=1, sent_at=1.0)
    tally.deliver(3, number)
    assert tally.losses() == Losses(lost=0, doubled=0, unanswered=1)
    tally = Tally([[0, 1]])
    for sent_at, accepted_at, completed_at in ((1.0, 1.5, 9.0), (2.0, 2.010, 2.030), (3.0, 3.5, 9.0)):
        number = tally.send(0, 0, sent_at)
        tally.accepted_at[number], tally.completed_at[number] = accepted_at, completed_at
    assert [round(one) for one in tally.answer_milliseconds(2.0, 3.0)] == [10]
    assert [round(one) for one in tally.last_recipient_milliseconds(2.0, 3.0)] == [30]
    assert percentile([], 0.99) is None
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3.0
    assert percentile([1.0, 2.0], 0.99) == 2.0
