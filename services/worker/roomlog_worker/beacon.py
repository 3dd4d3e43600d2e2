"""Says four times a second what this worker does: a thread of its own, so that a writer that hangs is seen.

Beside the message's way. The writer leaves what it knows in a `Pulse`; this thread publishes it with its age,
on a connection of its own. It must not touch the database nor wait for the writer.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final
from uuid import UUID

import redis
import structlog

from roomlog_contract.envelope import Beacon, encode
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.redis_address import client
from roomlog_runtime.shutdown import Shutdown

from . import metrics
from .stream_gauges import StreamGauges

log = structlog.get_logger()

BEACON_SECONDS: Final = 0.25
TIMEOUT_SECONDS: Final = 2.0
"""For a connection, and again for the answer: a beacon is soon worth nothing."""
RATE_SECONDS: Final = 2.0
"""The drain rate is a mean over about so long."""
MOST_ROOMS: Final = 10_000
"""Rooms remembered as written; more are found by a look at all heads."""


class Pulse:
    """The writer's state, written by its thread; the beacon's and the indexer's read it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.shards: frozenset[int] = frozenset()
        self.oldest_ms: Mapping[int, int] = {}
        """Unix time of each shard's oldest entry, as the last read found it."""
        self.drained = 0
        """Entries done since the start."""
        self.written: set[UUID] = set()
        """Rooms with entries done; whoever indexes them takes them out."""
        self.has_database = False
        """The last turn met no trouble of the database."""
        self._turned_at = clock()

    def turned(self) -> None:
        """Note that a turn begins."""
        self._turned_at = self._clock()

    def wrote(self, rooms: Collection[UUID]) -> None:
        """Note entries that are done, by their rooms."""
        self.drained += len(rooms)
        if len(self.written) < MOST_ROOMS:
            self.written.update(rooms)

    def turn_ms(self) -> int:
        """Return how long ago the present turn began."""
        return int((self._clock() - self._turned_at) * 1000)


class BeaconThread:
    """The thread that publishes."""

    def __init__(self, url: str, keyspace: Keyspace, worker: str, pulse: Pulse, shutdown: Shutdown) -> None:
        self._redis = client(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )
        self._channel = keyspace.beacon_channel
        self._streams = StreamGauges(self._redis, keyspace)
        self._worker = worker
        self._pulse = pulse
        self._shutdown = shutdown
        self._rate = 0.0
        self._drained = 0
        self._thread = threading.Thread(target=self._run, name="beacon", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends soon after shutdown is requested."""
        self._thread.start()

    def beacon(self, now_ms: float) -> Beacon:
        """Return what is true now; once each BEACON_SECONDS, for the rate's sake."""
        pulse = self._pulse
        drained = pulse.drained
        latest = (drained - self._drained) / BEACON_SECONDS
        self._rate += (latest - self._rate) * BEACON_SECONDS / RATE_SECONDS
        self._drained = drained
        return Beacon(
            worker=self._worker,
            shards=sorted(pulse.shards),
            oldest_ms={shard: max(0, int(now_ms) - at) for shard, at in dict(pulse.oldest_ms).items()},
            drained=round(self._rate, 1),
            turn_ms=pulse.turn_ms(),
            database=pulse.has_database,
        )

    def _run(self) -> None:
        while not self._shutdown.wait(BEACON_SECONDS):
            metrics.TURN_SECONDS.set(self._pulse.turn_ms() / 1000)
            try:
                self._redis.publish(self._channel, encode(self.beacon(time.time() * 1000)))
                self._streams.refresh(self._pulse.shards, time.monotonic())
            except redis.RedisError:  # the worker's own turn says so, and the gateways notice the silence
                self._redis.connection_pool.disconnect()
                self._streams.clear()
                metrics.BEACONS.labels("failed").inc()
            else:
                metrics.BEACONS.labels("sent").inc()
        self._redis.close()
