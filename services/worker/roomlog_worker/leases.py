"""Which shards this process may write, kept up between batches.

A process is alive while its beat moves; a beat that stands still for 10 s of one's own monotonic clock
is dead. The desired owner of a shard is the live ordinal with the highest rendezvous hash, so a scale,
a dead node or a rollout moves only what it must. A successor takes its predecessor's shards at once: the
same ordinal, a later id. Only processes that reach Redis are meant, as long as there are any. Safety does
not rest here: every transaction locks its leases and compares.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from time import monotonic
from typing import Final
from uuid import UUID

import structlog

from roomlog.models import ShardLease, Worker
from roomlog_worker.log import leases as store

from . import metrics
from .errors import Forgotten

log = structlog.get_logger()

POLL_SECONDS: Final = 0.5
"""Free leases are found after this at the latest: a handover takes under 2 s."""
DEAD_SECONDS: Final = 10.0
"""Twice the time-outs that end a paused worker's transaction."""
GAP_SECONDS: Final = DEAD_SECONDS / 2
"""So much of a time without a look at the beats counts as watched."""
FORGET_SECONDS: Final = 60.0
"""After this a dead worker's row is removed; a process that wakes up later ends."""
WITHOUT_REDIS_SECONDS: Final = 5.0
"""So long after Redis last answered, shards go to those that reach it."""
DOUBT_SECONDS: Final = 2.0
"""So long after the first failure, the others' beats say whether they reach Redis: it may be away for all."""
NO_EPOCH: Final = -1
"""No lease has it."""
NOBODY: Final = UUID(int=0)
"""Owns what a dead process left, until somebody takes it: unlike a free lease, it may hold what killed it."""


