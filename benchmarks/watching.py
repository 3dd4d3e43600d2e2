"""`python -m benchmarks.watching`: what metrics, logs and the notes behind `roomlog trace` cost a message.

Two installs of one gateway and one worker each on one PostgreSQL server: in one of them everything is watched
as usual, the other counts nothing, logs nothing and notes nothing, or leaves out one of the three. They are
loaded in turns, and the CPU of their processes is compared pair by pair.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.loads import ClosedLoop, Fleet
from benchmarks.processes import cpu_seconds
from benchmarks.systems import Roomlog, postgres_server
from benchmarks.wires import ROOMLOG
from tests.harness.stack_databases import PostgresDatabases

ROOMS: Final = [10] * 60
WARMUP_SECONDS: Final = 0.5
WITHOUT: Final = {
    "metrics": {"PYTHONPATH": str(Path(__file__).with_name("unseen"))},
    "logs": {"ROOMLOG_LOG_LEVEL": "critical"},
    "notes": {"ROOMLOG_TRAIL_MIB": "0"},
}


class Loaded:
    """One install, its clients, and the CPU of its processes."""

    def __init__(self, system: Roomlog) -> None:
        self._fleet = Fleet(ROOMLOG, system.address(), system.rooms(ROOMS))
        self._pids = system.pids() | {"valkey": system.valkey_pid()}

    async def open(self) -> None:
        """Connect everybody."""
        await self._fleet.open()

    def close(self) -> None:
        """Drop all connections."""
        self._fleet.close()

    async def cost(self, in_flight: int, seconds: float) -> float:
        """Return the microseconds of CPU that a message costs, measured for so many seconds."""
        self._fleet.begin()
        marks: list[tuple[float, int]] = []

        def mark() -> None:
            marks.append((sum(cpu_seconds(self._pids).values()), self._fleet.tally.accepted))

        await ClosedLoop(self._fleet, in_flight).run(WARMUP_SECONDS, seconds, mark)
        (cpu_before, accepted_before), (cpu, accepted) = marks
        return (cpu - cpu_before) / (accepted - accepted_before) * 1e6


async def compare(watched: Roomlog, unwatched: Roomlog, arguments: argparse.Namespace) -> None:
    """Print each pair's costs and the median of what being watched adds."""
    both = (Loaded(watched), Loaded(unwatched))
    for one in both:
        await one.open()
    shares = []
    for number in range(arguments.pairs):
        order = both if number % 2 == 0 else both[::-1]  # neither of the two is always the later
        costs = {one: await one.cost(arguments.in_flight, arguments.seconds) for one in order}
        on, off = (costs[one] for one in both)
        shares.append(on / off - 1)
        print(f"  {on:6.0f} µs watched, {off:6.0f} µs not: {shares[-1]:+.1%}", flush=True)
    for one in both:
        one.close()
    low, middle, high = statistics.quantiles(shares, n=4)
    print(f"  median {middle:+.1%}, half of them from {low:+.1%} to {high:+.1%}")


def main() -> None:
    """Read the arguments, start both installs for each comparison, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.watching")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--in-flight", type=int, default=20, help="messages unanswered at once")
    arguments = parser.parse_args()
    with postgres_server() as server:
        for left_out in (("metrics", "logs"), ("notes",), tuple(WITHOUT)):
            print(f"with and without {', '.join(left_out)}; CPU a message of gateway, worker and Valkey")
            _compare_once(left_out, PostgresDatabases(server), arguments)
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")


def _compare_once(
    left_out: tuple[str, ...], databases: PostgresDatabases, arguments: argparse.Namespace
) -> None:
    environ = {name: value for one in left_out for name, value in WITHOUT[one].items()}
    with tempfile.TemporaryDirectory(prefix="roomlog-watching-") as directory:
        watched = Roomlog(Path(directory) / "watched", databases)
        unwatched = Roomlog(Path(directory) / "unwatched", databases, environ)
        try:
            watched.start()
            unwatched.start()
            uvloop.run(compare(watched, unwatched, arguments))
            if (unwatched.counted() == 0) != ("metrics" in left_out):
                raise RuntimeError(
                    f"without {left_out} the gateway counted {unwatched.counted():.0f} commands"
                )
        finally:
            watched.stop()
            unwatched.stop()


if __name__ == "__main__":
    main()
