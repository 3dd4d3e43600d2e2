"""Measures how much waits in the streams of this worker's shards, and for how long.

Beside the message's way, in the beacon's thread and on its connection: it is seen while the writer is stuck.
It must not read an entry's content, nor wait for the writer.
"""

from collections.abc import Iterable
from typing import Any, Final

import redis

from roomlog_contract.actions import Stream
from roomlog_contract.keyspace import Keyspace

from . import metrics

KINDS: Final = (Stream.WRITE, Stream.READ, Stream.BROWSE)
LOOK_SECONDS: Final = 1.0
"""Between two looks: each asks two short questions for each stream, in one round trip."""
LOOK_SHARDS: Final = 256
"""With more of them a look takes tens of milliseconds of a core: the next one comes as much later."""
MEMORY_SECONDS: Final = 10.0
"""Between two questions for Redis' memory."""


class StreamGauges:
    """What Redis says of the streams, as gauges."""

    def __init__(self, client: "redis.Redis", keyspace: Keyspace) -> None:
        self._redis = client
        self._keyspace = keyspace
        self._look_at = self._memory_at = 0.0

    def refresh(self, shards: Iterable[int], now: float) -> None:
        """Look, if it is time, at the streams of these shards; `now` is in seconds of a steady clock.

        Raises:
            redis.RedisError: Redis is away; the caller clears what is shown.
        """
        if now >= self._look_at:
            mine = sorted(shards)
            self._look_at = now + LOOK_SECONDS * max(1, len(mine) / LOOK_SHARDS)
            self._look(mine)
        if now >= self._memory_at:
            self._memory_at = now + MEMORY_SECONDS
            self._ask_memory()

    def clear(self) -> None:
        """Show nothing: what was seen last is not what is."""
        _show_nothing()
        self._look_at = self._memory_at = 0.0

    def _look(self, shards: list[int]) -> None:
        asked = self._redis.pipeline(transaction=False)
        asked.time()
        for kind in KINDS:
            for shard in shards:
                stream = self._keyspace.stream(kind, shard)
                asked.xlen(stream)
                asked.xrange(stream, count=1)
        try:
            (seconds, micros), *answers = asked.execute()
        except redis.ResponseError:  # an account without these rights: its ACL is the operator's
            _show_nothing()
            return
        now_ms = seconds * 1000 + micros // 1000
        for number, kind in enumerate(KINDS):
            mine = answers[number * 2 * len(shards) : (number + 1) * 2 * len(shards)]
            ages = [now_ms - _ms_of(entries[0]) for entries in mine[1::2] if entries]
            metrics.STREAM_ENTRIES.labels(kind.value).set(sum(mine[::2]))
            metrics.STREAM_OLDEST_SECONDS.labels(kind.value).set(max(0, *ages, 0) / 1000)

    def _ask_memory(self) -> None:
        try:
            said: Any = self._redis.info("memory")
        except redis.ResponseError:  # an account without INFO: its ACL is the operator's
            return
        metrics.REDIS_USED_BYTES.set(said.get("used_memory", 0))
        metrics.REDIS_MAX_BYTES.set(said.get("maxmemory", 0))


def _show_nothing() -> None:
    metrics.STREAM_ENTRIES.clear()
    metrics.STREAM_OLDEST_SECONDS.clear()


def _ms_of(entry: tuple[bytes, object]) -> int:
    """Return when an entry came, by Redis' clock: its id begins with that."""
    return int(entry[0].partition(b"-")[0])
