"""`python -m benchmarks.reconnects`: a gateway is killed, and its people come to another while others chat.

Two gateways, one worker, PostgreSQL and Valkey on one core, the generator on another. All who were connected
to the first gateway come to the second at once, so many of them under way at a time. Others are on the second
all along and send messages at a steady rate. Printed are the seconds from the kill until everybody is let in,
and how long messages took before and meanwhile, from when they were due to the last of ten recipients.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.connection import Connection
from benchmarks.connects import OPENING_SECONDS, let_in
from benchmarks.loads import Fleet, OpenLoop
from benchmarks.processes import cpu_seconds
from benchmarks.run import pin
from benchmarks.systems import postgres_server
from benchmarks.tally import percentile
from benchmarks.wires import ROOMLOG, Member
from tests.harness.stack import UNHURRIED, Stack, build_stack
from tests.harness.stack_databases import PostgresDatabases

SIZE: Final = 10
"""Of each room."""
CALM_SECONDS: Final = 10.0
"""Of chatting before the kill."""


async def measure(stack: Stack, postgres_pid: int, arguments: argparse.Namespace) -> None:
    """Kill the first gateway, let its people in at the second, and print it."""
    crowd = [member for room in rooms_of(stack, arguments.people // SIZE) for member in room]
    fleet = Fleet(ROOMLOG, stack.websocket(1), rooms_of(stack, arguments.rooms))
    await fleet.open()
    there = await come(stack.websocket(0), crowd, arguments.at_once)
    longest = CALM_SECONDS + OPENING_SECONDS
    chat = asyncio.create_task(OpenLoop(fleet, arguments.rate).run(0.0, longest, lambda: None))
    began = time.perf_counter()
    await asyncio.sleep(CALM_SECONDS)
    parts = pids_of(stack) | {"postgres": postgres_pid}
    before, killed = cpu_seconds(parts), time.perf_counter()
    await asyncio.to_thread(stack.kill, "gateway-0")
    back = await come(stack.websocket(1), crowd, arguments.at_once)
    all_in, after = time.perf_counter(), cpu_seconds(parts)
    chat.cancel()
    await asyncio.wait([chat])
    await fleet.drain()
    used = {part: after[part] - before[part] for part in parts}
    print(f"{len(crowd):,} people were let in within {all_in - killed:.1f} s of the kill")
    shares = ", ".join(f"{part} {seconds:.1f}" for part, seconds in used.items())
    print(f"seconds of CPU meanwhile, chatting included: {sum(used.values()):.1f} ({shares})")
    for name, since, until in (("before it", began, killed), ("meanwhile", killed, all_in)):
        print(f"messages {name}: {describe(fleet.tally.last_recipient_milliseconds(since, until))}")
    print(f"{fleet.tally.losses()}; connections that chat and were lost: {sum(fleet.closed.values())}")
    for connection in [*there, *back, *fleet.connections]:
        connection.close()


async def come(address: str, people: Sequence[Member], at_once: int) -> list[Connection]:
    """Let everybody in; return their connections.

    Raises: ConnectionFailed, OSError, TimeoutError.
    """
    turns = asyncio.Semaphore(at_once)

    async def come_in(member: Member) -> Connection:
        async with turns:
            return await let_in(address, member, OPENING_SECONDS)

    return await asyncio.gather(*map(come_in, people))


def rooms_of(stack: Stack, number: int) -> list[list[Member]]:
    """Make so many rooms of new people."""
    users = stack.make_users(number * SIZE)
    rooms = stack.make_rooms([users[start : start + SIZE] for start in range(0, len(users), SIZE)])
    return [[Member(room=room.id, user=one.id, token=one.token) for one in room.members] for room in rooms]


def pids_of(stack: Stack) -> dict[str, int]:
    """Return the processes that the second gateway's people need."""
    pids = {name: stack.child(name).pid for name in stack.names if name != "gateway-0"}
    return {name: pid for name, pid in pids.items() if pid is not None}


def describe(milliseconds: Sequence[float]) -> str:
    """Return the number and the percentiles of sorted times."""
    shares = ((50, "p50"), (95, "p95"), (99, "p99"))
    found = ", ".join(f"{name} {percentile(milliseconds, share / 100) or 0:.0f} ms" for share, name in shares)
    return f"{len(milliseconds)}, {found}"


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.reconnects")
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--rooms", type=int, default=20, help="in which others chat")
    parser.add_argument("--rate", type=int, default=100, help="messages a second in all of them")
    arguments = parser.parse_args()
    generator_cores = pin()
    with tempfile.TemporaryDirectory(prefix="roomlog-reconnects-") as directory, postgres_server() as server:
        databases = PostgresDatabases(server)
        stack = build_stack(Path(directory) / "stack", databases, gateways=2, environ=UNHURRIED)
        try:
            stack.start()
            if generator_cores:
                os.sched_setaffinity(0, generator_cores)
            assert server.child.pid is not None
            uvloop.run(measure(stack, server.child.pid, arguments))
        finally:
            stack.close()
    placed = "the servers on one, the generator on another" if generator_cores else "nothing pinned"
    print(f"{os.cpu_count()} cores, {placed}; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
