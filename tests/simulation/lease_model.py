"""Which shards a model worker owns: the rules of `roomlog_worker.leases` on the model store.

Beats and a monotonic clock tell who is alive; an ordinal's latest process is meant; taking is one conditional
update. Safety must not rest here.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from roomlog_contract.shards import SHARDS

from .store_model import ModelStore, WorkerRow

POLL_SECONDS: Final = 0.5
DEAD_SECONDS: Final = 10.0
GAP_SECONDS: Final = DEAD_SECONDS / 2
FORGET_SECONDS: Final = 60.0
NOBODY: Final = 0
"""Owns what a dead process left."""


class LeaseModel:
    """The leases of one worker process; `epochs` holds the owned shards."""

    def __init__(self, store: ModelStore, ordinal: int) -> None:
        self._store = store
        self._ordinal = ordinal
        self.number = store.next_id()
        self.epochs: dict[int, int] = {}
        self._seen: dict[int, tuple[int, float]] = {}
        self._next_poll = 0.0
        self._watched = 0.0
        self._looked_at = store.loop.time()
        self._settled: tuple[int, frozenset[int]] | None = None

    def is_due(self) -> bool:
        return self._store.loop.time() >= self._next_poll

    def keep(self) -> None:
        """Beat, and take and release what the live processes call for."""
        store = self._store
        self._next_poll = store.loop.time() + POLL_SECONDS
        store.workers.setdefault(self.number, WorkerRow(self._ordinal)).beat += 1
        now = self._watched_until()
        self._observe(now)
        live = frozenset(number for number in store.workers if now - self._seen[number][1] < DEAD_SECONDS)
        if self._settled != (store.lease_changes, live):
            self._settle(live)
            self._settled = (store.lease_changes, live)
        for number in [n for n, (_, since) in self._seen.items() if now - since > FORGET_SECONDS]:
            store.workers.pop(number, None)

    def lose(self, shards: set[int]) -> None:
        """Stop working on shards that were found to have another owner."""
        for shard in shards:
            self.epochs.pop(shard, None)
        self._settled = None

    def release_all(self) -> None:
        """Free every lease and leave."""
        self._store.release_leases(list(self.epochs), self.number)
        self._store.workers.pop(self.number, None)
        self.epochs.clear()

    def _watched_until(self) -> float:
        now = self._store.loop.time()
        self._watched += min(now - self._looked_at, GAP_SECONDS)
        self._looked_at = now
        return self._watched

    def _observe(self, now: float) -> None:
        seen = {}
        for number, row in self._store.workers.items():
            before = self._seen.get(number)
            seen[number] = (row.beat, now) if before is None or before[0] != row.beat else before
        self._seen = seen

    def _settle(self, live: frozenset[int]) -> None:
        latest = {self._store.workers[number].ordinal: number for number in sorted(live)}
        owners = {shard: latest[place] for shard, place in desired(tuple(sorted(latest))).items()}
        leases = self._store.leases
        surplus = [n for n, lease in leases.items() if lease.owner == self.number != owners[n]]
        if surplus:
            self._store.release_leases(surplus, self.number)
        self.epochs = {n: lease.epoch for n, lease in leases.items() if lease.owner == self.number}
        for shard, lease in leases.items():
            if lease.owner not in live and owners[shard] == self.number:
                self._take(shard, lease.epoch)
            elif lease.owner not in live and lease.owner not in (None, NOBODY):
                self._store.take_lease(shard, lease.epoch, NOBODY)

    def _take(self, shard: int, seen_epoch: int) -> None:
        if self._store.take_lease(shard, seen_epoch, self.number):
            self.epochs[shard] = seen_epoch + 1


@lru_cache(maxsize=64)
def desired(ordinals: tuple[int, ...]) -> dict[int, int]:
    """Return the ordinal that should own each shard: the one with the highest rendezvous hash."""
    return {shard: max(ordinals, key=lambda ordinal: _weight(shard, ordinal)) for shard in range(SHARDS)}


def _weight(shard: int, ordinal: int) -> bytes:
    return blake2b(f"{shard}:{ordinal}".encode(), digest_size=8).digest()
