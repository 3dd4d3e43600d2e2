"""Writes to the workers' and leases' tables. Each function is safe alone: none trusts a clock.

A lease changes hands under its lock by an UPDATE that counts its epoch up. A worker that still believes in
the old epoch finds `not_mine` under the lock, inside its own transaction.
"""

import time
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import F

from roomlog.models import ShardLease, Worker

from . import statements


def register_worker(uuid: UUID, ordinal: int) -> int:
    """Return the number of the new process; higher numbers are later processes."""
    return Worker.objects.create(uuid=uuid, ordinal=ordinal).pk


def forget_worker(uuid: UUID) -> None:
    """Remove a process that ended, or that stopped beating."""
    Worker.objects.filter(uuid=uuid).delete()


def beat(uuid: UUID, *, reaches_redis: bool) -> bool:
    """Count this process's beats up; False if it has no row: it is new, or others have forgotten it."""
    row = Worker.objects.filter(uuid=uuid)
    return row.update(beat=F("beat") + 1, reaches_redis=reaches_redis, clock=time.time()) == 1


def take_leases(seen_epochs: Mapping[int, int], owner: UUID) -> set[int]:
    """Take the leases whose epochs are still as read; return their shards.

    In two statements however many there are: a worker that comes back takes half of them at once.
    """
    with transaction.atomic():
        leases = statements.lock_leases(seen_epochs)
        untaken = {shard for shard, _, epoch in leases if epoch == seen_epochs[shard]}
        ShardLease.objects.filter(shard__in=untaken).update(owner=owner, epoch=F("epoch") + 1)
        return untaken


def release_leases(shards: Collection[int], owner: UUID) -> None:
    """Free those of the leases that are still the owner's."""
    ShardLease.objects.filter(shard__in=shards, owner=owner).update(owner=None)


def lost_leases(epochs: Mapping[int, int], owner: UUID) -> set[int]:
    """Return the leases that are no longer mine, as just committed."""
    rows = ShardLease.objects.filter(shard__in=epochs.keys())
    return not_mine(epochs, owner, rows.values_list("shard", "owner", "epoch"))


def not_mine(
    epochs: Mapping[int, int], owner: UUID, leases: Iterable[tuple[int, UUID | None, int]]
) -> set[int]:
    """Return the shards whose leases, as read, are no longer the owner's of these epochs."""
    mine = {shard for shard, holder, epoch in leases if holder == owner and epoch == epochs[shard]}
    return set(epochs) - mine
