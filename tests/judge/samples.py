"""What was read again and again of a running system, for the checker."""

from typing import NamedTuple


class Sample(NamedTuple):
    """A queue's length or a process's memory, read while the history ran."""

    at: float
    name: str
    value: float
    bound: float


class Ownership(NamedTuple):
    """The shards that some live worker owned at that moment."""

    at: float
    owned: frozenset[int]
