"""The database server in virtual time: Django's SQLite backend, with statements that travel, wait and break.

Behind the real worker and the api. A thread that waited inside SQLite would hold up the loop. So writers
queue for a lock in virtual time before they begin. Like PostgreSQL, the server ends a transaction that idles,
and keeps the locks of a dead client until it notices. It must not decide what is stored.
"""

import asyncio
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar
from unittest.mock import patch

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.sqlite3.base import DatabaseWrapper, SQLiteCursorWrapper

from roomlog.databases import database as configured

from .processes import Process, Thread, current

T = TypeVar("T")
CALL_SECONDS: Final = (0.0002, 0.002)
"""One way between a client and the server."""
LOCK_SECONDS: Final = 1.0
"""lock_timeout of the workers' sessions."""
IDLE_SECONDS: Final = 5.0
"""idle_in_transaction_session_timeout: a frozen worker keeps its locks no longer."""
NOTICED: Final = 0.5
"""How likely the server notices a dead client at once."""
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE"})


class Server:
    """One database, the lock that makes its writers one, and its moods."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random, path: Path) -> None:
        self.loop, self.dice, self.path = loop, dice, path
        self.is_down = False
        self.slowness_seconds = 0.0
        """How much longer a statement may take."""
        self.locks_reads = True
        """A transaction holds the lock before it reads. False is for an ablation: it locks when it writes."""
        self._sessions: dict[Session, None] = {}
        self._holder: Session | None = None
        self._waiting: dict[Thread, None] = {}

    def travel(self) -> None:
        """Let a question or an answer take its time."""
        seconds = self.dice.uniform(*CALL_SECONDS) + self.dice.random() * self.slowness_seconds
        current().wait(seconds)

    def opened(self, session: "Session") -> None:
        """Note a new session."""
        self._sessions[session] = None

    def closed(self, session: "Session") -> None:
        """Note that a session is gone; a dead client's lock may stay for a while."""
        self._sessions.pop(session, None)
        if session is self._holder and not session.process.is_alive and self.dice.random() > NOTICED:
            self.loop.call_later(IDLE_SECONDS, self.unlock, session)
        else:
            self.unlock(session)

    def lock(self, session: "Session") -> None:
        """Make the session the one that writes; waits for its holder up to LOCK_SECONDS."""
        until = self.loop.time() + LOCK_SECONDS
        while self._holder is not None:
            if self.loop.time() >= until:
                raise _trouble("SQLITE_BUSY", "lock timeout")
            self._waiting[current()] = None
            try:
                current().wait(until - self.loop.time())
            finally:
                del self._waiting[current()]
        session.check()
        self._holder = session

    def unlock(self, session: "Session") -> None:
        """Let the next one write, if it was this session."""
        if session is self._holder:
            self._holder = None
            for thread in self._waiting:  # the first may be frozen
                thread.wake()

    def holds(self, session: "Session") -> bool:
        """Tell whether the session is the one that writes."""
        return session is self._holder

    def stop(self) -> None:
        """Go away, and roll back all open transactions."""
        self.is_down = True
        self.end_sessions()

    def end_sessions(self, process: Process | None = None) -> None:
        """Break all connections, or those of a process."""
        for session in list(self._sessions):
            if process is None or session.process is process:
                session.end()


