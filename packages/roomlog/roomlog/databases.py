"""Django's DATABASES entries, with the time-outs that Roomlog's safety arguments count on.

From one URL for the stand-alone project; from a project's own entry for a worker that runs in it. Imported by
settings modules before Django is ready; must not import models.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from roomlog_runtime.errors import SettingError

from .database_address import SqliteAddress, parse_database_url

LOCK_TIMEOUT_MS: Final = 1_000
"""A writer waits this long for a row; then the batch is tried again."""
STATEMENT_TIMEOUT_MS: Final = 5_000
"""No statement of a writer takes longer unless the database is in trouble."""
READ_TIMEOUT_MS: Final = 1_000
"""No statement of a thread that answers reads takes longer: others wait behind it."""
READ_LOCK_TIMEOUT_MS: Final = 500
"""Reads wait only for a locked table, read marks also for a locked membership: neither is the entry's fault.

On SQLite a mark waits so long for the writer.
"""
IDLE_IN_TRANSACTION_TIMEOUT_MS: Final = 5_000
"""A paused writer loses its locks after this, well before its leases' 10 s."""
TCP_USER_TIMEOUT_MS: Final = 10_000
"""A writer cut off from the database hears of it after this."""
KEEPALIVES: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""Seconds and tries: whoever waits for an answer sends nothing that could time out, and waits for hours."""
CONNECT_TIMEOUT_SECONDS: Final = 5
RANDOM_PAGE_COST: Final = 1.1
"""Of a block that is not the next one, in blocks read in order: as for an SSD, and for memory.

PostgreSQL's own 4 is for a turning disk. By it a batch of a few messages scans all heads of up to 20,000
rooms: that counts as cheaper than the hundred look-ups that PostgreSQL expects of any list in JSON.
"""
KEPT_SECONDS: Final = 60
"""How long a thread that serves people keeps its connection: a rarely used one costs the server memory."""
SQLITE_TIMEOUT_SECONDS: Final = 20
"""SQLite has one writer at a time; the others wait this long for their turn."""
SQLITE_PRAGMAS: Final = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
SQLITE: Final = "django.db.backends.sqlite3"
_SQLITE_ENGINES: Final = (".sqlite3", ".spatialite")
_SQLITE_OPTIONS: Final = {
    "transaction_mode": "IMMEDIATE",
    "timeout": SQLITE_TIMEOUT_SECONDS,
    "init_command": SQLITE_PRAGMAS,
}
_TIMEOUTS: Final = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "tcp_user_timeout": TCP_USER_TIMEOUT_MS}
_DJANGO_NAMES: Final = {
    "NAME": "dbname",
    "USER": "user",
    "PASSWORD": "password",
    "HOST": "host",
    "PORT": "port",
}
REPLICA: Final = "replica"
"""The alias of a replica where the environment names it."""
REPLICA_VARIABLE: Final = "ROOMLOG_REPLICA_URL"
_WRITER: Final = "IS_WRITER"
"""Our own word in the entry: the sessions are a writer's."""


def database(url: str, *, writer: bool = False) -> dict[str, Any]:
    """Return the settings for `postgres://…` or `sqlite:////absolute/path`.

    A `writer` (the worker) keeps one connection, with prepared statements, and ends its own stuck ones.
    Others keep one a thread, and ask with each request whether it still lives. A pooler between must keep
    sessions apart (`pooling`).

    Raises:
        SettingError: it is neither.
    """
    address = parse_database_url(url)
    if isinstance(address, SqliteAddress):
        return _sqlite(address, writer)
    options: dict[str, Any] = {**address.parameters, **KEEPALIVES, **_TIMEOUTS}
    settings = {
        "ENGINE": "django.db.backends.postgresql",
        **{key: options.pop(name, "") for key, name in _DJANGO_NAMES.items()},
        "OPTIONS": options,
    }
    if writer:
        return as_writer(settings)
    return {**settings, "CONN_MAX_AGE": KEPT_SECONDS, "CONN_HEALTH_CHECKS": True}


