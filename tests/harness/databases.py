"""A real, migrated database of each kind behind Django's default connection.

Where messages end up. What a test writes is committed, so that deferred constraints, locks and other
connections see it, and is gone before the next test. PostgreSQL is the server of ROOMLOG_TEST_POSTGRES_URL,
or one of the tests' own.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker
from rest_framework.authtoken.models import Token

from roomlog import models
from roomlog.databases import REPLICA, with_replica
from roomlog.databases import database as configured
from roomlog.people import system_person
from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.postgres import (
    CONNECT_SECONDS,
    PostgresReplica,
    PostgresServer,
    find_binaries,
    missing_postgres,
)
from tests.harness.stack_databases import PARTITIONS

URL_VARIABLE: Final = "ROOMLOG_TEST_POSTGRES_URL"
EPOCH: Final = "0123456789abcdef"
LOG: Final = "roomlog_roomevent"
ON_PARTITIONS_TOO: Final = pytest.mark.parametrize(
    "database", ["sqlite", "postgres", "partitioned"], indirect=True
)
"""For what writes and reads the log itself."""
MODELS: Final[tuple[type[Model], ...]] = (
    models.RoomEvent,
    models.Reaction,
    models.Block,
    models.Mention,
    models.RoomMention,
    models.Attachment,
    models.Ban,
    models.MessageReport,
    models.RoomHead,
    models.Membership,
    models.RoomTold,
    models.WebhookCursor,
    models.Webhook,
    models.IncomingHook,
    models.Invitation,
    models.BotToken,
    models.RoomIndexed,
    models.SearchEntry,
    models.RoomRetention,
    models.ChoresLease,
    models.ChatRoom,
    models.PendingCommand,
    models.Worker,
    models.ShardLease,
    models.DeadLetter,
    models.Install,
    models.Person,
    Token,
    get_user_model(),
)
"""In an order in which their rows can be deleted."""
_server = pytest.StashKey[PostgresServer]()


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker) -> str:
    """A migrated SQLite file."""
    return _migrated(f"sqlite:///{tmp_path_factory.mktemp('store')}/store.sqlite3", django_db_blocker)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A migrated PostgreSQL database; skips where there is no server, unless it is required."""
    if url := os.environ.get(URL_VARIABLE):
        with _database_of_its_own(url) as own:
            yield _migrated(own, django_db_blocker)
        return
    server = _server_of(request.config)
    yield _migrated(server.url(server.create()), django_db_blocker)


