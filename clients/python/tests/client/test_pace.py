"""Rates and backoff: below the server's limits, spread over time, never faster than promised."""

import pytest

from roomlog_client.pace import BACKOFF_CAP_SECONDS, BACKOFF_SECONDS, Bucket, backoff_seconds


def test_bucket_lets_a_burst_through_and_then_the_rate() -> None:
    """And does not save more than a burst."""
    bucket = Bucket(rate=10.0, burst=3.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert bucket.seconds_to_next(0.0) == pytest.approx(0.1)
    assert not bucket.take(0.05)
    assert bucket.take(0.11)
    assert not bucket.take(0.11)
    bucket = Bucket(rate=10.0, burst=2.0)
    assert [bucket.take(1000.0) for _ in range(3)] == [True, True, False]


def test_backoff_is_spread_over_a_growing_capped_range() -> None:
    """The delay is anything from 0 to a ceiling that doubles with each failure up to 10 s."""
    assert backoff_seconds(1, 0.0) == 0.0
    ceilings = [backoff_seconds(failures, 1.0) for failures in range(1, 8)]
    assert ceilings[:3] == [BACKOFF_SECONDS, 2 * BACKOFF_SECONDS, 4 * BACKOFF_SECONDS]
    assert ceilings[-1] == BACKOFF_CAP_SECONDS
    assert backoff_seconds(10_000, 1.0) == BACKOFF_CAP_SECONDS
