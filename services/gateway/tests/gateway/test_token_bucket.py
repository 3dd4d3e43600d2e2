"""How often something may happen."""

from hypothesis import given
from hypothesis import strategies as st

from roomlog_gateway.sockets.token_bucket import TokenBucket


def test_a_burst_is_allowed_and_then_the_rate() -> None:
    """Forty at once; waiting as long as `wait_ms` says is enough."""
    bucket = TokenBucket(20, 40, now=0.0)
    assert [bucket.take(0.0) for _ in range(41)] == [True] * 40 + [False]
    assert not bucket.take(0.04)
    assert bucket.take(0.051)
    bucket = TokenBucket(20, 1, now=0.0)
    bucket.take(0.0)
    assert not bucket.take(0.01)
    assert bucket.take(0.01 + bucket.wait_ms() / 1000)


@given(st.lists(st.floats(0, 0.2), max_size=200))
def test_never_more_than_burst_and_rate_allow(pauses: list[float]) -> None:
    """In any time t at most burst + rate·t takes succeed."""
    bucket, now, taken = TokenBucket(20, 5, now=0.0), 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
    assert taken <= 5 + 20 * now + 1e-6
