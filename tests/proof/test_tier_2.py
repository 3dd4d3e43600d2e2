"""Tier 2 tells good histories from others, and names what an other one shows."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import cast

from tests.judge.checker.anomaly import Anomaly
from tests.judge.checker.report import Report
from tests.processes.faults.campaign import Plan
from tests.proof import tier_2
from tests.proof.rows import Size

GOOD = Report(
    seed=1,
    revision="0123456",
    operations={"success": 100, "error": 1, "unknown": 2},
    messages=100,
    rows=100,
    events=300,
    began_at=0.0,
    seconds=25.0,
    faults=[],
    does_not_count=[],
    anomalies=[],
)
BAD = replace(GOOD, does_not_count=["no fault"], anomalies=[Anomaly("I1", "a uuid is stored twice")])


class Scripted:
    """A runner whose second history is bad; each one waits for another beside it."""

    size = Size.SMALL

    def __init__(self) -> None:
        self.pair = Barrier(tier_2.LANES)

    def run(self, plan: Plan) -> Report:
        self.pair.wait(10)
        return replace(BAD if plan.seed == 2 else GOOD, seed=plan.seed)


def test_what_is_wrong_with_a_history_stands_in_a_row_of_its_own() -> None:
    """The others count together. As many run at a time as there are lanes."""
    with ThreadPoolExecutor(tier_2.LANES) as lanes:
        good, bad = tier_2._histories(cast(tier_2.Runner, Scripted()), lanes, range(1, 5), 25.0)
    assert (good.cases, good.success, good.anomalies, good.has_passed) == (3, 300, (), True)
    assert bad.anomalies == ("does not count: no fault", "I1 a uuid is stored twice")
    assert not bad.has_passed
