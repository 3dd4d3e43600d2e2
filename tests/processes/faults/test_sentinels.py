"""A failover of Redis, as worker and gateway see it: whoever loses the primary finds the next one."""

import asyncio
import time
from typing import Any

import redis

from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.redis.link import RedisLink
from roomlog_worker.bus import Bus
from tests.harness.sentinels import RedisGroup
from tests.harness.waiting import eventually, wait_until

SECONDS = 30.0


def fail_over(redis_group: RedisGroup) -> None:
    """Kill the primary and let it come back as a replica."""
    dead = redis_group.kill_primary()
    redis_group.wait_failover(dead)
    redis_group.restart(dead)


def test_a_worker_reads_from_the_new_primary(redis_group: RedisGroup) -> None:
    """After a failover the worker's one connection asks the Sentinels again, and can delete what it reads."""
    bus = Bus(redis_group.url(), Keyspace())
    assert bus.read({0}) == []
    fail_over(redis_group)

    def works() -> bool:
        try:
            bus.finish([], {"roomlog:{s00}:in": ["1-1"]})
        except redis.RedisError:
            bus.disconnect()
            return False
        return True

    wait_until(works, SECONDS, "a deletion that the new primary takes")
    bus.disconnect()


class Ear:
    """A speaker that counts."""

    name = "test"

    def __init__(self) -> None:
        self.ups = 0

    def link_up(self) -> None:
        self.ups += 1

    def link_reply(self, reply: Any) -> None: ...

    def link_silent(self) -> None: ...

    def link_writable(self) -> None: ...

    def link_down(self) -> None: ...


async def test_a_gateway_s_link_goes_to_the_new_primary(redis_group: RedisGroup) -> None:
    """After a failover the link is made again, and leads to another server than before."""
    ear = Ear()
    link = RedisLink(redis_group.url(), ear, time.monotonic)
    running = asyncio.create_task(link.run())
    await eventually(lambda: ear.ups == 1, SECONDS, "the first link")
    await asyncio.to_thread(fail_over, redis_group)
    await eventually(lambda: ear.ups > 1, SECONDS, "the next link")
    running.cancel()
    await asyncio.wait([running])
