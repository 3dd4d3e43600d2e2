"""Which shards a model worker owns: the rules of `roomlog_worker.leases` on the model store.

Beats and a monotonic clock tell who is alive; an ordinal's latest process is meant, and takes what an earlier
one has at once; taking is one conditional update. Safety must not rest here.
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
WITHOUT_REDIS_SECONDS: Final = 5.0
DOUBT_SECONDS: Final = 2.0
NOBODY: Final = 0
"""Owns what a dead process left."""
UNREGISTERED: Final = -1


class Forgotten(Exception):
    """The process was away for so long that its row is gone: it ends."""


class LeaseModel:
    """The leases of one worker process; `epochs` holds the owned shards."""

    def __init__(self, store: ModelStore, ordinal: int) -> None:
        self._store = store
        self._ordinal = ordinal
        self.number = UNREGISTERED
        self.epochs: dict[int, int] = {}
        self._seen: dict[int, tuple[int, float]] = {}
        self._next_poll = 0.0
        self._watched = 0.0
        self._looked_at = store.loop.time()
        self._settled: tuple[int, frozenset[int], frozenset[int], bool] | None = None
        self._answered_at: float | None = None
        self._failed_at: float | None = None

    def is_due(self) -> bool:
        return self._store.loop.time() >= self._next_poll

    def redis_answered(self) -> None:
        """Redis is there; before the first time nothing is kept."""
        self._answered_at, self._failed_at = self._store.loop.time(), None

    def redis_failed(self) -> None:
        """Redis can't be reached."""
        if self._failed_at is None:
            self._failed_at = self._store.loop.time()

    def keep(self) -> None:
        """Beat, and take and release what the live processes call for."""
        if self._answered_at is None:
            return
        store = self._store
        self._next_poll = store.loop.time() + POLL_SECONDS
        self._beat()
        now = self._watched_until()
        self._observe(now)
        live = frozenset(number for number in store.workers if now - self._seen[number][1] < DEAD_SECONDS)
        able = frozenset(n for n in live if store.workers[n].reaches_redis and n != self.number)
        seen = (store.lease_changes, live, able, self._failed_at is None)
        if self._settled != seen or self._failed_at is not None:
            self._settle(live, able)
            self._settled = (store.lease_changes, *seen[1:])
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

    def _beat(self) -> None:
        workers = self._store.workers
        if self.number == UNREGISTERED:
            self.number = self._store.next_id()
            workers[self.number] = WorkerRow(self._ordinal)
        elif self.number not in workers:
            raise Forgotten
        workers[self.number].beat += 1
        workers[self.number].reaches_redis = self._failed_at is None

    def _has_lost_redis(self) -> bool:
        now = self._store.loop.time()
        return (
            self._failed_at is not None
            and self._answered_at is not None
            and now - self._answered_at >= WITHOUT_REDIS_SECONDS
            and now - self._failed_at >= DOUBT_SECONDS
        )

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

    def _candidates(self, live: frozenset[int], able: frozenset[int]) -> frozenset[int]:
        if self._failed_at is not None and not able:
            return live
        return able if able and self._has_lost_redis() else able | {self.number}

    def _settle(self, live: frozenset[int], able: frozenset[int]) -> None:
        workers = self._store.workers
        candidates = self._candidates(live, able)
        latest = {workers[number].ordinal: number for number in sorted(candidates)}
        owners = {shard: latest[place] for shard, place in desired(tuple(sorted(latest))).items()}
        leases = self._store.leases
        surplus = [n for n, lease in leases.items() if lease.owner == self.number != owners[n]]
        if surplus:
            self._store.release_leases(surplus, self.number)
        self.epochs = {n: lease.epoch for n, lease in leases.items() if lease.owner == self.number}
        if self._failed_at is not None and able:
            return
        earlier = {n for n in live if workers[n].ordinal == self._ordinal and n < self.number}
        for shard, lease in leases.items():
            if lease.owner in live - earlier:
                continue
            if owners[shard] == self.number:
                self._take(shard, lease.epoch)
            elif lease.owner not in (None, NOBODY):
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
