"""One history on a Redis Cluster: primaries die and stand still, and slots of busy shards move, under load.

Around the message's way. Workers and gateways die beside that. Then rest, and the checker's verdict. The seed
fixes who says what and what is broken, for how long; the machine fixes the rest.
"""

import asyncio
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import UUID

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.load import Load
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.redis_cluster import RedisCluster
from tests.harness.stack import Room, Stack, build_stack
from tests.harness.stack_databases import PostgresDatabases
from tests.judge.checker import Anomaly, Report, report_on
from tests.judge.history import Row
from tests.processes.faults.campaign import SHAPE, tracebacks
from tests.processes.faults.mishaps import strand

SHARDS: Final = (DEFAULT_SHARDS, 256)
"""Of the install, by the seed."""
PEOPLE: Final = 8
ROOMS: Final = 5
PROCESSES: Final = 2
"""Gateways, and workers."""
MIN_SUCCESSES: Final = 200
BETWEEN: Final = 30
"""Answers between two faults."""
AWAY_SECONDS: Final = (0.2, 2.0)
PAUSE_SECONDS: Final = (0.5, 5.0)
"""On both sides of the two seconds after which the other nodes choose another primary."""


@dataclass(frozen=True)
class Clustered:
    """Processes whose Redis is a Cluster, and a load on them."""

    stack: Stack
    cluster: RedisCluster
    load: Load
    rooms: list[Room]
    dice: random.Random
    keyspace: Keyspace

    def stream_of(self, room: Room) -> str:
        """Return the stream of a room's commands that write."""
        return self.keyspace.in_stream(self.keyspace.shard_of_room(UUID(room.id)))

    def primary(self) -> int:
        """Return the port of a primary that is busy."""
        return self.cluster.owner_of(self.stream_of(self.dice.choice(self.rooms)))


Fault = Callable[[Clustered], Awaitable[None]]


async def fail_over(scene: Clustered) -> None:
    """Kill -9 a primary; its replica takes its slots; the dead one comes back as a replica."""
    await asyncio.to_thread(scene.cluster.wait_whole)
    dead = await asyncio.to_thread(scene.primary)
    async with scene.load.fault("failover", "redis"):
        await asyncio.to_thread(scene.cluster.kill, dead)
        await asyncio.to_thread(scene.cluster.wait_failover, dead)
    await asyncio.to_thread(scene.cluster.restart, dead)


async def move_slots(scene: Clustered) -> None:
    """Move the slots of all busy shards to another primary, one after the other."""
    async with scene.load.fault("slots move", "redis"):
        for room in scene.rooms:
            await asyncio.to_thread(scene.cluster.move, scene.stream_of(room))


async def pause_primary(scene: Clustered) -> None:
    """SIGSTOP a primary: its replica may be chosen, and the old one wakes up with commands in its sockets."""
    await asyncio.to_thread(scene.cluster.wait_whole)
    port = await asyncio.to_thread(scene.primary)
    async with scene.load.fault("SIGSTOP", "redis"):
        scene.cluster.pause(port)
        await asyncio.sleep(scene.dice.uniform(*PAUSE_SECONDS))
        scene.cluster.resume(port)


async def kill_worker(scene: Clustered) -> None:
    """Kill -9 a worker and start it again."""
    await _kill(scene, f"worker-{scene.dice.randrange(PROCESSES)}")


async def kill_gateway(scene: Clustered) -> None:
    """Kill -9 a gateway and start it again."""
    await _kill(scene, f"gateway-{scene.dice.randrange(PROCESSES)}")


async def _kill(scene: Clustered, name: str) -> None:
    async with scene.load.fault(signal.SIGKILL.name, name):
        await asyncio.to_thread(scene.stack.kill, name)
        await asyncio.sleep(scene.dice.uniform(*AWAY_SECONDS))
        await asyncio.to_thread(scene.stack.start, name)


FIRST: Final[tuple[Fault, ...]] = (fail_over, move_slots)
"""In every history."""
KINDS: Final[tuple[Fault, ...]] = (*FIRST, pause_primary, kill_worker, kill_gateway)


async def run_clustered(seed: int, seconds: float, databases: PostgresDatabases, directory: Path) -> Report:
    """Run the history and judge it; the logs stay in `directory`."""
    cluster, shards = RedisCluster(directory.parent), SHARDS[seed % len(SHARDS)]
    environ = {"ROOMLOG_REDIS_URL": cluster.url()}
    stack = build_stack(directory, databases, gateways=0, workers=0, shards=shards, environ=environ)
    names = [stack.add_worker(number) for number in range(PROCESSES)]
    names += [stack.add_gateway(number) for number in range(PROCESSES)]
    try:
        await asyncio.to_thread(cluster.start)
        await asyncio.to_thread(stack.start, *names)
        report = await _run(seed, seconds, stack, cluster, shards)
        found = tracebacks(stack)
    finally:
        late = await asyncio.to_thread(stack.close)
        await asyncio.to_thread(cluster.close)
    found += [Anomaly("end", f"{name} did not stop when asked") for name in late]
    return replace(report, anomalies=[*report.anomalies, *found])


async def _run(seed: int, seconds: float, stack: Stack, cluster: RedisCluster, shards: int) -> Report:
    people = await asyncio.to_thread(stack.make_users, PEOPLE)
    rooms = await asyncio.to_thread(stack.make_rooms, [people] * ROOMS)
    urls = [stack.websocket(number) for number in range(PROCESSES)]
    found: list[Anomaly] = []
    async with Load(urls, people, rooms, seed=seed, shape=SHAPE) as load, Watch(stack, load):
        scene = Clustered(stack, cluster, load, rooms, random.Random(seed), Keyspace(shards=shards))
        try:
            rows = await _break(scene, seconds)
        except (AssertionError, TimeoutError) as error:
            found.append(Anomaly("G9", f"{type(error).__name__} {str(error)[:500]}"))
            await load.hush()
            rows = await read_log(stack)
        history = load.history(rows, [await read_epoch(stack)], tables=await read_tables(stack))
    history.shards = shards
    history.save(stack.directory / "history.json")
    report = await asyncio.to_thread(report_on, history, min_successes=MIN_SUCCESSES)
    return replace(report, anomalies=[*found, *report.anomalies])


async def _break(scene: Clustered, seconds: float) -> list[Row]:
    """Break things until the time is over, the first kinds in any case; return the log at rest."""
    began = time.monotonic()
    await scene.load.succeed(BETWEEN)
    for fault in FIRST:
        await fault(scene)
        await scene.load.succeed(BETWEEN)
    while time.monotonic() - began < seconds:
        await scene.dice.choice(KINDS)(scene)
        await scene.load.succeed(BETWEEN)
    await strand(scene.stack, scene.load, [f"gateway-{number}" for number in range(PROCESSES)])
    await scene.load.hush()
    await asyncio.to_thread(scene.cluster.wait_done, scene.keyspace.streams())
    return await scene.load.rest(lambda: read_log(scene.stack))
