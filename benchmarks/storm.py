"""`python -m benchmarks.storm`: how a crowd comes back that all connects at once, by the accepts a second.

One gateway, one worker, PostgreSQL; nothing is pinned. Everybody is in 20 rooms of 10, and waits between two
tries as our clients do. It stands beside `benchmarks.scaling`: there workers are short of time first, here it
is the one gateway.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.connection import Connection, ConnectionFailed
from benchmarks.systems import Roomlog, postgres_server
from benchmarks.wires import ROOMLOG, Member
from roomlog_client.pace import backoff_seconds
from tests.harness.stack_databases import PostgresDatabases

ROOM_SIZE: Final = 10
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 12.0
"""For an answer, as the browser's client."""
LIMIT_SECONDS: Final = 240.0


class Crowd:
    """Those who come back."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.inside: list[Connection] = []
        self.ends: Counter[str] = Counter()
        """Tries that ended otherwise, by why."""

    async def come_back(self, member: Member) -> None:
        """Try until it is let in."""
        failures, is_in = 0, False
        while not is_in:
            failures += 1
            await asyncio.sleep(backoff_seconds(failures, random.random()))
            try:
                is_in = await self._try(member)
            except (ConnectionFailed, OSError):
                self.ends["refused"] += 1

    async def _try(self, member: Member) -> bool:
        answered = asyncio.Event()
        connection = await Connection.open(
            ROOMLOG.address_of(self._address, member), lambda *_: answered.set()
        )
        connection.send(ROOMLOG.opening_of(member) or b"")
        until = time.perf_counter() + PATIENCE_SECONDS
        while connection.is_open and not answered.is_set():
            if time.perf_counter() > until:
                break
            await asyncio.sleep(LOOK_SECONDS)
        if answered.is_set():
            self.inside.append(connection)
            return True
        self.ends[connection.close_reason or "silent"] += 1
        connection.close()
        return False


async def storm(address: str, members: Sequence[Member]) -> str:
    """Let all come back; return how long it took and how tries ended."""
    crowd, began = Crowd(address), time.perf_counter()
    tasks = [asyncio.create_task(crowd.come_back(member)) for member in members]
    await asyncio.wait(tasks, timeout=LIMIT_SECONDS)
    seconds = time.perf_counter() - began
    for task in tasks:
        task.cancel()
    ends = ", ".join(f"{why} {count:,}" for why, count in crowd.ends.most_common())
    for connection in crowd.inside:
        connection.close()
    return f"{len(crowd.inside):,} of {len(members):,} after {seconds:.0f} s; {ends or 'no try failed'}"


def measured(directory: Path, accepts: int, arguments: argparse.Namespace) -> str:
    """Run an install whose gateway accepts so many a second, on a server of its own."""
    with postgres_server() as server:
        environ = {"ROOMLOG_MAX_ACCEPTS_PER_SECOND": str(accepts)}
        system = Roomlog(directory / str(accepts), PostgresDatabases(server), environ)
        system.start()
        try:
            rooms = system.rooms([ROOM_SIZE] * (arguments.people // ROOM_SIZE), arguments.rooms - 1)
            return uvloop.run(storm(system.address(), [member for room in rooms for member in room]))
        finally:
            system.stop()


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.storm")
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--rooms", type=int, default=20, help="of each person")
    parser.add_argument("--accepts", type=int, nargs="+", default=[500, 60], help="a second")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="roomlog-storm-") as directory:
        for accepts in arguments.accepts:
            print(f"{accepts} accepts/s: {measured(Path(directory), accepts, arguments)}", flush=True)
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
