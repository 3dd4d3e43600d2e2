"""Who is typing, as clients said it and were told of it, in the words of the checker."""

from typing import NamedTuple


class Typed(NamedTuple):
    """Somebody's client said that its user is typing."""

    user: int
    room: str
    at: float


class ToldTypists(NamedTuple):
    """A client was told who is typing in a room."""

    client: str
    user: int
    room: str
    at: float
    seq: int | None
    """How far the client was handed the room; None: it did not follow it."""
    typists: tuple[int, ...]
