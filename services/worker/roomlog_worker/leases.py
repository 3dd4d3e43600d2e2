"""Which shards this process may write, kept up between batches.

A process is alive while its beat moves; a beat that stands still for 10 s of one's own monotonic clock
is dead. The desired owner of a shard is the live ordinal with the highest rendezvous hash, so a scale,
a dead node or a rollout moves only what it must. Safety does not rest here: every transaction locks
its leases and compares.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from roomlog_contract.shards import SHARDS
from roomlog_store import leases as store
from roomlog_store.models import ShardLease, Worker

log = structlog.get_logger()

POLL_SECONDS: Final = 0.5
"""Free leases are found after this at the latest: a handover takes under 2 s."""
DEAD_SECONDS: Final = 10.0
"""Twice the time-outs that end a paused worker's transaction."""
GAP_SECONDS: Final = DEAD_SECONDS / 2
"""So much of a time without a look at the beats counts as watched."""
FORGET_SECONDS: Final = 60.0
"""After this a dead worker's row is removed."""
NO_EPOCH: Final = -1
"""No lease has it."""
NOBODY: Final = UUID(int=0)
"""Owns what a dead process left, until somebody takes it: unlike a free lease, it may hold what killed it."""


@dataclass(slots=True)
class _Seen:
    beat: int
    since: float


class LeaseKeeper:
    """The leases of one worker process; `epochs` holds the owned shards."""

    def __init__(self, uuid: UUID, ordinal: int, clock: Callable[[], float] = monotonic) -> None:
        self.uuid = uuid
        self.ordinal = ordinal
        self.epochs: dict[int, int] = {}
        """Shard → epoch of the lease, as last read."""
        self.unclean: set[int] = set()
        """Shards taken from a dead owner, whose first entries may have killed it."""
        self._clock = clock
        self._seen: dict[UUID, _Seen] = {}
        self._next_poll = 0.0
        self._watched = 0.0
        self._looked_at = clock()

    def keep(self) -> None:
        """Beat, then take and release what the live processes call for; at most twice a second.

        Raises django.db errors; the leases then stay as they were last known.
        """
        if self._clock() < self._next_poll:
            return
        self._next_poll = self._clock() + POLL_SECONDS
        if not store.beat(self.uuid):
            store.register_worker(self.uuid, self.ordinal)
        workers = list(Worker.objects.order_by("id"))
        now = self._watched_until()
        self._observe(workers, now)
        live = [worker for worker in workers if self._age(worker.uuid, now) < DEAD_SECONDS]
        self._settle(list(ShardLease.objects.order_by("shard")), live)
        self._forget(workers, now)

    def epochs_of(self, shards: Iterable[int]) -> dict[int, int]:
        """Return the epochs that the shards' leases must have; one that none has where a shard was lost."""
        return {shard: self.epochs.get(shard, NO_EPOCH) for shard in shards}

    def hold(self, shards: Collection[int]) -> bool:
        """Tell whether the database still says that all of the shards are this process's."""
        return not store.lost_leases(self.epochs_of(shards), self.uuid)

    def lose(self, shards: Collection[int]) -> None:
        """Stop working on shards that were found to have another owner."""
        for shard in shards:
            self.epochs.pop(shard, None)
        log.warning("leases_lost", shards=sorted(shards))

    def release_all(self) -> None:
        """Free every lease and leave: the others take over at their next poll."""
        store.release_leases(list(self.epochs), self.uuid)
        store.forget_worker(self.uuid)
        log.info("leases_released", count=len(self.epochs))
        self.epochs.clear()

    def _watched_until(self) -> float:
        """Return the time of a clock that stands still while this process sees nothing.

        After an outage of the database, or a pause of this process, nobody's beat has moved for long: that
        tells nothing of the others.
        """
        now = self._clock()
        self._watched += min(now - self._looked_at, GAP_SECONDS)
        self._looked_at = now
        return self._watched

    def _observe(self, workers: Iterable[Worker], now: float) -> None:
        seen: dict[UUID, _Seen] = {}
        for worker in workers:
            before = self._seen.get(worker.uuid)
            has_moved = before is None or before.beat != worker.beat
            seen[worker.uuid] = _Seen(worker.beat, now) if has_moved or before is None else before
        self._seen = seen

    def _age(self, uuid: UUID, now: float) -> float:
        """Return for how many seconds the process's beat has stood still; endless for the unknown."""
        seen = self._seen.get(uuid)
        return now - seen.since if seen else float("inf")

    def _settle(self, leases: list[ShardLease], live: list[Worker]) -> None:
        alive = {worker.uuid for worker in live}
        owners = desired_owners(live)
        surplus = [
            lease.shard for lease in leases if lease.owner == self.uuid and owners[lease.shard] != self.uuid
        ]
        if surplus:
            store.release_leases(surplus, self.uuid)
            log.info("leases_released", count=len(surplus))
        kept = {lease.shard: lease.epoch for lease in leases if lease.owner == self.uuid}
        self.epochs = {shard: epoch for shard, epoch in kept.items() if shard not in surplus}
        ownerless = [lease for lease in leases if lease.owner not in alive]
        self._take([lease for lease in ownerless if owners[lease.shard] == self.uuid])
        self._declare_dead([lease for lease in ownerless if owners[lease.shard] != self.uuid])

    def _declare_dead(self, leases: list[ShardLease]) -> None:
        """Leave others' shares to them at once: a successor has not watched its predecessor for 10 s."""
        left = {lease.shard: lease.epoch for lease in leases if lease.owner not in (None, NOBODY)}
        if left:
            declared = store.take_leases(left, NOBODY)
            log.warning("owner_dead", count=len(declared))

    def _take(self, leases: list[ShardLease]) -> None:
        if not leases:
            return
        taken = store.take_leases({lease.shard: lease.epoch for lease in leases}, self.uuid)
        self.epochs |= {lease.shard: lease.epoch + 1 for lease in leases if lease.shard in taken}
        unclean = {lease.shard for lease in leases if lease.shard in taken and lease.owner is not None}
        self.unclean |= unclean
        log.info("leases_taken", count=len(taken), unclean=len(unclean), owned=len(self.epochs))

    def _forget(self, workers: Iterable[Worker], now: float) -> None:
        for worker in workers:
            if self._age(worker.uuid, now) > FORGET_SECONDS:
                store.forget_worker(worker.uuid)


def desired_owners(live: Collection[Worker]) -> dict[int, UUID]:
    """Return the process that should own each shard; of two with one ordinal the later one."""
    latest = {worker.ordinal: worker.uuid for worker in sorted(live, key=lambda worker: worker.pk)}
    return {
        shard: latest[max(latest, key=lambda ordinal: _weight(shard, ordinal))]
        for shard in range(SHARDS)
        if latest
    }


def _weight(shard: int, ordinal: int) -> bytes:
    return blake2b(f"{shard}:{ordinal}".encode(), digest_size=8).digest()
