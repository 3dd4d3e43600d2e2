"""`python -m benchmarks.connects`: how many people a second are let in, and what each costs.

One gateway, one worker, PostgreSQL and Valkey on one core, the generator on another. Everybody is in one room
of 10, connects and authenticates, with so many under way at once; then all leave and come again. Printed are
people a second and CPU microseconds of each process for one of them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from typing import Final

import uvloop

from benchmarks.connection import Connection
from benchmarks.processes import cpu_seconds
from benchmarks.run import pin
from benchmarks.systems import Roomlog, roomlog_alone
from benchmarks.wires import ROOMLOG, Member

OPENING_SECONDS: Final = 60.0
"""For one of them, those before it included."""
GONE_SECONDS: Final = 2.0
"""After all have left, before they come again."""


async def measure(system: Roomlog, arguments: argparse.Namespace) -> None:
    """Print what each round needs."""
    rooms = system.rooms([arguments.size] * (arguments.people // arguments.size))
    people = [member for room in rooms for member in room]
    parts = system.pids() | {"valkey": system.valkey_pid()}
    print(f"people/s  p99 ms  µs of CPU for each of {len(people):,}")
    rates = []
    for _ in range(arguments.rounds):
        before, began = cpu_seconds(parts), time.perf_counter()
        connections, waits = await connect(system.address(), people, arguments.at_once)
        seconds, after = time.perf_counter() - began, cpu_seconds(parts)
        rates.append(len(people) / seconds)
        costs = {name: (after[name] - before[name]) / len(people) * 1e6 for name in parts}
        late = statistics.quantiles(waits, n=100)[-1] * 1000
        print(
            f"{rates[-1]:8.0f}  {late:6.0f}  {', '.join(f'{k} {v:.0f}' for k, v in costs.items())}",
            flush=True,
        )
        for connection in connections:
            connection.close()
        await asyncio.sleep(GONE_SECONDS)
    print(f"median {statistics.median(rates):.0f} people/s")


async def connect(
    address: str, people: Sequence[Member], at_once: int
) -> tuple[list[Connection], list[float]]:
    """Let everybody in; return their connections, and how many seconds each took.

    Raises: ConnectionFailed, OSError, TimeoutError.
    """
    turns = asyncio.Semaphore(at_once)

    async def come_in(member: Member) -> tuple[Connection, float]:
        async with turns:
            began = time.perf_counter()
            return await let_in(address, member, OPENING_SECONDS), time.perf_counter() - began

    found = await asyncio.gather(*map(come_in, people))
    return [connection for connection, _ in found], [seconds for _, seconds in found]


async def let_in(address: str, member: Member, seconds: float) -> Connection:
    """Connect and authenticate; return the connection once the server has answered.

    Raises:
        ConnectionFailed, OSError: it could not connect.
        TimeoutError: no answer in so many seconds; the text has why the connection was closed, if it was.
    """
    answered = asyncio.Event()
    connection = await Connection.open(address, lambda *_: answered.set())
    connection.send(ROOMLOG.opening_of(member) or b"")
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
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    generator_cores = pin()
    with roomlog_alone("connects") as system:
        if generator_cores:
            os.sched_setaffinity(0, generator_cores)
        uvloop.run(measure(system, arguments))
    placed = "the servers on one, the generator on another" if generator_cores else "nothing pinned"
    print(f"{os.cpu_count()} cores, {placed}; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
