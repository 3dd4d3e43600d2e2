"""Fixtures of the worker's tests: a real Valkey, databases of both kinds, a worker turned by hand."""
# ruff: noqa: E402 - models can be imported only once Django knows its settings

import os
from collections.abc import Iterator

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from django.conf import settings
from django.db import connection
from redis import Redis

from roomlog import databases
from roomlog.models import ShardLease
from roomlog_local.child import Child
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from roomlog_worker import bus, consumer, lane, parking
from tests.harness.databases import (
    database,
    partitioned,
    partitioned_url,
    postgres,
    postgres_url,
    replica,
    replica_server,
    sqlite,
    sqlite_url,
)
from tests.harness.people import People
from tests.worker.bench import Bench

__all__ = ["database", "partitioned", "partitioned_url"]
__all__ += ["postgres", "postgres_url", "replica", "replica_server", "sqlite", "sqlite_url"]

START_SECONDS = 20.0
TICKS_PER_SECOND = 500


@pytest.fixture
def dozens_of_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """One person may make dozens of rooms at once."""
    monkeypatch.setitem(settings.ROOMLOG, "ROOM_CREATIONS_PER_MINUTE", 12 * 30)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Valkey of the tests' own."""
    directory, port = tmp_path_factory.mktemp("valkey"), free_port()
    child = Child(valkey(port, directory), directory / "valkey.log")
    child.start()
    child.wait_ready(START_SECONDS)
    with Redis(LOOPBACK, port) as owner:
        # An idle server ends a blocked read at its next tick, of which it has ten a second by default.
        owner.config_set("hz", TICKS_PER_SECOND)
    yield f"redis://{LOOPBACK}:{port}/0"
    child.kill()


@pytest.fixture
def people(database: str) -> People:
    """Alice, Bob and Carol."""
    return People.make()


@pytest.fixture
def bench(database: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A worker that owns every shard, on an empty database of each kind and an empty Valkey."""
    # An empty read and a pause of SQLite's are waits for nobody here.
    monkeypatch.setattr(bus, "BLOCK_MS", 1)
    monkeypatch.setattr(consumer, "SQLITE_PAUSE_SECONDS", 0.0)
    # What was left for later is looked at again as soon as all the rest was read.
    monkeypatch.setattr(parking, "PARKED_SECONDS", 0.0)
    monkeypatch.setattr(parking, "PARKED_SHARE", 0.0)
    # A turn is as long as its reads: on a loaded machine it would end before the last of them.
    monkeypatch.setattr(lane, "TURN_SECONDS", START_SECONDS)
    # A row that is held all the time is as held after a tenth of a second; for the next session.
    monkeypatch.setattr(databases, "LOCK_TIMEOUT_MS", 100)
    connection.close()
    bench = Bench(redis_url)
    # As if it had taken them one by one: test_leases.py is about that.
    ShardLease.objects.update(owner=bench.worker.leases.uuid, epoch=1)
    bench.worker.turn()
    bench.hear()
    yield bench
    bench.close()
