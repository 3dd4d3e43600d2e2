"""The worker's side of a Redis Cluster: the bus, where each shard is on one of several nodes.

No read can wait for streams of different slots, so it asks each and waits for a wake-up. A node that is away
stops its own shards only; the others' are read and published on. The trouble is told when entries that were
read can't be deleted, or when no node answers.
"""

import time
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final, cast

import redis

from roomlog_contract.envelope import encode
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.redis_cluster import is_cluster

from .bus import BLOCK_MS, Bus, ChannelNotice, RawEntry, StreamOf
from .cluster_nodes import ClusterNodes, Command
from .wake_ups import WakeUps

LOOK_SECONDS: Final = 1.0
"""Between two looks at all streams: so long may an entry wait whose wake-up was lost."""


class ClusterBus(Bus):
    """A connection to each primary, and one that waits, used by one thread."""

    def _prepare(self, url: str) -> None:
        self._nodes = ClusterNodes(url)
        self._wake_ups = WakeUps(self._nodes)
        self._due: set[str] = set()
        """Streams that may have entries to read."""
        self._look_at = 0.0
        """When all streams are due again."""
        self._claimed = ""

    def claim(self, mine: str, lifetime_ms: int) -> str:
        """Claim the prefix as on one server; a claim holds while only the node that has it is away."""
        try:
            standing = super().claim(mine, lifetime_ms)
        except (redis.ConnectionError, redis.TimeoutError):
            if self._claimed != mine:
                raise
            self.ping()
            return mine
        self._claimed = standing
        return standing

    def read(self, owned: Set[int], wait_ms: int | None = None) -> list[RawEntry]:
        """Return the oldest entries of the shards' streams, as on one server.

        Raises:
            redis.RedisError: no stream could be read.
        """
        if owned != self._owned:
            self._own(owned)
            self._wake_ups.listen(self._streams)
            self._look_at = 0.0
        self._due |= self._full
        self._due.update(stream for stream, (_, ids) in self._unfinished.items() if ids)
        now = time.monotonic()
        if now >= self._look_at:
            self._due.update(self._streams)
            self._look_at = now + LOOK_SECONDS
        if raw := self._look():
            return raw
        self._due |= self._wake_ups.wait((BLOCK_MS if wait_ms is None else wait_ms) / 1000)
        return self._look()

    def rewind(self) -> None:
        """Read all from 0 again."""
        self._look_at = 0.0
        super().rewind()

    def finish(self, notices: Iterable[ChannelNotice], done: Mapping[str, Sequence[str]]) -> None:
        """Publish, then delete the entries of each stream; returns once the deletion is confirmed.

        What is for users goes to all nodes, and may be lost where one is away.

        Raises:
            redis.RedisError: unknown how far it came; the entries that are left are repeats.
        """
        everywhere: list[Command] = []
        by_shard: list[Command] = []
        for whom, notice in notices:
            channel, encoded = self._channel(whom), encode(notice)
            if isinstance(whom, int):
                everywhere.append(Command(("PUBLISH", channel, encoded)))
            else:
                by_shard.append(Command(("SPUBLISH", channel, encoded), channel))
        for reply in self._nodes.exchange(everywhere):
            if isinstance(reply, redis.ResponseError):
                raise reply
        # A room's channel and its shard's streams are on one node, which publishes before it deletes.
        by_shard += [Command(("XDEL", stream, *ids), stream) for stream, ids in done.items()]
        self._confirmed(by_shard)
        self._deleted(done)

    def disconnect(self) -> None:
        """Give the connections up after an error, and look for the slots anew."""
        self._nodes.close()
        self._wake_ups.close()
        self._owned = set()

    def _look(self) -> list[RawEntry]:
        """Read the streams that are due; those whose node is away are due again."""
        if not self._due:
            return []
        few = max(1, self._batch // len(self._streams))
        many = max(few, self._batch // len(self._deep)) if self._deep else few
        due = sorted(self._due & set(self._streams))
        replies = self._nodes.exchange(
            [
                Command(self._command([stream], many if stream in self._deep else few), stream)
                for stream in due
            ]
        )
        failures = {stream: reply for stream, reply in zip(due, replies, strict=True) if _failed(reply)}
        if failures and len(failures) == len(self._streams):
            raise cast(redis.RedisError, replies[0])
        found = {
            stream.decode(): entries
            for reply in replies
            if not _failed(reply)
            for stream, entries in cast(list[tuple[bytes, list[tuple[bytes, list[bytes]]]]], reply or ())
        }
        self._due = set(failures)
        return self._taken(found, few, many)

    def _publish(self, publications: Sequence[tuple[str, str, bytes]]) -> None:
        self._confirmed([Command(words) for words in publications])

    def _ask(self, *words: str) -> object:
        key = None if len(words) == 1 else words[3] if words[0] == "EVAL" else words[1]
        (reply,) = self._confirmed([Command(words, key)])
        return reply

    def _confirmed(self, commands: Sequence[Command]) -> list[object]:
        """Return the replies; raises the first that is an error, when all have come."""
        replies = self._nodes.exchange(commands)
        for reply in replies:
            if isinstance(reply, redis.RedisError):
                raise reply
        return replies


def _failed(reply: object) -> bool:
    return isinstance(reply, redis.RedisError)


def bus_of(url: str, keyspace: Keyspace, stream_of: StreamOf | None = None, **options: int) -> Bus:
    """Return the bus for a server or a Cluster, as the URL says."""
    kind = ClusterBus if is_cluster(url) else Bus
    return kind(url, keyspace, stream_of, **options)
