"""`python -m benchmarks.kills`: how long a room stands still when its worker is killed and comes back.

Real processes on this machine: Valkey, PostgreSQL (or SQLite with --sqlite), two workers and a gateway. One
of the workers is killed with SIGKILL and started again in the same moment, as a kubelet does; a member sends
a message to one of its rooms and waits for the answer. Nothing is lost either way; this prints the wait.
With --kind in the cluster of `make kind-up`: the kubelet starts the process again, and each pod is replaced
after its kill, because a second start of the same pod is put off.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import UUID

from benchmarks.systems import postgres_server
from benchmarks.waits import tell, wait_for_answer
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from tests.e2e import breaking, settings
from tests.e2e.cluster import Cluster
from tests.e2e.people import make_rooms, make_users
from tests.harness.samples import Samples
from tests.harness.stack import Room, Stack, build_stack
from tests.harness.stack_databases import Databases, PostgresDatabases, SqliteFiles
from tests.harness.waiting import eventually
from tests.harness.wire import Wire

ROOMS: Final = 64
"""Enough for some room in a shard of each worker."""
SETTLE_SECONDS: Final = 60.0
"""Until each worker has its share again."""
WORKERS: Final = 2


def main() -> None:
    """Read the arguments, kill, print the distribution."""
    parser = argparse.ArgumentParser(prog="benchmarks.kills")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--kind", action="store_true")
    arguments = parser.parse_args()
    if arguments.kind:
        tell("kind, seconds from the kill to the answer", asyncio.run(measure_on_kind(arguments.kills)))
        return
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="roomlog-kills-") as directory:
        databases = _databases(arguments.sqlite, Path(directory), stack)
        processes = build_stack(Path(directory) / "stack", databases, workers=WORKERS)
        stack.callback(processes.close)
        processes.start()
        waits = asyncio.run(measure(processes, arguments.kills))
    tell(f"{databases.name}, seconds from the kill to the answer", waits)


async def measure(stack: Stack, kills: int) -> list[float]:
    """Kill a worker so many times, each in turn; return how long a message to its rooms waited."""
    (alice,) = await asyncio.to_thread(stack.make_users, 1)
    rooms = await asyncio.to_thread(stack.make_rooms, [[alice]] * ROOMS)
    waits = []
    async with Wire(stack.websocket(), alice) as wire:
        await wire.authenticate()
        for number in range(kills):
            ordinal = number % WORKERS
            room = await _room_of(stack, ordinal, rooms)
            waits.append(await _kill(stack, f"worker-{ordinal}", wire, room))
            print(f"{number + 1}: {waits[-1]:.2f} s", file=sys.stderr)
    return waits


async def measure_on_kind(kills: int) -> list[float]:
    """Kill the process of a worker's pod so many times; return how long a message to its rooms waited."""
    waits = []
    async with Cluster() as cluster:
        (alice,) = await make_users(cluster, 1)
        rooms = await make_rooms(cluster, [alice], ROOMS)
        async with Wire(settings.WEBSOCKET, alice) as wire:
            await wire.authenticate()
            for number in range(kills):
                await cluster.wait_until_whole()
                pod = (await cluster.pods("worker"))[number % WORKERS]
                room = await _room_of_pod(cluster, pod["metadata"]["name"], rooms)
                began = time.monotonic()
                await breaking.kill_process(pod)
                waits.append(await wait_for_answer(wire, room, began))
                print(f"{number + 1}: {waits[-1]:.2f} s", file=sys.stderr)
                await cluster.kubectl("delete", "pod", pod["metadata"]["name"])
    return waits


async def _room_of_pod(cluster: Cluster, pod: str, rooms: list[Room]) -> Room:
    """Return a room of the pod's worker, once it owns one."""

    async def owned() -> list[Room]:
        samples = Samples(await cluster.metrics(pod, "worker"))
        shards = {
            n for n in range(DEFAULT_SHARDS) if samples.total("roomlog_worker_shard_owned", shard=f"{n:02d}")
        }
        return [room for room in rooms if Keyspace().shard_of_room(UUID(room.id)) in shards]

    found: list[Room] = await eventually(owned, SETTLE_SECONDS, f"{pod} owns a room")
    return found[0]


async def _kill(stack: Stack, worker: str, wire: Wire, room: Room) -> float:
    began = time.monotonic()
    await asyncio.to_thread(stack.kill, worker)
    await asyncio.to_thread(stack.spawn, worker)
    return await wait_for_answer(wire, room, began)


async def _room_of(stack: Stack, ordinal: int, rooms: list[Room]) -> Room:
    """Return a room of the worker, once every worker has leases again."""
    found: list[Room] = []

    def has_settled() -> bool:
        rows = stack.sql(
            "SELECT l.shard, w.ordinal FROM roomlog_shardlease l JOIN roomlog_worker w ON w.uuid = l.owner"
        )
        owners = {int(shard): int(worker) for shard, worker in rows}
        found[:] = [room for room in rooms if owners.get(Keyspace().shard_of_room(UUID(room.id))) == ordinal]
        return len(owners) == ROOMS and len(set(owners.values())) == WORKERS and bool(found)

    await eventually(has_settled, SETTLE_SECONDS, "each worker has its share")
    return found[0]


def _databases(sqlite: bool, directory: Path, stack: ExitStack) -> Databases:
    if sqlite:
        return SqliteFiles(directory)
    return PostgresDatabases(stack.enter_context(postgres_server()))


if __name__ == "__main__":
    main()
