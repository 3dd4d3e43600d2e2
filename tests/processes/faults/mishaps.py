"""What is broken in a history, kind by kind: processes, links, Redis. Each leaves everything mended.

Beside the message's way. What, whom and for how long comes from the history's seed; the moment is some
milliseconds after a message left, so that work is in flight.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from tests.harness.load import Load
from tests.harness.proxy import Route
from tests.harness.stack import Stack
from tests.harness.topology import Topology

SHORT: Final = (0.2, 2.0)
LONG: Final = (2.0, 7.0)
"""Seconds: about the silence after which a gateway leaves its Redis, and a worker its database."""
PAUSE: Final = (1.0, 12.0)
"""Seconds: on both sides of the 10 s after which a worker's shards are taken."""
FAILOVER_PAUSE: Final = (0.5, 4.0)
"""Seconds: on both sides of the 1.5 s after which the Sentinels choose another primary."""
DELAY: Final = (0.01, 0.15)
STANDSTILL: Final = 2.0
"""Seconds: every sender of a load has something to say in it, and no client gives its gateway up."""
STRANDINGS: Final = 3
"""Of each gateway, at most."""
CUT_BYTES: Final = 3000
"""About three commands or statements."""


@dataclass(frozen=True)
class Scene:
    """What a mishap needs."""

    topology: Topology
    load: Load
    dice: random.Random
    spared: tuple[str, ...] = ()
    """Processes that are never ended, so that their memory can be followed."""

    @property
    def stack(self) -> Stack:
        """Return the processes."""
        return self.topology.stack

    def gateway(self, *, to_end: bool = False) -> str:
        """Choose a gateway."""
        return self._one_of(self.topology.gateways, to_end)

    def worker(self, *, to_end: bool = False) -> str:
        """Choose a worker."""
        return self._one_of(self.topology.workers, to_end)

    def _one_of(self, names: list[str], to_end: bool) -> str:
        return self.dice.choice([name for name in names if not (to_end and name in self.spared)])

    async def last(self, span: tuple[float, float]) -> None:
        """Let it be so for a while: the length of a fault, not a wait for something."""
        await asyncio.sleep(self.dice.uniform(*span))

    def link(self) -> tuple[str, str, list[Route]]:
        """Choose a process and a dependency; return their names and the ways between them."""
        dependency = self.dice.choice(["redis", "redis", "database"])
        process = self.worker() if dependency == "database" or self.dice.random() < 0.5 else self.gateway()
        return process, dependency, self.topology.routes(process, dependency)


Mishap = Callable[[Scene], Awaitable[None]]


async def kill_gateway(scene: Scene) -> None:
    """Kill -9 a gateway and start it again."""
    await _kill(scene, scene.gateway(to_end=True))


async def strand(stack: Stack, load: Load, gateways: Sequence[str]) -> None:
    """Kill -9 gateways that stood still before, until a sending ended unknown.

    Without one a history is no evidence, and an answer is quicker than most kills. A gateway may have no
    client: all are at the other one, or on their way.
    """
    for name in [*gateways] * STRANDINGS:
        if load.journal.has_unknown():
            return
        async with load.fault("SIGSTOP, kill -9", name):
            stack.pause(name)
            await asyncio.sleep(STANDSTILL)
            await asyncio.to_thread(stack.kill, name)
            await asyncio.to_thread(stack.start, name)


async def kill_worker(scene: Scene) -> None:
    """Kill -9 a worker and start it again."""
    await _kill(scene, scene.worker(to_end=True))


async def stop_gateway(scene: Scene) -> None:
    """End a gateway in the orderly way (SIGTERM) and start it again."""
    await _stop(scene, scene.gateway(to_end=True))


async def stop_worker(scene: Scene) -> None:
    """End a worker in the orderly way (SIGTERM) and start it again."""
    await _stop(scene, scene.worker(to_end=True))


async def pause_gateway(scene: Scene) -> None:
    """SIGSTOP a gateway for some seconds."""
    await _pause(scene, scene.gateway(), LONG)


async def pause_worker(scene: Scene) -> None:
    """SIGSTOP a worker, perhaps for longer than its leases last."""
    await _pause(scene, scene.worker(), PAUSE)


async def partition(scene: Scene) -> None:
    """Nothing passes between a process and a dependency; then what waited does."""
    process, dependency, routes = scene.link()
    async with scene.load.fault("partition", f"{process} {dependency}"):
        for route in routes:
            route.is_open.clear()
        await scene.last(LONG)
        for route in routes:
            route.is_open.set()


