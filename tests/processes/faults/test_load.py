"""The load, its journal and the checker together, on real processes: kills under load break no promise."""

import asyncio

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.bringing import upload_rows
from tests.harness.load import Load
from tests.harness.looking import Watch, owned_shards, read_epoch, read_log, read_tables
from tests.harness.stack import MakeStack, Stack
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.harness.waiting import eventually
from tests.judge.checker import Report, report_on
from tests.processes.faults.mishaps import strand

PEOPLE = 6
ROOMS = 4
FILES = 20
"""Of each person in each room."""
SUCCESSES = 60
"""Between two faults."""
MANY_SHARDS = 256
SECONDS = 30.0


async def a_load(stack: Stack, seed: int) -> Load:
    """Return a load on all gateways of a stack, with some members in every room."""
    people = await asyncio.to_thread(stack.make_users, PEOPLE)
    members = [[person for index, person in enumerate(people) if (index + room) % 3] for room in range(ROOMS)]
    rooms = await asyncio.to_thread(stack.make_rooms, members)
    gateways = sum(name.startswith("gateway") for name in stack.names)
    files = await asyncio.to_thread(upload_rows, stack, rooms, FILES)
    tokens = await asyncio.to_thread(stack.invite, rooms)
    urls = [stack.websocket(number) for number in range(gateways)]
    return Load(urls, people, rooms, seed=seed, files=files, invitations=tokens)


async def kill(stack: Stack, load: Load, name: str) -> None:
    """Kill a process and start it again."""
    async with load.fault("kill -9", name):
        await asyncio.to_thread(stack.kill, name)
        await asyncio.to_thread(stack.start, name)


async def judge(
    stack: Stack, load: Load, min_successes: int = 4 * SUCCESSES, shards: int = DEFAULT_SHARDS
) -> Report:
    """Wait for rest and judge what was recorded."""
    rows = await load.rest(lambda: read_log(stack))
    history = load.history(rows, [await read_epoch(stack)], tables=await read_tables(stack))
    history.shards = shards
    report = report_on(history, min_successes=min_successes)
    assert sum(row.text.startswith("files") and bool(row.data) for row in rows) > 5
    assert history.doors.admissions
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


@POSTGRES_ONLY
async def test_an_install_of_many_shards_is_scaled_under_load(make_stack: MakeStack) -> None:
    """256 shards go from one worker to three, and a gateway dies: every invariant holds, none is unowned."""
    stack = await asyncio.to_thread(make_stack, gateways=2, shards=MANY_SHARDS)

    def owned(name: str) -> int:
        return len(owned_shards(stack.metrics(name)))

    async with await a_load(stack, seed=2) as load, Watch(stack, load):
        await load.succeed(SUCCESSES)
        workers = ["worker-0", *(stack.add_worker(ordinal) for ordinal in (1, 2))]
        async with load.fault("scale", "1 to 3 workers"):
            await asyncio.to_thread(stack.start, *workers[1:])
            await eventually(lambda: all(map(owned, workers)), SECONDS, "each has shards")
            await load.succeed(SUCCESSES)
        shares = [owned(name) for name in workers]
        await kill(stack, load, "gateway-0")
        await load.succeed(SUCCESSES)
        await strand(stack, load, ["gateway-0", "gateway-1"])
        report = await judge(stack, load, 3 * SUCCESSES, MANY_SHARDS)
    assert report.anomalies == []
    assert report.does_not_count == []
    assert (sum(shares), min(shares) > MANY_SHARDS / 6) == (MANY_SHARDS, True)
    stack.assert_no_traceback()