class Session(DatabaseWrapper):
    """One thread's connection."""

    def __init__(self, server: Server, settings: dict[str, Any]) -> None:
        super().__init__(settings, DEFAULT_DB_ALIAS)
        self._server = server
        self.process = current().process
        self._is_broken = False
        self._is_to_begin = False
        """A BEGIN waits for the first write: in an ablation."""
        self._touched_at = 0.0

    def ask(self, query: str, execute: Callable[[], T]) -> T | None:
        """Execute one statement, on its way there and back."""
        word = query.split(maxsplit=1)[0].upper()
        self._server.travel()
        self.check()
        self._touched_at = self._server.loop.time()
        if word == "BEGIN":
            return self._begin(execute)
        if word not in _WRITES:
            return execute()
        if self.in_atomic_block:
            if self._is_to_begin:
                self._begin(lambda: self.connection.execute("BEGIN IMMEDIATE"), is_delayed=True)
            return self._answered(execute(), query)
        self._server.lock(self)
        try:
            answer = execute()
        finally:
            self._server.unlock(self)
        return self._answered(answer, query)

    def check(self) -> None:
        """Raise where the server or the connection to it is gone."""
        if self._server.is_down or self._is_broken:
            raise _trouble("SQLITE_IOERR", "server closed the connection unexpectedly")

    def is_usable(self) -> bool:
        """Return what PostgreSQL's connection would find out by asking."""
        return not (self._server.is_down or self._is_broken)

    def end(self) -> None:
        """Break the session from the server's side: roll back and free its lock."""
        if self.connection is not None and not self._is_broken:
            self._is_broken = True
            self.connection.rollback()
        self._server.unlock(self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self._server.travel()
        if self._server.is_down:
            raise _trouble("SQLITE_CANTOPEN", "connection refused")
        self._is_broken = self._is_to_begin = False
        self._server.opened(self)
        return super().get_new_connection(conn_params)

    def create_cursor(self, name: str | None = None) -> Any:
        cursor = self.connection.cursor(factory=_Cursor)
        cursor.session = self
        return cursor

    def _begin(self, begin: Callable[[], T], *, is_delayed: bool = False) -> T | None:
        self._is_to_begin = not (self._server.locks_reads or is_delayed)
        if self._is_to_begin:
            return None
        self._server.lock(self)
        self._touched_at = self._server.loop.time()
        self._server.loop.call_later(IDLE_SECONDS, self._end_if_idle)
        return begin()

    def _answered(self, answer: T, query: str) -> T:
        """Let the answer travel. Not while rows are to be fetched: SQLite commits after the last one."""
        if "RETURNING" not in query:
            self._server.travel()
        return answer

    def _commit(self) -> None:
        if self.connection is None:
            return
        with self.wrap_database_errors:
            self._server.travel()
            self.process.reached("before_commit")
            self.check()
            self.connection.commit()
            self._is_to_begin = False
            self._server.unlock(self)
            self.process.reached("committed")
            self.check()
            self._server.travel()

    def _rollback(self) -> None:
        if self.connection is not None:
            with self.wrap_database_errors:
                if not self._is_broken:
                    self.connection.rollback()
                self._is_to_begin = False
                self._server.unlock(self)
                self.check()

    def _close(self) -> None:
        if self.connection is not None:
            super()._close()  # type: ignore[misc]  # its stub lacks it
            self._server.closed(self)

    def _end_if_idle(self) -> None:
        if self._server.holds(self) and not self._is_broken and self.connection is not None:
            idle_until = self._touched_at + IDLE_SECONDS
            if self._server.loop.time() >= idle_until:
                self.end()
            else:
                self._server.loop.call_at(idle_until, self._end_if_idle)


class _Cursor(SQLiteCursorWrapper):
    """Sends each statement by its session's way."""

    session: Session

    def execute(self, query: str, params: Any = None) -> Any:
        return self.session.ask(query, lambda: SQLiteCursorWrapper.execute(self, query, params))

    def executemany(self, query: str, param_list: Any) -> Any:
        return self.session.ask(query, lambda: SQLiteCursorWrapper.executemany(self, query, param_list))


class _OfThreads:
    """Django's connections of the thread that runs."""

    def __getattr__(self, alias: str) -> Any:
        try:
            return current().store[alias]
        except KeyError:
            raise AttributeError(alias) from None

    def __setattr__(self, alias: str, session: Any) -> None:
        current().store[alias] = session

    def __delattr__(self, alias: str) -> None:
        del current().store[alias]


@contextmanager
def sessions_of(server: Server) -> Iterator[None]:
    """Let Django's connections of all simulated threads lead to the server."""
    url = f"sqlite:///{server.path}"
    settings = connections.configure_settings({DEFAULT_DB_ALIAS: configured(url, writer=True)})[
        DEFAULT_DB_ALIAS
    ]
    settings["OPTIONS"] = {**settings["OPTIONS"], "timeout": 0}

    def create(alias: str) -> Session:
        session = Session(server, settings)
        current().at_end.append(session.close)
        return session

    with ExitStack() as patches:
        patches.enter_context(patch.object(connections, "_connections", _OfThreads()))
        patches.enter_context(patch.object(connections, "create_connection", create))
        yield


def _trouble(name: str, words: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorname = name
    return error
