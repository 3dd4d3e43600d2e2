"""The judge of the attacks must flag what breaks the promise of isolation, and nothing else."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.abuse.attacker import Attacker
from tests.abuse.attacks import Attack
from tests.abuse.campaign import median
from tests.abuse.peaks import chart_limits
from tests.abuse.trial import Felt, Outcome, felt, percentile, together

CALM = Felt(sends=[0.01] * 99 + [0.02], requests=[0.03] * 20, cuts=0, refused=0)


async def nothing(_: Attacker) -> None:
    """Attack by doing nothing."""


GOOD = Outcome(
    name="nothing",
    attack=Attack(nothing, is_at_the_api=True),
    calm=CALM,
    attacked=CALM,
    recovery_seconds=0.1,
    tally={"sent": 1, "sent_bytes": 10, "told": {"rate_limited": 3}},
    memory_bytes={"gateway-0": 2**20, "worker-1": 2**20},
    cpu_percent={"gateway-0": 10.0, "worker-1": 5.0},
    lost_links=(),
    restarted=(),
    seconds=1.0,
)


def test_requests_count_only_where_the_api_is_attacked() -> None:
    """An attack of the sockets is not judged by it; one that hurts nobody passes."""
    assert list(GOOD.anomalies(CALM)) == []
    socket_attack = replace(GOOD, attack=Attack(nothing), attacked=replace(CALM, refused=1))
    assert list(socket_attack.anomalies(CALM)) == []


@pytest.mark.parametrize(
    ("harmed", "word"),
    [
        (
            replace(GOOD, attacked=replace(CALM, sends=[0.01] * 98 + [0.26] * 2)),
            "messages have a p99 of 260.0",
        ),
        (replace(GOOD, attacked=replace(CALM, sends=[])), "messages have a p99 of inf"),
        (replace(GOOD, attacked=replace(CALM, requests=[0.3] * 9)), "requests have a p99 of 300.0"),
        (replace(GOOD, attacked=replace(CALM, refused=1)), "1 of the bystander's requests"),
        (replace(GOOD, attacked=replace(CALM, cuts=2)), "cut 2 times"),
        (replace(GOOD, recovery_seconds=math.inf), "served as before only"),
        (replace(GOOD, lost_links=("gateway-0: redis_lost",)), "redis_lost"),
        (replace(GOOD, restarted=("worker-1",)), "worker-1 restarted"),
        (replace(GOOD, memory_bytes={"worker-1": 2**40}), "the chart's limit is"),
    ],
)
def test_each_harm_is_flagged(harmed: Outcome, word: str) -> None:
    """One harm, one anomaly that names it."""
    (anomaly,) = harmed.anomalies(CALM)
    assert word in anomaly


def test_a_slow_machine_raises_the_bound_to_five_times_the_calm() -> None:
    """And the chart names a limit for each process."""
    calm = replace(CALM, sends=[0.1] * 100)
    slow, slower = (replace(GOOD, attacked=replace(CALM, sends=[wait] * 100)) for wait in (0.4, 0.6))
    assert list(slow.anomalies(calm)) == []
    assert len(list(slower.anomalies(calm))) == 1
    assert chart_limits().keys() == {"gateway", "worker", "api", "postgres", "valkey"}
    assert all(limit >= 2**27 for limit in chart_limits().values())


def test_the_log_is_cut_by_when_things_began(tmp_path: Path) -> None:
    """What began before the attack is calm, whenever it ended; a half-written line is left out."""
    log = tmp_path / "bystander.jsonl"
    lines = [
        {"at": 1.0, "seconds": 5.0, "kind": "message"},
        {"at": 2.0, "seconds": 0.5, "kind": "lost"},
        {"at": 2.5, "seconds": 0.1, "kind": "refused"},
        {"at": 2.6, "seconds": 0.0, "kind": "cut"},
        {"at": 2.7, "seconds": 0.2, "kind": "request"},
    ]
    log.write_text("\n".join(map(json.dumps, lines)) + '\n{"at": 2.8, "sec')
    assert felt(log, 0.0, 2.0).sends == [5.0]
    attacked = felt(log, 2.0)
    assert (attacked.sends, attacked.requests, attacked.cuts, attacked.refused) == ([0.5], [0.2], 1, 1)
    assert together([felt(log, 0.0, 2.0), attacked]).sends == [5.0, 0.5]


def test_percentiles_and_medians_are_of_the_nearest_rank() -> None:
    """Of none infinite; one bad try of three is the machine's."""
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 99) == 99.0
    assert percentile(values, 100) == 100.0
    assert percentile([], 50) == math.inf
    good, bad = (GOOD, ()), (GOOD, ("a p99 of 300 ms",))
    assert median([bad, good, good])[1] == ()
    assert median([bad, good, bad])[1] == bad[1]
    assert median([bad])[1] == bad[1]
