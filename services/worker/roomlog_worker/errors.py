"""What ends a worker's step early, and whose fault it is.

WorkerError
├── LeaseLost    another process owns some of the shards; their entries are its work now
└── Forgotten    the process was away for so long that others removed its row: it must end
"""

from collections.abc import Collection
from typing import Final

from django.db import InterfaceError, OperationalError
from redis.exceptions import RedisError

_WRONG_STATE: Final = "25"
"""SQLSTATE class of a session that the server ended for idling in a transaction, or that became a standby's.
psycopg counts both among the internal errors."""


_CANCELED: Final = "57014"
"""SQLSTATE of a statement that took longer than it may."""


class WorkerError(Exception):
    """Root of the worker's errors."""


class LeaseLost(WorkerError):
    """Found under the leases' locks; the transaction wrote nothing."""

    def __init__(self, shards: Collection[int]) -> None:
        super().__init__(f"{len(shards)} shards have another owner")
        self.shards = frozenset(shards)


class Forgotten(WorkerError):
    """A process gets its row once: with a new one it would outrank the successor that has its work."""


def is_trouble(error: Exception) -> bool:
    """Tell whether the error is no entry's fault: the same work may succeed later, or elsewhere."""
    if isinstance(error, OperationalError | InterfaceError | RedisError | LeaseLost):
        return True
    return str(getattr(error.__cause__, "sqlstate", "")).startswith(_WRONG_STATE)


def is_trouble_of_reads(error: Exception) -> bool:
    """Tell the same of a command that only reads: one that takes too long is at fault itself.

    A table that somebody has locked is not taken for it: that time-out is shorter and has a code of its own.
    """
    return is_trouble(error) and str(getattr(error.__cause__, "sqlstate", "")) != _CANCELED
