"""The load, its journal and the checker together, on real processes: kills under load break no promise."""

import asyncio

from tests.harness.bringing import upload_rows
from tests.harness.load import Load
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.stack import MakeStack, Stack
from tests.judge.checker import Report, report_on
from tests.processes.faults.mishaps import strand

PEOPLE = 6
ROOMS = 4
FILES = 20
"""Of each person in each room."""
SUCCESSES = 60
"""Between two faults."""


async def a_load(stack: Stack, seed: int) -> Load:
    """Return a load on all gateways of a stack, with some members in every room."""
    people = await asyncio.to_thread(stack.make_users, PEOPLE)
    members = [[person for index, person in enumerate(people) if (index + room) % 3] for room in range(ROOMS)]
    rooms = await asyncio.to_thread(stack.make_rooms, members)
    gateways = sum(name.startswith("gateway") for name in stack.names)
    files = await asyncio.to_thread(upload_rows, stack, rooms, FILES)
    urls = [stack.websocket(number) for number in range(gateways)]
    return Load(urls, people, rooms, seed=seed, files=files)


async def kill(stack: Stack, load: Load, name: str) -> None:
    """Kill a process and start it again."""
    async with load.fault("kill -9", name):
        await asyncio.to_thread(stack.kill, name)
        await asyncio.to_thread(stack.start, name)


async def judge(stack: Stack, load: Load) -> Report:
    """Wait for rest and judge what was recorded."""
    rows = await load.rest(lambda: read_log(stack))
    report = report_on(
        load.history(rows, [await read_epoch(stack)], tables=await read_tables(stack)),
        min_successes=4 * SUCCESSES,
    )
    assert sum(row.text.startswith("files") and bool(row.data) for row in rows) > 5
    print(report.table())
    return report


async def test_kills_under_load_break_no_promise(make_stack: MakeStack) -> None:
    """kill -9 of a gateway, a worker and Valkey (restarted empty) under load: every invariant holds."""
    stack = await asyncio.to_thread(make_stack, gateways=2, workers=2)
    async with await a_load(stack, seed=1) as load, Watch(stack, load):
        await load.succeed(SUCCESSES)
        for name in ("gateway-0", "worker-0", "valkey"):
            await kill(stack, load, name)
            await load.succeed(SUCCESSES)
        await strand(stack, load, ["gateway-0", "gateway-1"])
        report = await judge(stack, load)
    assert report.anomalies == []
    assert report.does_not_count == []
    assert all(fault.in_flight for fault in report.faults)
    stack.assert_no_traceback()
