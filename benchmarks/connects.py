"""`python -m benchmarks.connects`: how many people a second are let in, and what each costs.

One gateway, one worker, PostgreSQL and Valkey on one core, the generator on another. Everybody is in one room
of 10 (or in more: `--rooms`), connects and authenticates, with so many under way at once; then all leave and
come again. Where `make bench` has built the server on Centrifugo's library, its rounds lie between ours.
Printed are people a second and CPU microseconds of each process for one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.connection import Connection
from benchmarks.processes import cpu_seconds
from benchmarks.run import pin
from benchmarks.systems import Roomlog, System, make_system, names_here, postgres_server
from benchmarks.wires import ROOMLOG, WIRES, Member, Wire
from tests.harness.stack_databases import PostgresDatabases

ROOMLOG_WIRE: Final = "roomlog"
OPENING_SECONDS: Final = 60.0
"""For one of them, those before it included."""
GONE_SECONDS: Final = 2.0
"""After all have left, before they come again."""


async def measure(systems: Sequence[System], postgres_pid: int, arguments: argparse.Namespace) -> None:
    """Print what each round needs, and the medians."""
    sizes = [arguments.size] * (arguments.people // arguments.size)
    people = {system.wire: everybody(system, sizes, arguments.rooms) for system in systems}
    rates: dict[str, list[float]] = {system.wire: [] for system in systems}
    print(f"people/s  p99 ms  µs of CPU for each of {sum(sizes):,}")
    for _ in range(arguments.rounds):
        for system in systems:
            parts = system.pids() | {"valkey": system.valkey_pid(), "postgres": postgres_pid}
            rates[system.wire].append(
                await measure_one(system, people[system.wire], parts, arguments.at_once)
            )
    ours = statistics.median(rates[ROOMLOG_WIRE])
    for wire, found in rates.items():
        theirs = statistics.median(found)
        print(
            f"{wire}: median {theirs:.0f} people/s"
            + ("" if wire == ROOMLOG_WIRE else f"; ratio {ours / theirs:.2f}")
        )


def everybody(system: System, sizes: Sequence[int], rooms: int) -> list[Member]:
    """Make the people; of a peer, each is in one room."""
    found = system.rooms(sizes, rooms - 1) if isinstance(system, Roomlog) else system.rooms(sizes)
    return [member for room in found for member in room]


async def measure_one(
    system: System, people: Sequence[Member], parts: Mapping[str, int], at_once: int
) -> float:
    """Let everybody in and out again; print it and return people a second."""
    before, began = cpu_seconds(parts), time.perf_counter()
    connections, waits = await connect(system, people, at_once)
    rate, after = len(people) / (time.perf_counter() - began), cpu_seconds(parts)
    costs = ", ".join(f"{part} {(after[part] - before[part]) / len(people) * 1e6:.0f}" for part in parts)
    print(f"{rate:8.0f}  {statistics.quantiles(waits, n=100)[-1] * 1000:6.0f}  {costs}", flush=True)
    for connection in connections:
        connection.close()
    await asyncio.sleep(GONE_SECONDS)
    return rate


async def connect(
    system: System, people: Sequence[Member], at_once: int
) -> tuple[list[Connection], list[float]]:
    """Let everybody in; return their connections, and how many seconds each took.

    Raises: ConnectionFailed, OSError, TimeoutError.
    """
    turns, wire = asyncio.Semaphore(at_once), WIRES[system.wire]

    async def come_in(member: Member) -> tuple[Connection, float]:
        async with turns:
            began = time.perf_counter()
            return await let_in(system.address(), member, OPENING_SECONDS, wire), time.perf_counter() - began

    found = await asyncio.gather(*map(come_in, people))
    return [connection for connection, _ in found], [seconds for _, seconds in found]


async def let_in(address: str, member: Member, seconds: float, wire: Wire = ROOMLOG) -> Connection:
    """Connect and authenticate; return the connection once the server has answered.

    Raises:
        ConnectionFailed, OSError: it could not connect.
        TimeoutError: no answer in so many seconds; the text has why the connection was closed, if it was.
    """
    answered = asyncio.Event()
    connection = await Connection.open(wire.address_of(address, member), lambda *_: answered.set())
    connection.send(wire.opening_of(member) or b"")
    try:
        async with asyncio.timeout(seconds):
            await answered.wait()
    except TimeoutError:
        connection.close()
        raise TimeoutError(f"not let in: {connection.close_reason}") from None
    return connection


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.connects")
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--size", type=int, default=10, help="of each room")
    parser.add_argument("--rooms", type=int, default=1, help="of each person, with Roomlog")
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    generator_cores = pin()
    with tempfile.TemporaryDirectory(prefix="roomlog-connects-") as directory, postgres_server() as server:
        names = [name for name in ("roomlog", "centrifuge") if name in names_here()]
        databases = PostgresDatabases(server)
        systems = [make_system(name, Path(directory) / name, databases) for name in names]
        try:
            for system in systems:
                system.start()
            if generator_cores:
                os.sched_setaffinity(0, generator_cores)
            assert server.child.pid is not None
            uvloop.run(measure(systems, server.child.pid, arguments))
        finally:
            for system in systems:
                system.stop()
    placed = "the servers on one, the generator on another" if generator_cores else "nothing pinned"
    print(f"{os.cpu_count()} cores, {placed}; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
