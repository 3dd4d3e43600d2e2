"""What running processes use, by members of a room, connections at a gateway, and number of processes.

Around the loads of `benchmarks.loads`, on PostgreSQL and Valkey. Sizes take turns, round by round. CPU and
memory of the processes count: a machine that is busy otherwise changes these least.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.connection import Connection
from benchmarks.connects import connect
from benchmarks.figures import FLAT, Figure, Panel, points
from benchmarks.measures import Bench, Result
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.systems import Roomlog, postgres_server
from benchmarks.wires import Member
from tests.harness.postgres import PostgresServer
from tests.harness.stack_databases import PostgresDatabases

ENVIRON: Final = {"ROOMLOG_MAX_CONNECTIONS": "100000"}
WARM_UP_SECONDS: Final = 1.0
ROOM_SIZES: Final = (2, 10, 100, 1_000, 10_000)
MOST_ROOMS: Final = 60
CONNECTIONS: Final = 600
"""In rooms of one size, unless one of them has more."""
UNANSWERED: Final = 20
COPIES: Final = 40_000
"""Under way at once, so that the largest room's are not all late."""
FEW: Final = 50
"""Messages whose cost behind the gateway can't be told from what goes on all the time."""
COUNTS: Final = (1_000, 2_000, 5_000, 10_000, 20_000)
FILES_KEPT: Final = 500
"""The part of the file limit that is not for connections."""
ROOM: Final = 10
LET_IN_AT_ONCE: Final = 50
SETTLE_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 10.0
NUMBERS: Final = (1, 2, 4)
PARTS: Final = ("gateway", "worker", "postgres", "valkey")
_Found = dict[str, dict[int, list[float]]]
"""What the repetitions gave, by series and size."""


