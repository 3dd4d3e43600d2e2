"""Rooms whose entries wait, while those behind them in the same stream are read on.

Between two turns of the consumer. A parked room keeps its order because all its entries wait together: they
come again when everything is read from the start, which also ends the parking. It must not do I/O.
"""

import time
from typing import Final
from uuid import UUID

PARKED_SECONDS: Final = 0.1
"""Between reaching the end of the streams and reading them from the beginning again, at least."""
PARKED_SHARE: Final = 1.0
"""Or so many times what reaching it took: looking again takes no more than half of the time."""
PASS_SECONDS: Final = 5.0
"""Then everything is read from the start again, even before the end: a busy shard always has more."""
MOST_ROOMS: Final = 10_000
"""Rooms parked at once; with one more, everything is read from the start again."""


class Parking:
    """The parked rooms, and when to look at them again."""

    def __init__(self) -> None:
        self.rooms: set[UUID] = set()
        self._began_at = time.monotonic()
        self._through_at: float | None = None
        self._is_hurried = False

    def clear(self) -> None:
        """Park nothing any more."""
        self.rooms.clear()
        self._began_at, self._through_at, self._is_hurried = time.monotonic(), None, False

    def hurry(self) -> None:
        """Begin again with the next turn: some wait only because one transaction takes so many."""
        self._is_hurried = True

    def is_over(self, *, is_used: bool, is_through: bool) -> bool:
        """Return whether it is time to begin again; to be asked once a turn.

        `is_used`: something is passed over. `is_through`: everything behind it was read.
        """
        now = time.monotonic()
        if not (is_used or self.rooms):
            self._began_at, self._through_at = now, None
            return False
        if self._is_hurried or len(self.rooms) > MOST_ROOMS or now - self._began_at > PASS_SECONDS:
            return True
        if not is_through:
            self._through_at = None
            return False
        self._through_at = self._through_at or now
        took = self._through_at - self._began_at
        return now - self._through_at >= max(PARKED_SECONDS, PARKED_SHARE * took)
