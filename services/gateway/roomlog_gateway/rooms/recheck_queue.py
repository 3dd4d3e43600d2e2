"""Connections whose memberships may have changed unheard. Beside the event stage.

A gateway hears of a lost membership by the event that ends it. A room that starts over skips events, so
everybody in it waits here to be compared with the database. A thousand at once would hold up the workers: the
gateway takes a few at a time (GUARANTEES G10).
"""

from collections.abc import Iterable
from itertools import islice

from ..sockets.session import Session


class RecheckQueue:
    """Each connection that waits, once. Those that end meanwhile stay until they are taken."""

    def __init__(self) -> None:
        self._waiting: dict[Session, None] = {}

    def add(self, sessions: Iterable[Session]) -> None:
        """Let connections wait; one that waits already keeps its place."""
        self._waiting.update(dict.fromkeys(sessions))

    def take(self, number: int) -> list[Session]:
        """Remove and return up to `number` connections that have waited longest; some may have ended."""
        taken = list(islice(self._waiting, number))
        for session in taken:
            del self._waiting[session]
        return taken
