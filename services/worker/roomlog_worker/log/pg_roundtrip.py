"""Statements that go to the database together: one message to PostgreSQL, one answer.

Each is prepared once per connection, so that PostgreSQL plans it once. PostgreSQL runs nothing until the
whole message has arrived, then sits idle in transaction: a process that is paused in between loses its locks
by the idle time-out. With a pipeline, which sends statement by statement, it would keep them. Each statement
has its own snapshot. Knows connections and no tables.
"""

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from weakref import WeakSet

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import errors, generators
from psycopg.adapt import Transformer
from psycopg.pq import Escaping, ExecStatus, TransactionStatus, abc

from roomlog_worker.metrics import BATCH_ROUNDTRIP

Rows = list[tuple[Any, ...]]

_prepared: Final[WeakSet[psycopg.Connection[Any]]] = WeakSet()


class Statement(NamedTuple):
    """A statement as each database takes it."""

    name: str
    """Its name in a session of PostgreSQL, once it is prepared."""
    preparation: str
    """The PREPARE statement, with the types of the parameters."""
    for_sqlite: str = ""
    """With %s for each parameter; empty where SQLite is never asked."""


class Call(NamedTuple):
    """A statement with its parameters."""

    statement: Statement
    parameters: tuple[str | int | datetime, ...]


class Exchange:
    """The statements that each connection prepares, and the way to execute them."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements

    def ask(self, *calls: Call, commits: bool = False) -> list[Rows]:
        """Execute the calls in order, in the caller's transaction; return each one's rows.

        With `commits` PostgreSQL commits at once, and the caller's own commit, which must come next, has
        nothing left to do.

        Raises:
            django.db.Error: one failed; the later ones were not executed.
        """
        database = connections[DEFAULT_DB_ALIAS]
        if database.vendor == "sqlite":
            with BATCH_ROUNDTRIP.time():
                return _one_by_one(database, calls)
        database.ensure_connection()
        session: psycopg.Connection[Any] = database.connection
        with database.wrap_database_errors, session.lock, BATCH_ROUNDTRIP.time():
            self._prepare(session)
            executions = _executions(session, calls)
            return _send(session, [*executions, "COMMIT"] if commits else executions)[: len(calls)]

    def ask_single(self, call: Call, meanwhile: Callable[[], None]) -> int:
        """Execute one call on PostgreSQL as a transaction of its own; return how many rows it gave.

        `meanwhile` is called once, as soon as the call has left. It should take less time than a disk, and
        must not ask the database.

        Raises:
            django.db.Error: nothing was done, unless the connection was lost.
        """
        database = connections[DEFAULT_DB_ALIAS]
        if database.connection is None:
            database.ensure_connection()
        session: psycopg.Connection[Any] = database.connection
        with database.wrap_database_errors, session.lock, BATCH_ROUNDTRIP.time():
            self._prepare(session)
            values = [str(value).encode() for value in call.parameters]
            session.pgconn.send_query_prepared(call.statement.name.encode(), values)
            try:
                os.sched_yield()  # on a shared processor PostgreSQL goes first: it waits for its disk
                meanwhile()
            finally:
                result = _results(session)[0]
            return result.ntuples

    def _prepare(self, session: psycopg.Connection[Any]) -> None:
        if session not in _prepared:
            _send(session, [statement.preparation for statement in self._statements])
            _prepared.add(session)


def _one_by_one(database: BaseDatabaseWrapper, calls: Sequence[Call]) -> list[Rows]:
    adapt = database.ops.adapt_datetimefield_value
    with database.cursor() as cursor:
        return [
            cursor.execute(
                statement.for_sqlite,
                [adapt(value) if isinstance(value, datetime) else value for value in parameters],
            ).fetchall()
            for statement, parameters in calls
        ]


def _executions(session: psycopg.Connection[Any], calls: Sequence[Call]) -> list[str]:
    escaping: abc.Escaping = Escaping(session.pgconn)
    return [
        f"EXECUTE {statement.name}({', '.join(_literal(escaping, value) for value in parameters)})"
        for statement, parameters in calls
    ]


def _literal(escaping: abc.Escaping, value: str | int | datetime) -> str:
    return bytes(escaping.escape_literal(str(value).encode())).decode()


def _send(session: psycopg.Connection[Any], commands: Sequence[str]) -> list[Rows]:
    """Send commands as one message; a transaction that psycopg has yet to begin begins with them."""
    begins = not session.autocommit and session.pgconn.transaction_status == TransactionStatus.IDLE
    message = "; ".join(["BEGIN", *commands] if begins else commands)
    session.pgconn.send_query(message.encode())
    return [_rows_of(session, result) for result in _results(session)[begins:]]


def _results(session: psycopg.Connection[Any]) -> list[abc.PGresult]:
    results: list[abc.PGresult] = session.wait(generators.execute(session.pgconn))
    if results[-1].status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise errors.error_from_result(results[-1])
    return results


def _rows_of(session: psycopg.Connection[Any], result: abc.PGresult) -> Rows:
    if not result.ntuples:
        return []
    transformer = Transformer(session)
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, tuple)
