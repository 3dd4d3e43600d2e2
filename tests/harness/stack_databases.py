"""A fresh, migrated database for each stack, as fast as a copy: a SQLite file or a PostgreSQL database.

Where messages end up. The schema is made once a session by the real migrations; each stack gets a copy. The
tests read it here with plain SQL, beside Django, so that no model can hide what is stored.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Protocol

import psycopg
import pytest

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.manage import manage
from tests.harness.postgres import (
    CONNECT_SECONDS,
    HOW_TO_GET_IT,
    OWNER,
    PostgresReplica,
    PostgresServer,
    find_binaries,
)

SECRET_KEY = "only-for-tests-and-never-on-a-network"
MIGRATE_SECONDS = 60.0
SQLITE_SECONDS = 20.0
STATEMENT_MILLISECONDS = 30_000

APPLICATION = "application"
"""A role that owns nothing and may only read and write rows: what it may can be taken from it."""

PARTITIONS = 16

POSTGRES_ONLY = pytest.mark.parametrize("databases", ["postgres"], indirect=True)
"""For tests without SQLite: its one writer locks the whole file, and a paused holder stops everybody."""

Row = tuple[Any, ...]


class Database(Protocol):
    """One stack's database."""

    url: str
    """For ROOMLOG_DATABASE_URL."""

    def query(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Runs one statement with %s for parameters, commits it, and returns its rows."""

    def remove(self) -> None:
        """Throws it away."""


class Databases(Protocol):
    """Where fresh databases come from."""

    name: str
    """sqlite or postgres."""

    def fresh(self, directory: Path) -> Database:
        """Returns a migrated, empty database; `directory` is the stack's own."""


class SqliteFile:
    """A database in one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.url = f"sqlite:///{path}"

    def query(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Runs one statement with %s for parameters, commits it, and returns its rows."""
        with closing(sqlite3.connect(self._path, timeout=SQLITE_SECONDS)) as connection, connection:
            return connection.execute(statement.replace("%s", "?"), parameters).fetchall()

    def remove(self) -> None:
        """Leaves the file to the folder that it is in."""


class SqliteFiles:
    """Copies of one migrated file."""

    name = "sqlite"

    def __init__(self, directory: Path) -> None:
        self._template = directory / "template.sqlite3"

    def fresh(self, directory: Path) -> SqliteFile:
        """Returns a copy of the migrated file."""
        if not self._template.exists():
            fresh = self._template.with_suffix(".new")
            migrate(f"sqlite:///{fresh}")
            fresh.replace(self._template)
        path = directory / "roomlog.sqlite3"
        shutil.copyfile(self._template, path)
        return SqliteFile(path)


class PostgresDatabase:
    """A database of the session's server."""

    def __init__(self, server: PostgresServer, name: str) -> None:
        self._server = server
        self._name = name
        self.url = server.url(name)

    def query(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        """Runs one statement with %s for parameters, commits it, and returns its rows."""
        options = f"-c statement_timeout={STATEMENT_MILLISECONDS}"
        with psycopg.connect(self.url, connect_timeout=CONNECT_SECONDS, options=options) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def admit(self, role: str = APPLICATION) -> str:
        """Lets a plain role read and write all rows, and returns the database's address for it."""
        self.query(
            f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};"
            f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
        )
        return self.url.replace(f"//{OWNER}@", f"//{role}@")

    def remove(self) -> None:
        """Drops the database."""
        self._server.drop(self._name)


class PostgresDatabases:
    """Copies of one migrated database; threads may share it."""

    name = "postgres"

    def __init__(self, server: PostgresServer, partitions: int = 0) -> None:
        self.server = server
        self.replica: PostgresReplica | None = None
        """A replica of that server, for processes that are told of it."""
        self._partitions = partitions
        self._template: str | None = None
        self._turn = threading.Lock()

    def fresh(self, directory: Path) -> PostgresDatabase:
        """Returns a copy of the migrated database."""
        with self._turn:
            name = self.server.create(self._migrated())
        return PostgresDatabase(self.server, name)

    @contextmanager
    def replicated(self) -> Iterator["PostgresDatabases"]:
        """Starts a streaming replica of their server; they are copies of the same, on the same server."""
        replica = PostgresReplica(self.server)
        try:
            replica.start()
            with self._turn:
                self._migrated()
            both = copy(self)
            both.replica = replica
            yield both
        finally:
            replica.stop()

    def _migrated(self) -> str:
        if self._template is None:
            template = self.server.create()
            migrate(self.server.url(template), self._partitions)
            self._template = template
        return self._template


@contextmanager
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Starts a server for the time of the context; without one on this machine it raises."""
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError(HOW_TO_GET_IT)
    server = PostgresServer(binaries)
    try:
        server.start()
        yield PostgresDatabases(server)
    finally:
        server.stop()


def spread(database: Database, shards: int) -> None:
    """Leaves what the migrations leave where ROOMLOG_SHARDS says so."""
    database.query("UPDATE roomlog_install SET shards = %s", (shards,))
    rows = ", ".join(f"({shard}, 0)" for shard in range(DEFAULT_SHARDS, shards))
    database.query(f"INSERT INTO roomlog_shardlease (shard, epoch) VALUES {rows}")


def migrate(url: str, partitions: int = 0) -> None:
    """Runs the real migrations."""
    settings = {
        "ROOMLOG_DATABASE_URL": url,
        "ROOMLOG_SECRET_KEY": SECRET_KEY,
        "ROOMLOG_PARTITIONS": str(partitions),
    }
    manage(settings, "migrate", "--verbosity", "0", seconds=MIGRATE_SECONDS)
