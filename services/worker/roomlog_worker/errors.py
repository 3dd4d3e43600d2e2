"""Errors that end a worker's step early, and whose fault an error is.

WorkerError
├── FailAlike    different entries fail in one way and none succeeds: something is wrong with all of them
├── ForeignClaim another database's workers hold the prefix; this process owns nothing meanwhile
├── LeaseLost    another process owns some of the shards; their entries are its work now
├── LoginRefused the password of the process's start does not fit any more: it must end
└── Forgotten    the process was away for so long that others removed its row: it must end
"""

from collections.abc import Collection
from typing import Final

from django.db import DatabaseError, DataError, IntegrityError, InterfaceError
from redis.exceptions import RedisError

_OF_THE_ENTRY: Final = ("22", "23", "P0")
"""SQLSTATE classes that an entry's own content can bring about: its data, constraints, a trigger's refusal.
All else is the database's: its connection, space, locks, plans, grants, tables or settings."""
_OF_ALL: Final = ("08", "25", "40", "53", "57", "58")
"""Classes of trouble that all statements have: connection, state, rollback, resources, shutdown, disk."""
_CANCELED: Final = "57014"
"""One statement took longer than it may."""
_NO_SUCH_COLUMN: Final = "SQLITE_ERROR"
"""SQLite's name for a missing table or column."""


class WorkerError(Exception):
    """Root of the worker's errors."""


class FailAlike(WorkerError):
    """The cause is the failure of one of them."""


class ForeignClaim(WorkerError):
    """Somebody else's claim stands on the prefix in Redis."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"the Redis prefix is in use by {holder}")


class LeaseLost(WorkerError):
    """Found under the leases' locks; the transaction wrote nothing."""

    def __init__(self, shards: Collection[int]) -> None:
        super().__init__(f"{len(shards)} shards have another owner")
        self.shards = frozenset(shards)


class LoginRefused(WorkerError):
    """The database or Redis, by its name; only the next start reads the secrets again."""


class Forgotten(WorkerError):
    """A process gets its row once: with a new one it would outrank the successor that has its work."""


def is_trouble(error: Exception) -> bool:
    """Return whether the error is no entry's fault: the same work may succeed later, or elsewhere."""
    if isinstance(error, DatabaseError):
        if state := sqlstate_of(error):
            return not state.startswith(_OF_THE_ENTRY)
        return not isinstance(error, DataError | IntegrityError)
    return isinstance(error, InterfaceError | RedisError | LeaseLost)


def is_trouble_of_reads(error: Exception) -> bool:
    """Return the same of a read: one that takes too long is at fault itself.

    A table that somebody has locked is not taken for it: that time-out is shorter and has a code of its own.
    """
    return is_trouble(error) and not took_too_long(error)


def took_too_long(error: Exception) -> bool:
    """Return whether the database ended a statement that took longer than it may."""
    return sqlstate_of(error) == _CANCELED


def is_of_a_statement(state: str) -> bool:
    """Return whether trouble of this state may come from what a statement touches, while others succeed."""
    if state.startswith("SQLITE"):
        return state == _NO_SUCH_COLUMN
    return state == _CANCELED or not state.startswith(_OF_ALL)


def sqlstate_of(error: BaseException) -> str:
    """Return PostgreSQL's code, or SQLite's name, of what went wrong; empty where neither said anything."""
    for one in (error, error.__cause__):
        if state := getattr(one, "sqlstate", None):
            return str(state)
    name = str(getattr(error.__cause__, "sqlite_errorname", ""))
    # Its constraints have names of their own, and are Django's IntegrityError.
    return "" if name.startswith("SQLITE_CONSTRAINT") else name
