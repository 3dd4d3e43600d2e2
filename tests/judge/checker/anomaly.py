"""What an invariant finds: the broken promise and the operation, row or client that shows it."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

from tests.judge.history import History, Operation, Row


class Anomaly(NamedTuple):
    """One place in a history where an invariant does not hold."""

    invariant: str
    what: str
    """One sentence with the numbers that contradict each other; never a message's text."""
    room: str = ""
    seq: int | None = None
    user: int | None = None
    uuid: str = ""
    client: str = ""
    at: float | None = None

    @classmethod
    def of(cls, invariant: str, found: Operation | Row, what: str, **facts: Any) -> Self:
        """Return what is wrong with an operation or a row."""
        return cls(invariant, what, room=found.room, user=found.user, uuid=found.uuid, **facts)


Invariant = Callable[[History], Iterator[Anomaly]]
"""Reads a history in linear time (but for sorting) and yields what contradicts it."""
