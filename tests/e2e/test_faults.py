"""Nothing is lost, doubled or reordered, whatever is done to the cluster under load."""

import time

import pytest

from tests.e2e import breaking, figures
from tests.e2e.breaking import Fault
from tests.e2e.cluster import Cluster
from tests.e2e.load import Load
from tests.e2e.people import make_rooms
from tests.faults.checker import report_on
from tests.faults.stack import User

CALM_SUCCESSES = 150
"""Before the fault, and after everybody has service again."""
FEWEST_SUCCESSES = 300
SHUTDOWN = 1012
RECONNECTS_PER_SECOND = 20
"""What deploy/kind/values.yaml sets for each gateway."""
LATE_SECONDS = 0.5
"""So much later than it was sent a close may be seen here, on a machine that is busy with everything else."""


@pytest.mark.parametrize("fault", breaking.chosen(), ids=breaking.describe)
async def test_nothing_is_lost(
    fault: Fault, cluster: Cluster, users: list[User], report: list[figures.Figures]
) -> None:
    """Twenty people send while it happens: every invariant holds, and everybody ends at the head."""
    async with Load(cluster, users, await make_rooms(cluster, users)) as load:
        await load.succeed(CALM_SUCCESSES)
        began = time.monotonic()
        await fault.breaks(cluster)
        words = (fault.name, fault.target, began, time.monotonic(), fault.leaves_no_owner)
        load.faults.append(figures.as_fault(*words))
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        await load.rest()
    history = load.history()
    verdict = report_on(history, min_successes=FEWEST_SUCCESSES)
    found = figures.measure(breaking.describe(fault), load, history, verdict)
    report.append(found)
    print(f"\n{verdict.table()}\n{found}")
    assert verdict.anomalies == []
    assert found.success >= FEWEST_SUCCESSES
    assert all(operation.seqs for operation in history.operations), "a message was never answered"
    paced = sorted(c.closed_at for c in history.connections if c.closed_at and c.close_code == SHUTDOWN)
    rate = RECONNECTS_PER_SECOND * fault.draining_gateways
    if fault.draining_gateways:
        assert figures.most_within(paced, 1.0) <= rate * (1.0 + LATE_SECONDS)
    if fault.keeps_sockets:
        assert found.reconnects == 0
