"""`python -m benchmarks.starts`: from the start of a process to its readiness, and to the first message.

Real processes on this machine: Valkey, PostgreSQL, a worker, a gateway and an api. Each of the three is
stopped and started again; printed are the seconds until its readiness probe says yes, and the CPU seconds
spent until then, which a busy machine changes less. The last figure is for an install without a worker: a
member sends, the only worker is started, the answer comes. With --kind that figure alone, in the cluster of
`make kind-up`, by `kubectl scale`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from benchmarks.processes import cpu_seconds
from benchmarks.systems import postgres_server
from benchmarks.waits import tell, wait_for_answer
from tests.e2e import settings
from tests.e2e.cluster import Cluster, wait_while
from tests.e2e.people import make_rooms, make_users
from tests.harness.stack import Stack, build_stack
from tests.harness.stack_databases import PostgresDatabases
from tests.harness.wire import Wire

PARTS: Final = ("gateway-0", "worker-0", "api")
WORKERS: Final = f"statefulset/{settings.RELEASE}-worker"
GONE_SECONDS: Final = 60.0
"""Until the pods of a workload that was scaled to nothing are gone."""


def main() -> None:
    """Read the arguments, start, print medians."""
    parser = argparse.ArgumentParser(prog="benchmarks.starts")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kind", action="store_true")
    arguments = parser.parse_args()
    if arguments.kind:
        tell("kubectl scale 0 to 1, to the answer", asyncio.run(measure_on_kind(arguments.rounds)))
        return
    with tempfile.TemporaryDirectory(prefix="roomlog-starts-") as directory, postgres_server() as server:
        stack = build_stack(Path(directory) / "stack", PostgresDatabases(server), api=True)
        try:
            stack.start()
            measure(stack, arguments.rounds)
        finally:
            stack.close()


def measure(stack: Stack, rounds: int) -> None:
    """Start each part so many times and print how long it took."""
    for name in PARTS:
        seconds, cpu = zip(*(start(stack, name) for _ in range(rounds)), strict=True)
        tell(f"{name}, to readiness", list(seconds))
        tell(f"{name}, CPU until then", list(cpu))
    tell("no worker, one is started, to the answer", asyncio.run(measure_answers(stack, rounds)))


def start(stack: Stack, name: str) -> tuple[float, float]:
    """Return the seconds and the CPU seconds that the part's start takes."""
    stack.stop(name)
    began = time.monotonic()
    stack.start(name)
    seconds = time.monotonic() - began
    pid = stack.child(name).pid
    assert pid is not None
    return seconds, cpu_seconds({name: pid})[name]


async def measure_answers(stack: Stack, rounds: int) -> list[float]:
    """Send without a worker, start it, and return how long the answer took from then on."""
    (alice,) = await asyncio.to_thread(stack.make_users, 1)
    (room,) = await asyncio.to_thread(stack.make_rooms, [[alice]])
    found = []
    async with Wire(stack.websocket(), alice) as wire:
        await wire.authenticate()
        for _ in range(rounds):
            await asyncio.to_thread(stack.stop, "worker-0")
            began = time.monotonic()
            await asyncio.to_thread(stack.spawn, "worker-0")
            found.append(await wait_for_answer(wire, room, began))
    return found


async def measure_on_kind(rounds: int) -> list[float]:
    """Scale the workers to nothing and to one; return how long a message took from then on."""
    found = []
    async with Cluster() as cluster:
        (alice,) = await make_users(cluster, 1)
        (room,) = await make_rooms(cluster, [alice], 1)
        async with Wire(settings.WEBSOCKET, alice) as wire:
            await wire.authenticate()
            for number in range(rounds):
                await cluster.kubectl("scale", WORKERS, "--replicas=0")
                await wait_while(_pods_are_there(cluster), GONE_SECONDS)
                began = time.monotonic()
                await cluster.kubectl("scale", WORKERS, "--replicas=1")
                found.append(await wait_for_answer(wire, room, began))
                print(f"{number + 1}: {found[-1]:.2f} s", file=sys.stderr)
        await cluster.kubectl("scale", WORKERS, "--replicas=2")
    return found


def _pods_are_there(cluster: Cluster) -> Callable[[], Awaitable[str]]:
    async def complaint() -> str:
        return "a worker is there" if await cluster.pods("worker") else ""

    return complaint


if __name__ == "__main__":
    main()
