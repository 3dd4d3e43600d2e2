"""When a client may repeat: turns that keep their distance, and pauses that grow with the trouble."""

import heapq
from itertools import pairwise

import pytest

from roomlog_contract import limits
from roomlog_gateway.sockets import repeats
from roomlog_gateway.sockets.repeats import Repeats
from roomlog_gateway.sockets.session import FLOOD_REFUSALS
from roomlog_gateway.sockets.token_bucket import TokenBucket

BUSY_MS = 500


@pytest.mark.parametrize("unanswered", [1, 25, limits.UNANSWERED_COMMANDS])
def test_obeying_stays_within_the_rate_and_ends(unanswered: int) -> None:
    """Through a minute of `busy`, a client that repeats exactly when it may is never over the rate."""
    turns, bucket = Repeats(), TokenBucket(limits.COMMANDS_PER_SECOND, limits.COMMANDS_BURST, 0.0)
    refusals = TokenBucket(limits.COMMANDS_PER_SECOND, FLOOD_REFUSALS, 0.0)
    due = [0.0] * unanswered
    sent = 0
    while (now := heapq.heappop(due)) < 60.0:
        sent += 1
        assert bucket.take(now), "over the rate"
        assert refusals.take(now), "a flood"
        heapq.heappush(due, now + turns.wait_ms(now, BUSY_MS, grows=True) / 1000)
    assert sent / unanswered < 25, "the pauses grow"


def test_turns_keep_their_distance_and_end_in_20_seconds() -> None:
    """What is refused comes back one after the other, not sooner than asked for, in 20 s at the latest."""
    turns = Repeats()
    waits = [turns.wait_ms(7.0, BUSY_MS) for _ in range(10)]
    distances = [later - earlier for earlier, later in pairwise(waits)]
    assert all(distance >= repeats.SPACING_SECONDS * 1000 - 1 for distance in distances)
    assert Repeats().wait_ms(0.0, 30_000) >= 30_000
    turns = Repeats()
    assert max(turns.wait_ms(0.0, 50) for _ in range(1_000)) <= repeats.FARTHEST_SECONDS * 1000


def test_pauses_grow_with_the_trouble_and_begin_again_after_it() -> None:
    """As long again as it lasted, at most 12 s with jitter; over the rate they don't grow."""
    turns, now = Repeats(), 0.0
    waits = []
    for _ in range(8):
        waits.append(turns.wait_ms(now, BUSY_MS, grows=True) / 1000)
        now += waits[-1]
    assert BUSY_MS / 1000 <= waits[0] <= 1.5 * BUSY_MS / 1000
    assert 8.0 <= waits[-1] <= 12.0
    assert turns.wait_ms(now + repeats.CALM_SECONDS + 0.1, BUSY_MS, grows=True) <= 1.5 * BUSY_MS
    turns = Repeats()
    waits = [turns.wait_ms(second, 50) for second in range(60)]
    assert max(waits) <= 75 + 1
