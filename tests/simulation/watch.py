"""Looks at a running world ten times a second: how long queues are, and which shards have an owner.

Beside the message's way; for I12 and I13 of the checker. It only reads.
"""

import asyncio
from typing import Final

from roomlog_contract import limits
from tests.judge.samples import Ownership, Sample

from .people import People
from .world import World

LOOK_SECONDS: Final = 0.25
OWNERS_EVERY: Final = 4


async def watch(world: World, people: People, told_seconds: float) -> None:
    """Sample until cancelled; a member that knows nothing of it for `told_seconds` is noted."""
    looks, since = 0, dict[str, float]()
    while True:
        now = world.loop.time()
        for host in world.hosts.values():
            if host.gateway is not None:
                for connection in host.gateway.connections:
                    waiting = connection.session.outbox._events
                    if waiting > limits.OUTBOX_EVENTS:
                        world.samples.append(Sample(now, "outbox", waiting, limits.OUTBOX_EVENTS))
        if looks % OWNERS_EVERY == 0:
            owned = {shard for worker in world.living() for shard in worker.leases.epochs}
            world.ownership.append(Ownership(now, frozenset(owned)))
            if world.keeping is not None:
                world.keeping.look(world.store.pruned(), now)
            since = {one: since.get(one, now) for one in people.strangers()}
            world.untold |= dict.fromkeys(one for one in since if now - since[one] > told_seconds)
        looks += 1
        await asyncio.sleep(LOOK_SECONDS)
