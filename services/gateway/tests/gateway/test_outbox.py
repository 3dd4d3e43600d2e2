"""What waits for a socket: order, bounds, what gives way."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import limits
from roomlog_gateway.sockets.outbox import ANSWER_BYTES, KEPT_BYTES, WRITE_BYTES, Frame, Outbox, Push

ONE, OTHER = UUID(int=1), UUID(int=2)


def test_frames_leave_joined_and_in_order() -> None:
    """Answers and events that wait become one write, oldest first."""
    outbox = Outbox()
    assert outbox.push_event(Frame(b"a", ONE)) is Push.FIRST
    assert outbox.push_answer(Frame(b"b")) is Push.QUEUED
    assert outbox.push_event(Frame(b"c", OTHER)) is Push.QUEUED
    assert outbox.take() == b"abc"
    assert not outbox


def test_events_have_two_bounds() -> None:
    """256 of them, against which answers don't count, and a mebibyte."""
    outbox = Outbox()
    outbox.push_answer(Frame(b"answer"))
    for _ in range(limits.OUTBOX_EVENTS):
        assert outbox.push_event(Frame(b"x", ONE)) is not Push.FULL
    assert outbox.push_event(Frame(b"x", ONE)) is Push.FULL
    outbox = Outbox()
    quarter = Frame(b"x" * (limits.OUTBOX_BYTES // 4), ONE)
    assert [outbox.push_event(quarter) for _ in range(5)][-1] is Push.FULL


def test_the_room_that_overflows_gives_way_first() -> None:
    """Others keep their events where it holds most; where others hold most, all give way."""
    outbox = Outbox()
    outbox.push_event(Frame(b"other", OTHER))
    while outbox.push_event(Frame(b"x", ONE)) is not Push.FULL:
        pass
    assert outbox.drop_events(ONE) == {ONE}
    assert outbox.take() == b"other"
    outbox = Outbox()
    outbox.push_answer(Frame(b"answer"))
    while outbox.push_event(Frame(b"x", OTHER)) is not Push.FULL:
        pass
    assert outbox.drop_events(ONE) == {ONE, OTHER}
    assert outbox.take() == b"answer"
    assert outbox.push_event(Frame(b"x", ONE)) is not Push.FULL


def test_answers_have_a_bound_of_their_own() -> None:
    """Who does not read answers is refused more; a single large one is let through."""
    outbox = Outbox()
    assert outbox.push_answer(Frame(b"x" * (ANSWER_BYTES + 1))) is Push.FIRST
    assert outbox.is_backed_up
    assert outbox.push_answer(Frame(b"x")) is Push.FULL
    outbox.take()
    for _ in range(ANSWER_BYTES // (KEPT_BYTES + 1)):
        assert outbox.push_answer(Frame(b"x")) is not Push.FULL
    assert outbox.push_answer(Frame(b"x")) is Push.FULL


@given(st.lists(st.tuples(st.booleans(), st.integers(1, WRITE_BYTES)), max_size=12))
def test_writes_are_bounded_and_lose_nothing(pushes: list[tuple[bool, int]]) -> None:
    """Whatever waits leaves whole, in order, in writes of 128 KiB at most unless one frame is larger."""
    outbox, expected = Outbox(), b""
    for number, (is_event, size) in enumerate(pushes):
        frame = Frame(bytes([number]) * size, ONE if is_event else None)
        push = outbox.push_event if is_event else outbox.push_answer
        if push(frame) is not Push.FULL:
            expected += frame.data
    writes = []
    while outbox:
        writes.append(outbox.take())
    assert b"".join(writes) == expected
    assert all(len(write) <= WRITE_BYTES for write in writes)
    assert outbox.push_event(Frame(b"x" * limits.OUTBOX_BYTES, ONE)) is not Push.FULL