@pytest.fixture(scope="session")
def partitioned_url(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> str:
    """A migrated database of the tests' own PostgreSQL whose log is in partitions."""
    server = _server_of(request.config)
    with patch.dict(settings.ROOMLOG, PARTITIONS=PARTITIONS):
        return _migrated(server.url(server.create()), django_db_blocker)


@pytest.fixture(scope="session")
def replica_server(request: pytest.FixtureRequest, partitioned_url: str) -> Iterator[PostgresReplica]:
    """A streaming replica of the tests' own PostgreSQL."""
    server = PostgresReplica(_server_of(request.config))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def replica(partitioned: str, replica_server: PostgresReplica) -> Iterator[PostgresReplica]:
    """The replica of an empty database with partitions, level with it, under the alias REPLICA."""
    url = replica_server.url(partitioned.rpartition("/")[2])
    connections.settings[REPLICA] = connections.configure_settings(with_replica({}, url))[REPLICA]
    with patch.dict(settings.ROOMLOG, READ_REPLICA=REPLICA):
        replica_server.wait_level()
        yield replica_server
    if replica_server.child.is_running:
        replica_server.wake()
    else:
        replica_server.begin()
    replica_server.resume_replay()
    del connections.settings[REPLICA]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind, as a worker is connected to it; its address."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def postgres(postgres_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An empty PostgreSQL database, for what SQLite does not have: row locks and a network."""
    with django_db_blocker.unblock(), default_database(postgres_url):
        empty()
        yield postgres_url


@pytest.fixture
def partitioned(partitioned_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An empty PostgreSQL database whose log is in partitions."""
    with django_db_blocker.unblock(), default_database(partitioned_url):
        empty()
        yield partitioned_url


@pytest.fixture
def sqlite(sqlite_url: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An empty SQLite database, for what only it has."""
    with django_db_blocker.unblock(), default_database(sqlite_url):
        empty()
        yield sqlite_url


@contextmanager
def default_database(url: str, *, writer: bool = True) -> Iterator[None]:
    """Django's default connection goes to `url` meanwhile, in new threads too."""
    kept, kept_settings = connections[DEFAULT_DB_ALIAS], connections.settings[DEFAULT_DB_ALIAS]
    new = connections.configure_settings({DEFAULT_DB_ALIAS: configured(url, writer=writer)})
    connections.settings[DEFAULT_DB_ALIAS] = new[DEFAULT_DB_ALIAS]
    del connections[DEFAULT_DB_ALIAS]
    try:
        yield
    finally:
        connection.close()
        connections.settings[DEFAULT_DB_ALIAS] = kept_settings
        connections[DEFAULT_DB_ALIAS] = kept


@contextmanager
def held_elsewhere(rows: str, *parameters: UUID | int, strength: str = "NO KEY UPDATE") -> Iterator[None]:
    """Another session holds the rows, `table WHERE …`, meanwhile; they are free when the context ends."""
    other: BaseDatabaseWrapper = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = 0")
            cursor.execute(f"SELECT 1 FROM {rows} FOR {strength}", parameters)
            yield
        other.rollback()
    finally:
        other.close()


def empty() -> None:
    """Leave what the migrations leave: one epoch, 64 free shards; and a person without a user.

    So that no test can take a user's id for a person's.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for model in MODELS:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        models.Install.objects.create(epoch=EPOCH)
        models.ShardLease.objects.bulk_create(
            models.ShardLease(shard=shard) for shard in range(DEFAULT_SHARDS)
        )
        system_person()


def _migrated(url: str, blocker: DjangoDbBlocker) -> str:
    with blocker.unblock(), default_database(url):
        call_command("migrate", verbosity=0)
    return url


def _server_of(config: pytest.Config) -> PostgresServer:
    """Return the session's server, started by whoever needs it first."""
    if _server not in config.stash:
        binaries = find_binaries()
        if binaries is None:
            missing_postgres()
        server = PostgresServer(binaries, durable=False)
        config.add_cleanup(server.stop)
        server.start()
        config.stash[_server] = server
    return config.stash[_server]


@contextmanager
def _database_of_its_own(url: str) -> Iterator[str]:
    """A database beside the given one, which may hold anything."""
    name = f"roomlog_test_{os.getpid()}_{os.urandom(4).hex()}"
    create, drop = sql.SQL("CREATE DATABASE {}"), sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    with psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS) as server:
        server.execute(create.format(sql.Identifier(name)))
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            server.execute(drop.format(sql.Identifier(name)))


def plan_of(sql: str) -> str:
    """Return how the test's database would carry a statement out."""
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + sql)
        return by_the_log_s_names(str(cursor.fetchall()))


def by_the_log_s_names(plan: str) -> str:
    """Return a plan with the log's name for each index that is a partition's part of it."""
    if connection.vendor == "sqlite":
        return plan
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text, inhparent::regclass::text FROM pg_inherits")
        names = {name: of_log for name, of_log in cursor.fetchall() if of_log != LOG}
    return re.sub(rf"\b{LOG}_\w+", lambda found: names.get(found[0], found[0]), plan)


def partitions_read(sql: str) -> set[str]:
    """Return in which partitions of the log a statement looks for rows; nothing that it writes stays."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql)
        ((plan,),) = cursor.fetchall()
        transaction.set_rollback(True)
    return {
        node["Relation Name"]
        for node in _nodes_of(plan[0]["Plan"])
        if node.get("Relation Name", "").startswith(f"{LOG}_")
        and node["Actual Loops"]
        and node["Node Type"] != "ModifyTable"
    }


def partition_of(room: UUID) -> str:
    """Return the partition that holds a room's log."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT tableoid::regclass::text FROM {LOG} WHERE room_id = %s", [room])
        ((name,),) = cursor.fetchall()
    return str(name)


def _nodes_of(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes_of(child)
