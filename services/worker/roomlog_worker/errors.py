"""What ends a worker's step early.

WorkerError
└── LeaseLost    another process owns some of the shards; their entries are its work now
"""

from collections.abc import Collection


class WorkerError(Exception):
    """Root of the worker's errors."""


class LeaseLost(WorkerError):
    """Found under the leases' locks; the transaction wrote nothing."""

    def __init__(self, shards: Collection[int]) -> None:
        super().__init__(f"{len(shards)} shards have another owner")
        self.shards = frozenset(shards)