def with_replica(default: Mapping[str, Any], url: str) -> dict[str, dict[str, Any]]:
    """Return DATABASES of a primary and, if there is an address of one, its replica under the alias REPLICA.

    Raises:
        SettingError: it is no address of PostgreSQL.
    """
    if not url:
        return {DEFAULT_DB_ALIAS: dict(default)}
    try:
        replica = database(url)
    except SettingError as error:
        raise SettingError(REPLICA_VARIABLE, error.problem) from None
    if replica["ENGINE"] == SQLITE:
        raise SettingError(REPLICA_VARIABLE, "leads to SQLite, which has no replicas")
    if replica["OPTIONS"].get("target_session_attrs") == "read-write":  # the default of several hosts
        replica["OPTIONS"]["target_session_attrs"] = "prefer-standby"
    return {DEFAULT_DB_ALIAS: dict(default), REPLICA: replica}


def as_writer(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same database as a worker needs it, whatever is right for those who serve people.

    One connection a thread for good, without a pool of Django's; on PostgreSQL prepared statements and READ
    COMMITTED, on SQLite one writer from the transaction's begin, whose commits outlive a crash.
    """
    options = dict(entry.get("OPTIONS", {}))
    kept = {**entry, "ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": None}
    kept["CONN_HEALTH_CHECKS"] = False
    if entry["ENGINE"].endswith(_SQLITE_ENGINES):
        return {**kept, "OPTIONS": {**options, **_SQLITE_OPTIONS}}
    for unfit in ("pool", "isolation_level"):
        options.pop(unfit, None)
    own = {"server_side_binding": True, **KEEPALIVES, **_TIMEOUTS}
    return {**kept, _WRITER: True, "OPTIONS": {**options, **own}}


def become_writer() -> None:
    """Make every connection of this process from now on a writer's, and end this thread's."""
    connections.settings[DEFAULT_DB_ALIAS] = as_writer(connections.settings[DEFAULT_DB_ALIAS])
    connections[DEFAULT_DB_ALIAS].close()
    del connections[DEFAULT_DB_ALIAS]


def begin_session(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give a writer's new session its time-outs and its price of a look-up; for `connection_created`.

    Not by the startup parameter `options`, which poolers refuse.
    """
    if connection.settings_dict.get(_WRITER):
        end_stuck_statements(connection)
    if keeps_plans(connection):
        with connection.cursor() as cursor:
            cursor.execute(f"SET random_page_cost = {RANDOM_PAGE_COST}")


def keeps_plans(connection: BaseDatabaseWrapper) -> bool:
    """Return whether statements may stay prepared: on PostgreSQL, in sessions that are a writer's alone."""
    return connection.vendor == "postgresql" and bool(connection.settings_dict.get(_WRITER))


def limit_reads(connection: BaseDatabaseWrapper) -> None:
    """Connect, and give a connection that answers reads and moves read marks its own time-outs.

    Its commits don't wait for a standby: no time-out would end that, and logins wait behind it.
    """
    connection.ensure_connection()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false),"
                " set_config('synchronous_commit', 'local', false)",
                [str(READ_TIMEOUT_MS), str(READ_LOCK_TIMEOUT_MS)],
            )
        else:
            waits_ms = 1_000 * connection.settings_dict["OPTIONS"].get("timeout", SQLITE_TIMEOUT_SECONDS)
            cursor.execute(f"PRAGMA busy_timeout = {min(int(waits_ms), READ_LOCK_TIMEOUT_MS)}")


def commit_lazily(connection: BaseDatabaseWrapper) -> None:
    """Connect, and let no commit of this connection wait for a disk: what it writes can be made again."""
    connection.ensure_connection()
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        cursor.execute("SET synchronous_commit = off" if is_postgres else "PRAGMA synchronous = NORMAL")


def end_stuck_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Give the statements of a process that serves people the writer's time-outs; for `connection_created`.

    Not for commands: a migration may take longer. Set after connecting, because a pooler need not know them.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"SET lock_timeout = {LOCK_TIMEOUT_MS}; SET statement_timeout = {STATEMENT_TIMEOUT_MS}; "
                f"SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_TIMEOUT_MS}"
            )


def _sqlite(address: SqliteAddress, writer: bool) -> dict[str, Any]:
    return {
        "ENGINE": SQLITE,
        "NAME": address.path,
        "OPTIONS": {**_SQLITE_OPTIONS},
        "CONN_MAX_AGE": None if writer else 0,
    }
