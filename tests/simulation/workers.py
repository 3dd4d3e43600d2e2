"""Real worker processes on model wires and a database in virtual time.

Between the model Redis and the tables, put together as by `message_process_worker`. Shutdown, crash point,
clocks and uuids are injected; threads and the socket below redis-py are replaced. All else is the product's.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from typing import Final
from unittest.mock import patch
from uuid import UUID

from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.shutdown import Shutdown
from roomlog_worker import beacon, lane
from roomlog_worker.beacon import BeaconThread, Pulse
from roomlog_worker.bus import Bus, RawEntry
from roomlog_worker.claim import Claim
from roomlog_worker.consumer import Consumer
from roomlog_worker.crash_point import CrashPoint
from roomlog_worker.errors import Forgotten
from roomlog_worker.lane import lanes_of
from roomlog_worker.leases import LeaseKeeper
from roomlog_worker.log.errors import RefusedWrite
from roomlog_worker.publications import Publications

from .processes import Process, Thread, current
from .redis_link import CONNECT_SECONDS, LinkTransport, Ways
from .redis_model import ModelRedis

BEACON_SECONDS: Final = 1.0
"""Four times as long as the product's: it is judged by eight seconds of silence."""
Key = tuple[str, UUID, int]
"""uuid, room, user."""


class RedisClient(Ways):
    """The ways of a process with blocking threads."""

    def __init__(self, process: Process, redis: ModelRedis, dice: random.Random) -> None:
        super().__init__(process.loop, redis, dice)
        process.at_end.append(self._leave)

    def reach_redis(self) -> LinkTransport | None:
        """Connect for the thread that runs; None where Redis can't be reached."""
        current().wait(self.dice.uniform(*CONNECT_SECONDS))
        return self.connected()

    def _leave(self) -> None:
        """Break the connections of a dead process; Redis may still execute what it had sent."""
        for link in self.open_links():
            self.dice.choice([link.abort, link.cut_after_execution])()


class Worker:
    """One worker process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dice: random.Random,
        redis: ModelRedis,
        name: str,
        ordinal: int,
        keyspace: Keyspace,
    ) -> None:
        self.ordinal = ordinal
        self._keyspace = keyspace
        self.process = Process(loop, name)
        self.redis = RedisClient(self.process, redis, dice)
        self.leases = LeaseKeeper(UUID(int=dice.getrandbits(128), version=4), ordinal, loop.time)
        self.shutdown = VirtualShutdown()
        self._loop = loop

    def start(self, refused: set[Key]) -> None:
        """Begin to work; what is refused is noted."""
        self.process.begin(lambda: self._run(refused))

    def _run(self, refused: set[Key]) -> None:
        url = f"redis://{self.process.name}:6379/0"
        clock, keyspace = self._loop.time, self._keyspace
        bus = _Bus(url, keyspace)
        lanes, pulse = lanes_of(url, keyspace, self.shutdown), Pulse(clock)
        claim = Claim(bus, clock)
        consumer = _Consumer(bus, self.leases, claim, self.shutdown, _Points(), lanes, pulse)
        consumer.refused = refused
        BeaconThread(url, keyspace, self.leases.uuid.hex, pulse, self.shutdown).start()
        try:
            consumer.run()
        except Forgotten:
            return
        assert not any(one.has_failed for one in lanes), "a thread of reads has failed"


class VirtualShutdown(Shutdown):
    """Wait in virtual time."""

    def __init__(self) -> None:
        self._requested = False
        self._waiting: dict[Thread, None] = {}

    def request(self) -> None:
        self._requested = True
        for thread in self._waiting:
            thread.wake()

    def wait(self, seconds: float) -> bool:
        if not self._requested:
            self._waiting[current()] = None
            try:
                current().wait(seconds)
            finally:
                del self._waiting[current()]
        return self._requested


class _Bus(Bus):
    """Tell the process when it reads."""

    def read(self, owned: Set[int], wait_ms: int | None = None) -> list[RawEntry]:
        current().process.reached("before_read")
        entries = super().read(owned, wait_ms)
        if entries:
            current().process.reached("read")
        return entries


class _Points(CrashPoint):
    """Tell the process about the product's own points."""

    def reached(self, name: str) -> None:
        current().process.reached(name)


class _Consumer(Consumer):
    """Note what is refused: no row says so."""

    refused: set[Key]

    def _publish(self, out: Publications) -> None:
        for outcome in out.outcomes:
            if isinstance(outcome.result, RefusedWrite):
                entry = outcome.entry
                self.refused.add((entry.write.uuid, entry.room, entry.envelope.user))
        super()._publish(out)


class _Threading:
    """The part of `threading` that the product uses, in virtual time."""

    Thread = Thread

    class Lock:
        """Always free: no thread waits while it holds one."""

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...


@contextmanager
def virtual_threads() -> Iterator[None]:
    """Let the worker's threads be those of the simulation."""
    with ExitStack() as patches:
        for module in (lane, beacon):
            patches.enter_context(patch.object(module, "threading", _Threading))
        patches.enter_context(patch.object(beacon, "BEACON_SECONDS", BEACON_SECONDS))
        # Nobody shares a processor here: it would only stop the simulation.
        patches.enter_context(patch.object(os, "sched_yield", lambda: None))
        yield
