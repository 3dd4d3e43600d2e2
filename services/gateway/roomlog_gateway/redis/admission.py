"""Whether a worker still takes a command soon. Between router and Redis: where it would wait, busy is said.

Goes by what the workers say of themselves four times a second and by the lengths of their streams. Pure; it
must not refuse what a worker can write within ADMITTED_SECONDS, and it never looks at a command.
"""

from collections.abc import Callable, Iterable
from typing import Final

from roomlog_contract import limits
from roomlog_contract.envelope import Beacon
from roomlog_contract.keyspace import Keyspace

ADMITTED_SECONDS: Final = 0.2
"""A command is taken if its worker writes all that waits before it within this time. The turns of gateway and
worker come on top, and its sender is to be answered within 500 ms."""
BURST_ENTRIES: Final = 2_000
"""A worker that is not behind takes so many whatever its rate: it is faster in full batches than it says."""
READ_ENTRIES: Final = limits.STREAM_BATCH
"""A worker takes so many in any case: it reads them at once. After a standstill its rate says nothing."""
BEHIND_MS: Final = 150
"""A worker whose oldest entry is older has full batches, so its rate is what it can do."""
CALM_SECONDS: Final = 1.0
"""A worker that was behind gets a burst again only after this: else each beacon that finds short streams by
chance would let one in."""
SAMPLE_LASTS_SECONDS: Final = 1.0
"""An older length counts as none: this gateway sends nothing to the stream, and others may not either."""


class _Worker:
    """The streams of one worker, as this gateway sees them."""

    __slots__ = ("asked_at", "behind_at", "drained", "entries", "measured", "most_entries", "used")

    def __init__(self, drained: float) -> None:
        self.drained = drained
        """Entries a second."""
        self.entries = 0
        """Of all its streams."""
        self.measured = 0
        """Of these, those that were there when the lengths were asked for."""
        self.used = 0
        """Streams with entries."""
        self.most_entries = float("inf")
        self.asked_at = float("-inf")
        """When a length was last asked for that is known now."""
        self.behind_at = float("-inf")
        """When it last was."""


class Admission:
    """What is known of each worker's streams and pace."""

    def __init__(self, keyspace: Keyspace, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.install_shards: int | None = None
        """By the last word of a worker that has shards: it has compared its number with the database's."""
        self.is_agreed = False
        """The install has as many shards as this gateway counts; else any stream may be a wrong one."""
        self._shards = {keyspace.in_stream(shard): shard for shard in range(keyspace.shards)}
        self._entries = [0] * keyspace.shards
        """At the last sample, with those that this gateway added since."""
        self._measured = [0] * keyspace.shards
        """At the last sample."""
        self._added = [0] * keyspace.shards
        """By this gateway, since its start."""
        self._sampled_at = [float("-inf")] * keyspace.shards
        self._owners: dict[int, _Worker] = {}

    def heard(self, beacon: Beacon) -> None:
        """Take what a worker says of itself."""
        if beacon.shards:
            self.install_shards = beacon.install_shards
            self.is_agreed = self.install_shards == len(self._entries)
        worker, now = _Worker(beacon.drained), self._clock()
        if max(beacon.oldest_ms.values(), default=0) >= BEHIND_MS:
            worker.behind_at = now
        for shard in self._known(beacon.shards):
            if self._sampled_at[shard] < now - SAMPLE_LASTS_SECONDS:
                self._entries[shard] = self._measured[shard] = 0
            worker.measured += self._measured[shard]
            worker.entries += self._entries[shard]
            worker.used += self._entries[shard] > 0
            if before := self._owners.get(shard):
                worker.behind_at = max(worker.behind_at, before.behind_at)
                worker.asked_at = max(worker.asked_at, before.asked_at)
            self._owners[shard] = worker
        most = max(beacon.drained * ADMITTED_SECONDS, READ_ENTRIES)
        is_calm = now - worker.behind_at >= CALM_SECONDS
        worker.most_entries = max(most, BURST_ENTRIES) if is_calm else most

    def add(self, stream: str) -> None:
        """Count a command that is about to be sent."""
        shard = self._shards.get(stream)
        if shard is not None:  # reads have a thread of their own
            self._added[shard] += 1
            self._set(shard, self._entries[shard] + 1)

    def added(self, stream: str) -> int:
        """Return how many commands this gateway has added to a stream so far."""
        shard = self._shards.get(stream)
        return 0 if shard is None else self._added[shard]

    def sampled(self, stream: str, entries: int, added: int, asked_at: float) -> None:
        """Take the length of a stream, asked for then, when this gateway had added so many commands."""
        shard = self._shards.get(stream)
        if shard is not None:
            self._sampled_at[shard] = asked_at
            if worker := self._owners.get(shard):
                worker.measured += entries - self._measured[shard]
                worker.asked_at = asked_at
            self._measured[shard] = entries
            self._set(shard, entries + self._added[shard] - added)

    def _set(self, shard: int, entries: int) -> None:
        before, self._entries[shard] = self._entries[shard], entries
        if worker := self._owners.get(shard):
            worker.entries += entries - before
            worker.used += (entries > 0) - (before > 0)

    def is_over(self, stream: str) -> bool:
        """Return True if a command would wait too long: its worker is behind, and this stream has its share.

        So a quiet shard is served beside a loud one of the same worker.
        """
        shard = self._shards.get(stream)
        worker = None if shard is None else self._owners.get(shard)
        if worker is None or shard is None or worker.entries < worker.most_entries:
            return False
        # What is known is as old as a turn of this loop, and the worker has written on meanwhile.
        age = self._clock() - worker.asked_at
        turn = worker.drained * age if age < SAMPLE_LASTS_SECONDS else 0.0
        most = worker.most_entries + min(turn, worker.measured)
        return worker.entries >= most and self._entries[shard] * worker.used >= most

    def _known(self, shards: Iterable[int]) -> Iterable[int]:
        """Return those that the install has, as this gateway is told."""
        return (shard for shard in shards if 0 <= shard < len(self._entries))
