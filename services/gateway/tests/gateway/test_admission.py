"""A command that would wait too long for its worker is refused, one on a quiet shard is not."""

import pytest

from roomlog_contract.envelope import Beacon
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_gateway.redis.admission import (
    ADMITTED_SECONDS,
    BEHIND_MS,
    BURST_ENTRIES,
    CALM_SECONDS,
    READ_ENTRIES,
    SAMPLE_LASTS_SECONDS,
    Admission,
)
from tests.gateway.insides import Clock

KEYSPACE = Keyspace("admission")
RATE = 5_000.0
MOST = int(RATE * ADMITTED_SECONDS)
"""What a worker of this rate may have waiting once it is behind."""


def says(
    rate: float = RATE, oldest_ms: int = BEHIND_MS, shards: tuple[int, ...] = tuple(range(DEFAULT_SHARDS))
) -> Beacon:
    """Return what a worker says of itself."""
    return Beacon("w", list(shards), {shards[0]: oldest_ms}, rate, 5, database=True)


class Known:
    """An admission with its clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.admission = Admission(KEYSPACE, self.clock)

    def sampled(self, shard: int, entries: int) -> None:
        stream = KEYSPACE.in_stream(shard)
        self.admission.sampled(stream, entries, self.admission.added(stream), self.clock.now)

    def is_over(self, shard: int) -> bool:
        return self.admission.is_over(KEYSPACE.in_stream(shard))


@pytest.fixture
def known() -> Known:
    """Nothing heard yet."""
    return Known()


def test_a_worker_takes_what_it_can_write_in_time(known: Known) -> None:
    """Once behind no entry more; a burst if it is not, and what it reads at once after a standstill."""
    known.admission.heard(says())
    known.sampled(3, MOST - 1)
    assert not known.is_over(3)
    known.sampled(3, MOST)
    assert known.is_over(3)
    known.sampled(3, MOST - 1)
    assert not known.is_over(3)
    known = Known()
    known.admission.heard(says(oldest_ms=BEHIND_MS - 1))
    known.sampled(3, BURST_ENTRIES - 1)
    assert not known.is_over(3)
    known.sampled(3, BURST_ENTRIES)
    assert known.is_over(3)
    known.admission.heard(says(rate=2 * BURST_ENTRIES / ADMITTED_SECONDS, oldest_ms=0))
    assert not known.is_over(3)
    known = Known()
    known.admission.heard(says(rate=1.0, oldest_ms=15_000))
    known.sampled(3, READ_ENTRIES - 1)
    assert not known.is_over(3)
    known.sampled(3, READ_ENTRIES)
    assert known.is_over(3)


def test_a_burst_takes_a_second_without_a_wait(known: Known) -> None:
    """Short streams by chance are no calm; who takes the shard over begins as it was left."""
    known.sampled(3, MOST)
    known.admission.heard(says())
    known.clock.now += CALM_SECONDS - 0.1
    known.sampled(3, MOST)
    known.admission.heard(says(oldest_ms=0))
    assert known.is_over(3)
    known.admission.heard(says(oldest_ms=0, shards=(3,)))
    assert known.is_over(3)
    known.clock.now += 0.2
    known.admission.heard(says(oldest_ms=0, shards=(3,)))
    assert not known.is_over(3)


def test_what_was_added_since_the_last_length_counts(known: Known) -> None:
    """A gateway that is late with its reading must not let everything in that came meanwhile."""
    stream = KEYSPACE.in_stream(3)
    known.admission.heard(says())
    for _ in range(MOST):
        assert not known.is_over(3)
        known.admission.add(stream)
    assert known.is_over(3)
    known.admission.sampled(stream, 100, MOST - 100, known.clock.now)
    assert not known.is_over(3)
    known.admission.sampled(stream, MOST - 100, MOST - 100, known.clock.now)
    assert known.is_over(3)


@pytest.mark.parametrize(("seconds", "more"), [(0.125, 625), (0.5, MOST), (SAMPLE_LASTS_SECONDS, 0)])
def test_a_worker_writes_on_while_its_streams_are_not_looked_at(
    known: Known, seconds: float, more: int
) -> None:
    """At its pace, until nothing is left: a gateway whose turns are long must not leave it idle."""
    known.admission.heard(says())
    known.sampled(3, MOST)
    known.clock.now += seconds
    for _ in range(more):
        assert not known.is_over(3)
        known.admission.add(KEYSPACE.in_stream(3))
    assert known.is_over(3)


def test_a_quiet_shard_is_served_beside_a_loud_one(known: Known) -> None:
    """Each stream has its share of what the worker writes in time; another worker's is its own."""
    others = tuple(range(DEFAULT_SHARDS // 2, DEFAULT_SHARDS))
    known.admission.heard(says(shards=tuple(range(DEFAULT_SHARDS // 2))))
    known.admission.heard(says(shards=others))
    known.sampled(0, 10 * MOST)
    known.sampled(1, MOST // 2 - 1)
    known.sampled(others[0], MOST - 1)
    assert known.is_over(0)
    assert not known.is_over(1)
    assert not known.is_over(others[0])
    known.sampled(1, MOST // 2)
    assert known.is_over(1)


def test_what_is_not_known_refuses_nothing(known: Known) -> None:
    """A length that nobody asked for again counts as none; a shard may change hands."""
    known.sampled(0, MOST)
    known.sampled(1, MOST // 2)
    known.clock.now += SAMPLE_LASTS_SECONDS + 0.1
    known.sampled(1, MOST // 2)
    known.admission.heard(says())
    assert not known.is_over(1)
    known = Known()
    known.sampled(3, 10 * MOST)
    assert not known.is_over(3)
    known.admission.heard(says())
    assert known.is_over(3)
    known.admission.sampled(KEYSPACE.read_stream(4), 10 * MOST, 0, known.clock.now)
    assert not known.admission.is_over(KEYSPACE.read_stream(4))
    known = Known()
    known.admission.heard(says())
    known.sampled(3, MOST)
    assert known.is_over(3)
    known.admission.heard(says(rate=4 * RATE, shards=(3, DEFAULT_SHARDS + 5)))
    assert not known.is_over(3)
