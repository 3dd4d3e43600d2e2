"""`python -m benchmarks.idle`: what people cost who are connected, each in 20 rooms, and say nothing.

One gateway, one worker, PostgreSQL; nothing is pinned. What each process uses without anybody is measured
first and taken off, the rest is divided by the people, and multiplied by 100,000. Then all of it once more
with a gateway that asks for many connections and heads together, as ours do, after one that asks for each.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.connection import Connection
from benchmarks.connects import let_in
from benchmarks.processes import cpu_seconds
from benchmarks.systems import postgres_server
from benchmarks.wires import Member
from tests.harness.postgres import PostgresServer
from tests.harness.stack import UNHURRIED, Stack, User, build_stack
from tests.harness.stack_databases import PostgresDatabases

HERE: Final = (1, 2)
"""Members of a room who are at this gateway, in turn: so many of ten, if eleven gateways share the people."""
ROOMS_AT_ONCE: Final = 1_000
"""Made by one question to the populator, which has a deadline."""
OPENED_AT_ONCE: Final = 50
SETTLE_SECONDS: Final = 5.0
OPENING_SECONDS: Final = 15.0
TRIES: Final = 3
PEOPLE: Final = 100_000
GOAL: Final = 0.3
"""Cores of workers that PEOPLE may cost."""
OUTPUT: Final = Path(".roomlog/idle.json")
STATEMENTS: Final = "pg_stat_statements"
WAYS: Final = {
    "alone": {"PYTHONPATH": str(Path(__file__).with_name("alone"))},
    "together": {},
}
"""How the gateway asks, by what its environment has."""
PARTS: Final = ("worker-0", "gateway-0", "postgres", "valkey")
QUESTIONS: Final = ("identify", "read_heads")


@dataclass(frozen=True)
class Use:
    """What was used in a second."""

    cpu: dict[str, float]
    """Seconds of CPU by process."""
    statements: float
    questions: dict[str, float]
    """What the worker answered, by action."""


class Idle:
    """An install, and what its processes use while nobody speaks."""

    def __init__(self, stack: Stack, server: PostgresServer) -> None:
        pids = {name: stack.child(name).pid for name in stack.names} | {"postgres": server.child.pid}
        self._pids = {name: pid for name, pid in pids.items() if pid is not None}
        self._stack = stack
        stack.sql(f"CREATE EXTENSION IF NOT EXISTS {STATEMENTS}")

    async def use(self, seconds: float) -> Use:
        """Return what is used in a second, as the mean of so many."""
        began, before = time.perf_counter(), self._totals()
        await asyncio.sleep(seconds)
        elapsed, after = time.perf_counter() - began, self._totals()
        rates = {name: (after[name] - before[name]) / elapsed for name in after}
        return Use(
            cpu={name: rates[name] for name in PARTS},
            statements=rates["statements"],
            questions={name: rates[name] for name in QUESTIONS},
        )

    def _totals(self) -> dict[str, float]:
        worker = self._stack.metrics("worker-0")
        asked = {name: worker.total("roomlog_worker_reads_total", action=name) for name in QUESTIONS}
        [(calls,)] = self._stack.sql(f"SELECT sum(calls) FROM {STATEMENTS}")
        return cpu_seconds(self._pids) | asked | {"statements": float(calls)}


def settle(stack: Stack, people: int, rooms: int) -> list[User]:
    """Make people and rooms; each of them is in so many, with somebody else or without."""
    users = stack.make_users(people)
    dice, groups = random.Random(1), list[Sequence[User]]()
    for _ in range(rooms):
        shuffled, sizes = iter(dice.sample(users, people)), cycle(HERE)
        while group := list(islice(shuffled, next(sizes))):
            groups.append(group)
    for start in range(0, len(groups), ROOMS_AT_ONCE):
        stack.make_rooms(groups[start : start + ROOMS_AT_ONCE])
    return users


async def connect(address: str, users: Sequence[User]) -> list[Connection]:
    """Connect everybody, and wait until each is let in."""
    turns = asyncio.Semaphore(OPENED_AT_ONCE)

    async def open_one(user: User) -> Connection:
        try:
            member = Member(room="", user=user.id, token=user.token)
            return await let_in(address, member, OPENING_SECONDS)
        except TimeoutError as late:
            print(late, file=sys.stderr)
            raise

    async def open_in_turn(user: User) -> Connection:
        async with turns:
            for _ in range(TRIES - 1):
                with suppress(TimeoutError):
                    return await open_one(user)
            return await open_one(user)

    return list(await asyncio.gather(*map(open_in_turn, users)))


async def measure(stack: Stack, server: PostgresServer, arguments: argparse.Namespace) -> tuple[Use, Use]:
    """Return what is used with nobody there, and with everybody."""
    idle = Idle(stack, server)
    await asyncio.sleep(SETTLE_SECONDS)
    nobody = await idle.use(arguments.seconds / 2)
    users = await asyncio.to_thread(settle, stack, arguments.people, arguments.rooms)
    connections = await connect(stack.websocket(), users)
    await asyncio.sleep(SETTLE_SECONDS)
    everybody = await idle.use(arguments.seconds)
    lost = sum(not connection.is_open for connection in connections)
    if lost:
        raise RuntimeError(f"{lost} of {len(connections)} connections were lost")
    for connection in connections:
        connection.close()
    return nobody, everybody


def table(nobody: Use, everybody: Use, people: int) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield f"| | nobody | {people:,} people | µs a person and second | cores for {PEOPLE:,} people |"
    yield "|---|---|---|---|---|"
    for name in PARTS:
        before, after = nobody.cpu[name], everybody.cpu[name]
        each = (after - before) / people
        yield (
            f"| {name.removesuffix('-0')} | {before * 1000:.1f} ms/s | {after * 1000:.1f} ms/s "
            f"| {each * 1e6:.2f} | {each * PEOPLE:.2f} |"
        )
    yield f"| statements | {nobody.statements:.0f}/s | {everybody.statements:.0f}/s | | |"
    for name in QUESTIONS:
        yield f"| `{name}` | {nobody.questions[name]:.1f}/s | {everybody.questions[name]:.1f}/s | | |"


@contextmanager
def running(directory: Path, way: str) -> Iterator[tuple[Stack, PostgresServer]]:
    """Run an install on a server of its own, which counts statements."""
    with postgres_server(shared_preload_libraries=STATEMENTS) as server:
        databases = PostgresDatabases(server)
        stack = build_stack(directory / way, databases, gateways=0, environ=UNHURRIED)
        stack.add_gateway(0, **WAYS[way])
        try:
            stack.start("valkey")
            stack.start()
            yield stack, server
        finally:
            stack.close()


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.idle")
    parser.add_argument("--people", type=int, default=6_000)
    parser.add_argument("--rooms", type=int, default=20, help="of each person")
    parser.add_argument("--seconds", type=float, default=60.0, help="as long as all rechecks take")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    measured: dict[str, tuple[Use, Use]] = {}
    with tempfile.TemporaryDirectory(prefix="roomlog-idle-") as directory:
        for way in arguments.ways:
            with running(Path(directory), way) as (stack, server):
                nobody, everybody = measured[way] = uvloop.run(measure(stack, server, arguments))
            print(f"asked for {way}:\n")
            print("\n".join(table(nobody, everybody, arguments.people)), "\n", flush=True)
    cores = (everybody.cpu["worker-0"] - nobody.cpu["worker-0"]) / arguments.people * PEOPLE
    verdict = "reached" if cores < GOAL else "NOT REACHED"
    print(f"workers: {cores:.2f} cores for {PEOPLE:,} people; goal {GOAL} {verdict}")
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    uses = {way: {"nobody": asdict(one), "everybody": asdict(all_)} for way, (one, all_) in measured.items()}
    arguments.output.write_text(json.dumps(uses, indent=2))


if __name__ == "__main__":
    main()