@dataclass(slots=True)
class _Seen:
    beat: int
    since: float
    has_moved: bool = False


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
        self.twins = 0
        """Other processes of this ordinal whose beats move, after a forced delete or by a wrong setting."""
        self._is_registered = False
        self._redis_answered_at: float | None = None
        self._redis_failed_at: float | None = None
        """The first failure since the last answer."""
        self._next_poll = 0.0
        self._watched = 0.0
        self._looked_at = clock()

    def redis_answered(self) -> None:
        """Note that Redis is there; before the first time `keep` does nothing."""
        self._redis_answered_at, self._redis_failed_at = self._clock(), None

    def redis_failed(self) -> None:
        """Note that Redis can't be reached."""
        if self._redis_failed_at is None:
            self._redis_failed_at = self._clock()

    def keep(self) -> None:
        """Beat, then take and release what the live processes call for; at most twice a second.

        Raises django.db errors; the leases then stay as they were last known.

        Raises:
            Forgotten: others have removed this process's row.
        """
        if self._redis_answered_at is None or self._clock() < self._next_poll:
            return
        self._next_poll = self._clock() + POLL_SECONDS
        self._beat()
        workers = list(Worker.objects.order_by("id"))
        now = self._watched_until()
        self._observe(workers, now)
        live = [worker for worker in workers if self._age(worker.uuid, now) < DEAD_SECONDS]
        self._rebalance(list(ShardLease.objects.order_by("shard")), live)
        self._forget(workers, now)

    def epochs_of(self, shards: Iterable[int]) -> dict[int, int]:
        """Return the epochs that the shards' leases must have; one that none has where a shard was lost."""
        return {shard: self.epochs.get(shard, NO_EPOCH) for shard in shards}

    def still_owns(self, shards: Collection[int]) -> bool:
        """Tell whether the database still says that all of the shards are this process's."""
        return not store.lost_leases(self.epochs_of(shards), self.uuid)

    def lose(self, shards: Collection[int]) -> None:
        """Stop working on shards that were found to have another owner."""
        for shard in shards:
            self.epochs.pop(shard, None)
        log.warning("leases_lost", shards=sorted(shards))

    def release(self) -> None:
        """Free every lease; `keep` takes what is due again."""
        if self.epochs:
            store.release_leases(list(self.epochs), self.uuid)
            log.info("leases_released", count=len(self.epochs))
            self.epochs.clear()

    def release_all(self) -> None:
        """Free every lease and leave: the others take over at their next poll."""
        self.release()
        store.forget_worker(self.uuid)

    def _beat(self) -> None:
        with metrics.BEAT_ROUNDTRIP.time():
            is_known = store.beat(self.uuid, reaches_redis=self._redis_failed_at is None)
        if not is_known:
            if self._is_registered:
                raise Forgotten
            store.register_worker(self.uuid, self.ordinal)
        self._is_registered = True

    def _watched_until(self) -> float:
        """Return the time of a clock that stands still while this process sees nothing.

        After an outage of the database, or a pause of this process, all beats seem to have stood still: that
        says nothing about the others.
        """
        now = self._clock()
        self._watched += min(now - self._looked_at, GAP_SECONDS)
        self._looked_at = now
        return self._watched

    def _observe(self, workers: Iterable[Worker], now: float) -> None:
        seen: dict[UUID, _Seen] = {}
        for worker in workers:
            before = self._seen.get(worker.uuid)
            if before is None:
                seen[worker.uuid] = _Seen(worker.beat, now)
            else:
                has_moved = before.beat != worker.beat
                seen[worker.uuid] = _Seen(worker.beat, now, has_moved=True) if has_moved else before
        self._seen = seen

    def _age(self, uuid: UUID, now: float) -> float:
        """Return for how many seconds the process's beat has stood still; endless for the unknown."""
        seen = self._seen.get(uuid)
        return now - seen.since if seen else float("inf")

    def _rebalance(self, leases: list[ShardLease], live: list[Worker]) -> None:
        others = [worker for worker in live if worker.reaches_redis and worker.uuid != self.uuid]
        owners = desired_owners(self._candidates(live, others), len(leases))
        predecessors = self._predecessors(live)
        self.twins = sum(self._seen[worker.uuid].has_moved for worker in live if self._is_twin(worker))
        alive = {worker.uuid for worker in live} - predecessors
        mine = [lease for lease in leases if lease.owner == self.uuid]
        surplus = [lease.shard for lease in mine if owners.get(lease.shard) != self.uuid]
        if surplus:
            store.release_leases(surplus, self.uuid)
            log.info("leases_released", count=len(surplus))
        self.epochs = {lease.shard: lease.epoch for lease in mine if lease.shard not in surplus}
        if self._redis_failed_at is not None and others:
            return  # what is to be had is theirs
        ownerless = [lease for lease in leases if lease.owner not in alive]
        self._take([lease for lease in ownerless if owners.get(lease.shard) == self.uuid])
        self._declare_dead([lease for lease in ownerless if owners.get(lease.shard) != self.uuid])

    def _candidates(self, live: list[Worker], others: list[Worker]) -> list[Worker]:
        """Return the processes that shards are shared among; `others` are those that reach Redis.

        While Redis is away for everybody all are: the api's commands are carried out without it.
        """
        if not others and self._redis_failed_at is not None:
            return live
        me = [worker for worker in live if worker.uuid == self.uuid]
        return others if others and self._has_lost_redis() else others + me

    def _has_lost_redis(self) -> bool:
        if self._redis_answered_at is None or self._redis_failed_at is None:
            return False
        now = self._clock()
        return (
            now - self._redis_answered_at >= WITHOUT_REDIS_SECONDS
            and now - self._redis_failed_at >= DOUBT_SECONDS
        )

    def _is_twin(self, worker: Worker) -> bool:
        return worker.ordinal == self.ordinal and worker.uuid != self.uuid

    def _predecessors(self, live: list[Worker]) -> set[UUID]:
        """Return the earlier processes of this ordinal: dead, or soon refused by their transactions."""
        mine = next((worker.pk for worker in live if worker.uuid == self.uuid), 0)
        return {worker.uuid for worker in live if self._is_twin(worker) and worker.pk < mine}

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
        metrics.TAKEOVERS.labels("dead").inc(len(unclean))
        metrics.TAKEOVERS.labels("free").inc(len(taken) - len(unclean))
        log.info("leases_taken", count=len(taken), unclean=len(unclean), owned=len(self.epochs))

    def _forget(self, workers: Iterable[Worker], now: float) -> None:
        for worker in workers:
            if self._age(worker.uuid, now) > FORGET_SECONDS:
                store.forget_worker(worker.uuid)


def desired_owners(live: Collection[Worker], shards: int) -> dict[int, UUID]:
    """Return the process that should own each shard; of two with one ordinal the later one."""
    latest = {worker.ordinal: worker.uuid for worker in sorted(live, key=lambda worker: worker.pk)}
    if not latest:
        return {}
    return {shard: latest[ordinal] for shard, ordinal in enumerate(_heaviest(tuple(sorted(latest)), shards))}


@lru_cache(maxsize=4)
def _heaviest(ordinals: tuple[int, ...], shards: int) -> list[int]:
    """Return the ordinal of each shard; kept, because 64 workers of 1,024 shards take 65,536 hashes."""
    return [max(ordinals, key=lambda ordinal: _weight(shard, ordinal)) for shard in range(shards)]


def _weight(shard: int, ordinal: int) -> bytes:
    return blake2b(f"{shard}:{ordinal}".encode(), digest_size=8).digest()
