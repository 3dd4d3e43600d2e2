"""The reorder buffer: whatever comes late, twice or never, its room is never out of step."""

from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.insides import Stage, read, seqs

arrivals = st.lists(st.integers(1, 30), max_size=60)


@given(st.integers(1, 30), arrivals, st.integers(1, 10))
def test_any_arrival_ends_in_the_whole_log_in_order(events: int, order: list[int], page: int) -> None:
    """Each event is delivered once and in its order; what was lost is there after a head and some pages."""
    stage = Stage()
    session = stage.session()
    for _ in range(events):
        stage.append()
    delivered: list[int] = []
    for seq in order:
        if seq <= events:
            stage.publish(seq)
            delivered += seqs(read(session))
            assert delivered == list(range(1, len(delivered) + 1))
    stage.compare_head()
    for _ in range(events + 1):
        if stage.room.close_gap():
            break
        stage.fetch(limit=page)
    assert delivered + seqs(read(session)) == list(range(1, events + 1))
    assert stage.room.close_gap()
