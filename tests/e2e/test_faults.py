"""Nothing is lost, doubled or reordered, whatever is done to the cluster under load."""

import pytest

from tests.e2e import breaking, figures, settings
from tests.e2e.breaking import Fault
from tests.e2e.cluster import Cluster
from tests.e2e.load import Load
from tests.e2e.people import invite, make_rooms
from tests.harness.stack import User
from tests.judge.checker import report_on

CALM_SUCCESSES = 150
"""Before the fault, and after everybody has service again."""
FEWEST_SUCCESSES = 300
SHUTDOWN = 1012
RECONNECTS_PER_SECOND = 20
"""What deploy/kind/values.yaml sets for each gateway."""
LATE_SECONDS = 0.5
"""So much later than it was sent a close may be seen here, on a machine that is busy with everything else."""
ROUNDS = [
    pytest.param(fault, number, id=breaking.describe(fault, number))
    for number in range(settings.ROUNDS)
    for fault in breaking.chosen()
]


@pytest.mark.parametrize(("fault", "number"), ROUNDS)
async def test_nothing_is_lost(
    fault: Fault, number: int, cluster: Cluster, users: list[User], report: list[figures.Figures]
) -> None:
    """Twenty people send while it happens: every invariant holds, and everybody ends at the head."""
    rooms = await make_rooms(cluster, users)
    tokens = await invite(cluster, rooms)
    async with Load(cluster, users, rooms, settings.SEED + number, invitations=tokens) as load:
        await load.succeed(CALM_SUCCESSES)
        async with load.fault(fault.name, fault.target, leaves_no_owner=fault.leaves_no_owner):
            await fault.breaks(cluster)
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        await load.last(settings.SECONDS if fault.is_long else 0.0)
        history = await load.finish()
    verdict = report_on(history, min_successes=FEWEST_SUCCESSES)
    found = figures.measure(fault, load, history, verdict)
    report.append(found)
    print(f"\n{verdict.table()}\n{found}")
    assert verdict.anomalies == []
    assert found.success >= FEWEST_SUCCESSES
    assert not any(operation.is_open for operation in history.operations), "something has no end"
    paced = sorted(c.closed_at for c in history.connections if c.closed_at and c.close_code == SHUTDOWN)
    rate = RECONNECTS_PER_SECOND * fault.draining_gateways
    if fault.draining_gateways:
        assert figures.most_within(paced, 1.0) <= rate * (1.0 + LATE_SECONDS)
    if fault.keeps_sockets:
        assert found.reconnects == 0