async def latency(scene: Scene) -> None:
    """A process and a dependency are far from each other for some seconds."""
    process, dependency, routes = scene.link()
    delay = scene.dice.uniform(*DELAY)
    async with scene.load.fault(f"latency {delay * 1000:.0f} ms", f"{process} {dependency}"):
        for route in routes:
            route.delay_seconds = delay
        await scene.last(LONG)
        for route in routes:
            route.delay_seconds = 0.0


async def reset(scene: Scene) -> None:
    """RST on every connection between a process and a dependency."""
    process, dependency, routes = scene.link()
    async with scene.load.fault("RST", f"{process} {dependency}"):
        for route in routes:
            route.reset()


async def half_open(scene: Scene) -> None:
    """The server's side of every connection to Redis ends and the process is told nothing.

    Not the database's: behind a living proxy no time-out of TCP ends such a wait. The worker's shards move
    after 10 s, and it is itself restarted by its liveness probe after 60 s.
    """
    process = scene.dice.choice([scene.gateway(), scene.worker()])
    routes = scene.topology.routes(process, "redis")
    async with scene.load.fault("half-open", f"{process} redis"):
        for route in routes:
            route.forget()


async def cut(scene: Scene) -> None:
    """Connections are reset in the middle of what the process sends."""
    process, dependency, routes = scene.link()
    async with scene.load.fault("cut", f"{process} {dependency}"):
        for route in routes:
            route.bytes_left = scene.dice.randrange(CUT_BYTES)
        await scene.last(SHORT)
        for route in routes:
            route.bytes_left = None


async def flush(scene: Scene) -> None:
    """FLUSHALL."""
    async with scene.load.fault("FLUSHALL", "redis"):
        await asyncio.to_thread(scene.topology.redis.flush)


async def fail_over(scene: Scene) -> None:
    """Kill -9 the primary; the Sentinels choose its replica; the dead one comes back as a replica."""
    redis = scene.topology.redis
    await asyncio.to_thread(redis.wait_whole)
    async with scene.load.fault("failover", "redis"):
        dead = await asyncio.to_thread(redis.kill_primary)
        await asyncio.to_thread(redis.wait_failover, dead)
    await asyncio.to_thread(redis.restart, dead)


async def pause_redis(scene: Scene) -> None:
    """SIGSTOP the primary: another may be chosen, and the old one wakes up with commands in its sockets."""
    redis = scene.topology.redis
    await asyncio.to_thread(redis.wait_whole)
    port = await asyncio.to_thread(redis.primary_port)
    async with scene.load.fault("SIGSTOP", "redis"):
        redis.pause(port)
        await scene.last(FAILOVER_PAUSE)
        redis.resume(port)


KINDS: Final[tuple[Mishap, ...]] = (
    kill_gateway,
    fail_over,
    kill_worker,
    partition,
    stop_gateway,
    flush,
    pause_worker,
    reset,
    stop_worker,
    pause_redis,
    latency,
    cut,
    pause_gateway,
    half_open,
)
"""Every kind; consecutive seeds begin with consecutive kinds."""


async def isolate(scene: Scene, gateway: str, meanwhile: Awaitable[None]) -> None:
    """Cut a gateway off from Redis while the last words are said, and lose what waited for it."""
    routes = scene.topology.routes(gateway, "redis")
    async with scene.load.fault("partition and RST", f"{gateway} redis", is_quiet=True):
        for route in routes:
            route.is_open.clear()
        try:
            await meanwhile
            await scene.last((3.0, 4.0))  # beyond the owners' reminder of heads that moved
        finally:
            for route in routes:
                route.reset()
                route.is_open.set()


async def _kill(scene: Scene, name: str) -> None:
    async with scene.load.fault("kill -9", name):
        await asyncio.to_thread(scene.topology.stack.kill, name)
        await scene.last(SHORT)
        await asyncio.to_thread(scene.topology.stack.start, name)


async def _stop(scene: Scene, name: str) -> None:
    async with scene.load.fault(signal.SIGTERM.name, name):
        await asyncio.to_thread(scene.topology.stack.stop, name)
        await scene.last(SHORT)
        await asyncio.to_thread(scene.topology.stack.start, name)


async def _pause(scene: Scene, name: str, span: tuple[float, float]) -> None:
    async with scene.load.fault("SIGSTOP", name):
        scene.topology.stack.pause(name)
        await scene.last(span)
        scene.topology.stack.resume(name)
