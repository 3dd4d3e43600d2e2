"""Which shards accept nothing, by what their workers say of themselves. Stage: beside a message's way.

A worker's beacon counts only as far as it is good news: the shard was worked on then. So a worker that is
gone, one that stands still, a lost database and a Redis that hangs look the same: nothing good was heard for
a while. It must not decide who is told.
"""

from collections.abc import Callable
from typing import Final

from roomlog_contract.envelope import Beacon, decode_beacon

SILENT_SECONDS: Final = 8.0
"""Without good news for so long a shard accepts nothing: people are told within 10 s (GUARANTEES G13)."""
FIRST_SECONDS: Final = 10.0
"""A gateway that has just started waits so long for the first word."""


class WorkerBeacons:
    """When each shard was last worked on, as far as it is known here."""

    def __init__(self, shards: int, clock: Callable[[], float], heard: Callable[[Beacon], None]) -> None:
        """`heard` takes each beacon, good news or not."""
        self.all = frozenset(range(shards))
        self._clock = clock
        self._heard = heard
        self._good_at = dict.fromkeys(self.all, clock() + FIRST_SECONDS - SILENT_SECONDS)

    def on_payload(self, payload: bytes) -> None:
        """Take a publication of a worker."""
        beacon = decode_beacon(payload)
        self._heard(beacon)
        if not beacon.database:
            return
        good_at = self._clock() - beacon.turn_ms / 1000
        for shard in self.all.intersection(beacon.shards):
            self._good_at[shard] = max(self._good_at[shard], good_at)

    def silent(self, now: float) -> frozenset[int]:
        """Return the shards that accept nothing."""
        latest = now - SILENT_SECONDS
        return frozenset(shard for shard, good_at in self._good_at.items() if good_at <= latest)