def members(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure a message by the members of its room, all of them connected."""
    busy, delivery, last = _nothing(), _nothing(), _nothing()
    with (
        _running() as (server, databases, directory),
        _started(Roomlog(directory / "stack", databases, ENVIRON)) as system,
    ):
        bench = _bench(system, server)
        rooms = {
            size: system.rooms([size] * max(1, min(MOST_ROOMS, CONNECTIONS // size)))
            for size in ROOM_SIZES
            if size <= largest
        }
        for _ in range(rounds):
            for size, made in rooms.items():
                levels = (1, min(UNANSWERED, COPIES // size))
                alone, many = bench.load("closed", made, levels, (WARM_UP_SECONDS, seconds), IDLE_SECONDS)
                used = of_a_message(many, size)
                for part in PARTS:
                    if part == "gateway" or many["delivered_per_second"] * many["seconds"] / size > FEW:
                        busy[part][size].append(1_000 * used[part])
                delivery["all processes"][size].append(1e6 * sum(used.values()) / size)
                last["a message alone"][size].append(alone["last_p50_ms"] or float("nan"))
    panels = [
        _panel(f"CPU of a message, {UNANSWERED} at once", "ms", busy),
        _panel(f"CPU of a delivery, {UNANSWERED} at once", "µs", delivery),
        _panel("time to the last recipient, p50", "ms", last),
    ]
    return Figure("members", "A message, by the members of its room", "members", panels)


def connections(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure what connections cost that say nothing, by their number at one gateway."""
    limit = raise_file_limit() - FILES_KEPT
    counts = [min(count, limit) for count in COUNTS if count <= largest]
    if counts[-1] == limit:
        print(f"the file limit allows {limit:,} connections", file=sys.stderr)
    with (
        _running() as (server, databases, directory),
        _started(Roomlog(directory / "stack", databases, ENVIRON)) as system,
    ):
        panels = uvloop.run(_crowd(system, server, counts, rounds, seconds))
    return Figure("connections", "Connections at one gateway", "connections", panels)


def processes(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure a message by the number of gateways and of workers; more workers have more to do."""
    found = _nothing()
    with _running() as (server, databases, directory), ExitStack() as stack:
        loads = []
        for number in (number for number in NUMBERS if number <= largest):
            for name, kinds in (
                ("workers, one gateway", {"workers": number}),
                ("gateways, each room at one of them", {"gateways": number}),
                ("gateways, each room at all of them", {"gateways": number}),
            ):
                place = directory / f"{number} {name}"
                system = stack.enter_context(_started(Roomlog(place, databases, ENVIRON, **kinds)))
                rooms = system.rooms([ROOM] * MOST_ROOMS * kinds.get("workers", 1))
                _spread(system, rooms, kinds.get("gateways", 1), is_apart=name.endswith("all of them"))
                unanswered = 2 * len(rooms)
                loads.append((number, name, _bench(system, server), rooms, unanswered))
        for _ in range(rounds):
            for number, name, bench, rooms, unanswered in loads:
                (result,) = bench.load("closed", rooms, [unanswered], (WARM_UP_SECONDS, seconds))
                found[name][number].append(1e6 * sum(of_a_message(result, ROOM).values()))
    panels = [_panel("CPU of a message, all processes", "µs", found, FLAT)]
    return Figure("processes", "Rooms of 10, by gateways and workers", "processes of the kind", panels)


def raise_file_limit() -> int:
    """Let this process and its children open as many files as the machine allows them; return the number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def _crowd(
    system: Roomlog, server: PostgresServer, counts: Sequence[int], rounds: int, seconds: float
) -> list[Panel]:
    """Let in more and more; after each step measure what those who are there use in so many seconds."""
    pids = _bench(system, server).pids
    memory, idle = _nothing(), _nothing()
    there: list[Connection] = []
    warm = await connect(system, _people(system, ROOM), LET_IN_AT_ONCE)
    await asyncio.sleep(SETTLE_SECONDS)
    empty, nobody = resident_bytes(pids), await _used(pids, seconds)
    for count in counts:
        coming = _people(system, count - len(there))
        there += (await connect(system, coming, LET_IN_AT_ONCE))[0]
        await asyncio.sleep(SETTLE_SECONDS)
        for _ in range(rounds):
            used, resident = await _used(pids, seconds), resident_bytes(pids)
            for part in PARTS:
                idle[part][count].append(1e6 * (used[part] - nobody[part]) / count)
            memory["gateway"][count].append((resident["gateway-0"] - empty["gateway-0"]) / count / 1024)
    lost = sum(not connection.is_open for connection in there)
    assert not lost, f"{lost} of {len(there)} connections were lost"
    for connection in (*there, *warm[0]):
        connection.close()
    return [
        _panel("memory of a connection", "KiB", memory, FLAT),
        _panel("CPU of an idle connection", "µs a second", idle),
    ]


async def _used(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Return the cores that each part uses, as the mean of so many seconds."""
    began, before = time.perf_counter(), by_part(cpu_seconds(pids))
    await asyncio.sleep(seconds)
    elapsed, after = time.perf_counter() - began, by_part(cpu_seconds(pids))
    return {part: (after[part] - before[part]) / elapsed for part in PARTS}


def of_a_message(result: Result, members: int) -> dict[str, float]:
    """Return the CPU seconds of each part for one message, of which each delivery is an equal share.

    Without those that the same people cost when they say nothing, if that was measured.
    """
    seconds, idle = result["seconds"], by_part(result.get("idle_cores", {}))
    messages, used = result["delivered_per_second"] * seconds / members, by_part(result["cpu_seconds"])
    return {part: (used[part] - idle[part] * seconds) / messages for part in PARTS}


def by_part(values: Mapping[str, float]) -> dict[str, float]:
    """Return the sums over all processes of each kind."""
    return {part: sum(one for name, one in values.items() if name.startswith(part)) for part in PARTS}


def _spread(system: Roomlog, rooms: Sequence[list[Member]], gateways: int, *, is_apart: bool) -> None:
    """Say at which gateway each member connects: the room's, or one after the other."""
    for number, room in enumerate(rooms):
        for place, member in enumerate(room):
            member["address"] = system.address((place if is_apart else number) % gateways)


@contextmanager
def _running() -> Iterator[tuple[PostgresServer, PostgresDatabases, Path]]:
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="roomlog-sizes-") as directory, postgres_server() as server:
        yield server, PostgresDatabases(server), Path(directory)


@contextmanager
def _started(system: Roomlog) -> Iterator[Roomlog]:
    try:
        system.start()
        yield system
    finally:
        system.stop()


def _bench(system: Roomlog, server: PostgresServer) -> Bench:
    assert server.child.pid is not None
    return Bench(system, server.child.pid, [])


def _people(system: Roomlog, number: int) -> list[Member]:
    return [member for room in system.rooms([ROOM] * (number // ROOM)) for member in room]


def _nothing() -> _Found:
    return defaultdict(lambda: defaultdict(list))


def _panel(title: str, unit: str, found: _Found, goal: float | None = None) -> Panel:
    return Panel(title, unit, {name: points(values) for name, values in found.items()}, goal)
