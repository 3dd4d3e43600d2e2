"""Looks at the database: version, migrations, owners of the shards, what waits, clock. Reads only."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import InterfaceError

from roomlog import partitions, pooling
from roomlog.configuration import configuration
from roomlog.install_shards import differing
from roomlog.models import DeadLetter, Install, PendingCommand, ShardLease, Worker
from roomlog_runtime.shards_setting import VARIABLE

from . import durability
from .finding import Finding, found
from .redis import clock

POSTGRES: Final = 140_000
"""As libpq counts: 14.0, the oldest that Django 5.2 knows."""
SQLITE: Final = (3, 31)
BEAT_SECONDS: Final = 4.0
"""A worker beats twice a second; a loaded one may be late."""
POLL_SECONDS: Final = 0.25
MOST_RIGHTS: Final = 5
"""Named in one line; the rest is likely alike."""
PENDING_SECONDS: Final = 30.0
"""Owners sweep each second."""


def look() -> Iterator[Finding]:
    """Yield what is to be said of the database; one line where it can't be asked."""
    try:
        yield _version()
        if pooling.lends_sessions():
            fact = "lends sessions to others between transactions"
            yield Finding("database pooler", fact, pooling.TODO)
        yield from durability.look()
        if rights := durability.missing_rights():
            more = f" and {len(rights) - MOST_RIGHTS} more" if rights[MOST_RIGHTS:] else ""
            fact = f"the role has no {', '.join(rights[:MOST_RIGHTS])}{more}"
            todo = "grant the role SELECT, INSERT, UPDATE and DELETE on all tables, USAGE on all sequences"
            yield Finding("database rights", fact, todo)
            return
        missing = _missing_migrations()
        yield found(
            "migrations", f"{missing} missing" if missing else "all applied", not missing, "run `migrate`"
        )
        if not missing:
            yield from _tables()
        if connection.vendor == "postgresql":
            yield _clock()
    except (DatabaseError, InterfaceError) as error:
        fact = f"no answer: {type(error).__name__}"  # its text may hold the address or the user
        yield Finding("database", fact, "start it, or correct ROOMLOG_DATABASE_URL")


def _version() -> Finding:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT sqlite_version()")
            version = str(cursor.fetchone()[0])
            is_new = tuple(map(int, version.split(".")[:2])) >= SQLITE
            return found(
                "database version", f"SQLite {version}, for one machine", is_new, "use 3.31 or newer"
            )
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
        number, version = cursor.fetchone()
    return found("database version", f"PostgreSQL {version}", number >= POSTGRES, "use 14 or newer")


def _missing_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _tables() -> Iterator[Finding]:
    install, shards = Install.objects.get(), configuration().shards
    yield Finding("epoch", install.epoch)
    if install.shards != shards:
        yield Finding("number of shards", str(shards), f"{VARIABLE} {differing(shards, install.shards)}")
    if different := partitions.difference(connection):
        yield Finding("partitions", different, partitions.TODO)
    yield from _owners()
    late = datetime.now(UTC) - timedelta(seconds=PENDING_SECONDS)
    waiting = PendingCommand.objects.filter(date_created__lt=late).count()
    todo = "check the workers that own the shards: they sweep every second"
    yield found("pending commands", f"{waiting} older than {PENDING_SECONDS:.0f} s", not waiting, todo)
    letters = DeadLetter.objects.count()
    todo = "inspect them in the admin, then retry or delete them"
    yield found("dead letters", str(letters), not letters, todo)


def _owners() -> Iterator[Finding]:
    """Yield whether somebody alive owns each shard; waits a moment for the workers' beats."""
    before = dict(Worker.objects.values_list("uuid", "beat"))
    deadline = time.monotonic() + BEAT_SECONDS
    alive = _beating(before)
    while len(alive) < len(before) and time.monotonic() < deadline:
        threading.Event().wait(POLL_SECONDS)
        alive |= _beating(before)
    yield from _doubles(alive)
    yield from _of_workers(alive)
    yield found(
        "workers", f"{len(alive)} alive", bool(alive), "start a worker: nothing is accepted without one"
    )
    leases = list(ShardLease.objects.order_by("shard").values_list("shard", "owner"))
    orphans = [shard for shard, owner in leases if owner not in alive]
    fact = f"without an owner: {orphans}" if orphans else f"all {len(leases)} have a live owner"
    todo = "run this again in 20 s; if it persists, check the workers' logs"
    yield found("shards", fact, not orphans, todo)


def _doubles(alive: set[UUID]) -> Iterator[Finding]:
    """Yield the ordinals that two live processes have: the later takes the shards of the earlier."""
    ordinals = Counter(Worker.objects.filter(uuid__in=alive).values_list("ordinal", flat=True))
    if doubled := sorted(ordinal for ordinal, count in ordinals.items() if count > 1):
        todo = "stop one of each, or give every process its own ROOMLOG_ORDINAL; normal during a rollout"
        yield Finding("worker ordinals", f"several live processes have {doubled}", todo)


def _of_workers(alive: set[UUID]) -> Iterator[Finding]:
    """Yield whether live workers reach Redis, and how far the clock of the worst is from this machine's."""
    workers = list(Worker.objects.filter(uuid__in=alive))
    now = time.time()
    cut_off = sorted(worker.ordinal for worker in workers if not worker.reaches_redis)
    todo = "check their ROOMLOG_REDIS_URL, its user's rights and the network"
    if cut_off:
        yield Finding("workers without Redis", str(cut_off), todo)
    ahead = [worker.clock - now for worker in workers if worker.clock is not None]
    if ahead:  # of a beat that is up to a second old
        yield clock("workers' clocks", max(ahead, key=abs))


def _beating(before: dict[UUID, int]) -> set[UUID]:
    """Return the workers whose beat has moved, or that are new."""
    return {uuid for uuid, beat in Worker.objects.values_list("uuid", "beat") if before.get(uuid) != beat}


def _clock() -> Finding:
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        there = float(cursor.fetchone()[0])
    return clock("database clock", there - (before + time.time()) / 2)
