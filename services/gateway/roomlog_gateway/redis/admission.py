"""Whether a worker still takes a command soon. Between router and Redis: where it would wait, busy is said.

Goes by what the workers say of themselves four times a second and by the lengths of their streams. Pure; it
must not refuse what a worker can write within ADMITTED_SECONDS, and it never looks at a command.
"""

from collections.abc import Callable, Iterable
from typing import Final

from roomlog_contract import limits
from roomlog_contract.envelope import Beacon
from roomlog_contract.keyspace import Keyspace

ADMITTED_SECONDS: Final = 0.4
"""A command is taken if its worker writes all that waits before it within this time."""
BURST_ENTRIES: Final = 2_000
"""A worker that is not behind takes so many whatever its rate: it is faster in full batches than it says."""
READ_ENTRIES: Final = 2 * limits.STREAM_BATCH
"""A worker takes so many in any case: it reads them at once. After a standstill its rate says nothing."""
BEHIND_MS: Final = 150
"""A worker whose oldest entry is older has full batches, so its rate is what it can do."""
SAMPLE_LASTS_SECONDS: Final = 1.0
"""An older length counts as none: this gateway sends nothing to the stream, and others may not either."""


class _Worker:
    """The streams of one worker, as this gateway sees them."""

    __slots__ = ("entries", "most_entries", "used")

    def __init__(self) -> None:
        self.entries = 0
        """Of all its streams."""
        self.used = 0
        """Streams with entries."""
        self.most_entries = float("inf")


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
        self._added = [0] * keyspace.shards
        """By this gateway, since its start."""
        self._sampled_at = [float("-inf")] * keyspace.shards
        self._owners: dict[int, _Worker] = {}

    def heard(self, beacon: Beacon) -> None:
        """Take what a worker says of itself."""
        if beacon.shards:
            self.install_shards = beacon.install_shards
            self.is_agreed = self.install_shards == len(self._entries)
        worker = _Worker()
        most = max(beacon.drained * ADMITTED_SECONDS, READ_ENTRIES)
        is_behind = max(beacon.oldest_ms.values(), default=0) >= BEHIND_MS
        worker.most_entries = most if is_behind else max(most, BURST_ENTRIES)
        latest = self._clock() - SAMPLE_LASTS_SECONDS
        for shard in self._known(beacon.shards):
            if self._sampled_at[shard] < latest:
                self._entries[shard] = 0
            worker.entries += self._entries[shard]
            worker.used += self._entries[shard] > 0
            self._owners[shard] = worker

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

    def sampled(self, stream: str, entries: int, added: int) -> None:
        """Take the length of a stream, asked for when this gateway had added so many commands."""
        shard = self._shards.get(stream)
        if shard is not None:
            self._sampled_at[shard] = self._clock()
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
        return self._entries[shard] * worker.used >= worker.most_entries

    def _known(self, shards: Iterable[int]) -> Iterable[int]:
        """Return those that the install has, as this gateway is told."""
        return (shard for shard in shards if 0 <= shard < len(self._entries))
