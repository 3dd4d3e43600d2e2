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
RATE_SECONDS: Final = 0.5
"""The drain rate is a mean over about so long a time of work."""
MOST_ROOMS: Final = 10_000
"""Rooms remembered as written; more are found by a look at all heads."""


class Pulse:
    """The writer's state, written by its thread; the beacon's and the indexer's read it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.shards: frozenset[int] = frozenset()
        self.oldest_ms: Mapping[int, int] = {}
        """Unix time of each shard's oldest entry, as the last read found it."""
        self.rate = 0.0
        """Entries a second of the time in which there was work."""
        self.written: set[UUID] = set()
        """Rooms with entries done; whoever indexes them takes them out."""
        self.has_database = False
        """The last turn met no trouble of the database."""
        self._turned_at = self._began_at = clock()
        self._wrote = 0
        """Entries done since `began`."""
        self._done = self._seconds = 0.0
        """The last entries and the time that they took, older ones weighing less."""

    def turned(self) -> None:
        """Note that a turn begins."""
        self._turned_at = self._clock()

    def began(self) -> None:
        """Note that there are entries to write."""
        self._began_at = self._clock()

    def ended(self) -> None:
        """Note that this turn's entries are written; a turn without any says nothing of the rate."""
        if not self._wrote:
            return
        seconds = self._clock() - self._began_at
        weight = RATE_SECONDS / (RATE_SECONDS + seconds)
        self._done = (self._done + self._wrote) * weight
        self._seconds = (self._seconds + seconds) * weight
        self._wrote = 0
        if self._seconds:
            self.rate = self._done / self._seconds

    def wrote(self, rooms: Collection[UUID]) -> None:
        """Note entries that are done, by their rooms."""
        self._wrote += len(rooms)
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
        self._keyspace = keyspace
        self._streams = StreamGauges(self._redis, keyspace)
        self._worker = worker
        self._pulse = pulse
        self._shutdown = shutdown
        self._thread = threading.Thread(target=self._run, name="beacon", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends soon after shutdown is requested."""
        self._thread.start()

    def beacon(self, now_ms: float) -> Beacon:
        """Return what is true now."""
        pulse = self._pulse
        return Beacon(
            worker=self._worker,
            shards=sorted(pulse.shards),
            oldest_ms={shard: max(0, int(now_ms) - at) for shard, at in dict(pulse.oldest_ms).items()},
            drained=round(pulse.rate, 1),
            turn_ms=pulse.turn_ms(),
            database=pulse.has_database,
            install_shards=self._keyspace.shards,
        )

    def _run(self) -> None:
        while not self._shutdown.wait(BEACON_SECONDS):
            metrics.TURN_SECONDS.set(self._pulse.turn_ms() / 1000)
            try:
                self._redis.publish(self._keyspace.beacon_channel, encode(self.beacon(time.time() * 1000)))
                self._streams.refresh(self._pulse.shards, time.monotonic())
            except redis.RedisError:  # the worker's own turn says so, and the gateways notice the silence
                self._redis.connection_pool.disconnect()
                self._streams.clear()
                metrics.BEACONS.labels("failed").inc()
            else:
                metrics.BEACONS.labels("sent").inc()
        self._redis.close()
