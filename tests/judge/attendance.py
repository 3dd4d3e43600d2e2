"""Who is connected, as clients were told of it, in the words of the checker."""

from dataclasses import dataclass, field
from typing import NamedTuple


class ToldPresence(NamedTuple):
    """A client was told who of a room is connected."""

    client: str
    user: int
    room: str
    at: float
    seq: int | None
    """How far the client was handed the room; None: it did not follow it."""
    users: tuple[int, ...] | None
    """None: only how many."""
    number: int
    """How many they are said to be."""


class AtRest(NamedTuple):
    """What a watcher was told last, a while after the last who came or went."""

    told: ToldPresence
    connected: tuple[int, ...]
    """The users of the connected clients that follow the room, ascending."""


@dataclass(kw_only=True)
class Attendance:
    """All that was told of it in one run."""

    told: list[ToldPresence] = field(default_factory=list)
    at_rest: list[AtRest] = field(default_factory=list)
