"""Ten thousand messages of twenty senders in fifty rooms, with every kind of process killed in the middle."""

import asyncio

from tests.harness.load import Load, Shape
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.stack import MakeStack
from tests.judge.checker import report_on
from tests.processes.faults.mishaps import strand
from tests.processes.faults.test_load import kill

MESSAGES = 10_000
SENDERS = 20
ROOMS = 50
MEMBERS = 5
SHAPE = Shape(connections=1, burst=2, pause_seconds=(0.08, 0.12))
"""About 18 messages a second and sender: below the limit of 20."""
PART_SECONDS = 240.0
"""For a quarter of the messages on a loaded machine."""


async def test_ten_thousand_messages_survive_every_kill(make_stack: MakeStack) -> None:
    """kill -9 of a worker, a gateway and Valkey (restarted empty): the log is exactly what was sent."""
    stack = await asyncio.to_thread(make_stack, gateways=2, workers=2)
    people = await asyncio.to_thread(stack.make_users, SENDERS)
    members = [[people[(room * 7 + i * 3) % SENDERS] for i in range(MEMBERS)] for room in range(ROOMS)]
    rooms = await asyncio.to_thread(stack.make_rooms, members)
    urls = [stack.websocket(0), stack.websocket(1)]
    async with Load(urls, people, rooms, seed=10_000, shape=SHAPE) as load, Watch(stack, load):
        await load.succeed(MESSAGES // 4, PART_SECONDS)
        for name in ("worker-0", "gateway-0", "valkey"):
            await kill(stack, load, name)
            await load.succeed(MESSAGES // 4, PART_SECONDS)
        await strand(stack, load, ["gateway-0", "gateway-1"])
        rows = await load.rest(lambda: read_log(stack))
        report = report_on(
            load.history(rows, [await read_epoch(stack)], tables=await read_tables(stack)),
            min_successes=MESSAGES,
        )
    print(report.table())
    assert report.anomalies == []
    assert report.does_not_count == []
    assert all(fault.in_flight for fault in report.faults)
    stack.assert_no_traceback()
