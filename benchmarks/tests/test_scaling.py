"""The simulation of docs/scaling.md: its queues against closed forms, its crowd, its table."""

import random
import statistics
from pathlib import Path

import pytest

from benchmarks.scaling import costs
from benchmarks.scaling.__main__ import SEED, report
from benchmarks.scaling.crowd import STEP, Reader, Return
from benchmarks.scaling.install import INSTALLS, shares
from benchmarks.scaling.queues import serve
from benchmarks.scaling.steady import steady

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
PEOPLE = 10_000.0


def crowd(accepts: float, logins: float) -> Return:
    """Everybody comes back to gateways that accept so many a second, and workers that let in so many."""
    reader = Reader(share=1.0, a_step=2 * logins * STEP, most=1e6)
    return Return(gone=PEOPLE, connected=0.0, places=PEOPLE, accepts=accepts, readers=[reader], away=30.0)


@pytest.mark.parametrize("load", [0.3, 0.8])
def test_a_queue_waits_as_long_as_theory_says(load: float) -> None:
    """M/D/1: a service, and half the load by what is left of it, in services (Pollaczek-Khinchine)."""
    service = 0.002
    served = serve(load / service, service, 0.0, 1, 100_000, random.Random(1))
    expected = service * (1 + load / (2 * (1 - load)))
    assert statistics.fmean(served.seconds) == pytest.approx(expected, rel=0.03)
    assert served.busy == pytest.approx(load, rel=0.02)


def test_a_batch_takes_all_that_came_meanwhile() -> None:
    """Under a load that is too much for services one by one, batches grow to what comes in one of them."""
    rate, base, each = 2_000.0, 0.002, 0.00005
    served = serve(rate, base, each, 256, 50_000, random.Random(1))
    assert served.batch == pytest.approx(rate * base / (1 - rate * each), rel=0.1)
    assert max(served.seconds) < 10 * base


def test_nobody_is_lost_on_the_way_back() -> None:
    """People are connected, asked about or waiting at all times, also where most sockets are given up."""
    for way in (crowd(accepts=100.0, logins=200.0), crowd(accepts=2_000.0, logins=100.0)):
        for second in way.run(share=0.99, most_seconds=120.0):
            assert second.connected + second.entering + second.waiting == pytest.approx(PEOPLE)
            assert min(second.connected, second.entering, second.waiting) >= 0


def test_a_crowd_comes_back_as_fast_as_it_is_accepted_if_workers_keep_up() -> None:
    """Else questions wait longer than gateways do, and are answered for nobody."""
    slow, fast = crowd(accepts=100.0, logins=200.0), crowd(accepts=2_000.0, logins=100.0)
    back = slow.run(share=0.99, most_seconds=300.0)[-1].at - 30.0
    assert back == pytest.approx(0.99 * PEOPLE / 100.0, rel=0.05)
    assert slow.given_up == 0
    fast.run(share=0.99, most_seconds=300.0)
    assert fast.share < 0.2
    assert fast.given_up > PEOPLE


def test_only_a_dead_workers_shards_move() -> None:
    """The simulation spreads shards as the workers do."""
    before, after = shares(10, 128), shares(10, 128, without=3)
    assert sum(before.values()) == sum(after.values()) == 128
    assert set(before) - set(after) == {3}
    assert all(after[one] >= before[one] for one in after)


def test_the_same_seed_gives_the_same() -> None:
    """And another seed other messages."""
    once, again, other = (steady(INSTALLS[0], seed).seconds for seed in (1, 1, 2))
    assert once == again != other


def test_the_page_shows_what_is_simulated() -> None:
    """Its costs are the simulation's own, line by line, and its results what the command prints."""
    page = PAGE.read_text()
    for tables in (costs.table(), report(INSTALLS, SEED)):
        for table in "\n".join(tables).strip().split("\n\n"):
            assert f"\n\n{table}\n\n" in page
