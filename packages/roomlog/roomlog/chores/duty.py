"""One kind of chore: what waits is looked for by the process, and done by threads, each key by one at a time.

After the message's way. Whatever fails waits by itself and comes again.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from enum import Enum
from typing import Final, Generic, TypeVar

import structlog
from django.db import connection

from .schedule import Schedule, TryLater

THREADS: Final = 8
"""Keys that are done together; each thread has a connection to the database of its own."""
Key = TypeVar("Key", bound=Hashable)


class Waiting(Enum):
    """A key's answer is still to come."""

    WAITING = 0


WAITING: Final = Waiting.WAITING
log = structlog.get_logger()


class Duty(ABC, Generic[Key]):
    """A schedule and its threads."""

    def __init__(self, lane_of: Callable[[Key], Hashable] | None = None, lane_width: int = THREADS) -> None:
        self.schedule = Schedule[Key](lane_of=lane_of, lane_width=lane_width)
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    @abstractmethod
    def look(self, on_page: Callable[[], None]) -> None:
        """Add to the schedule what waits; call `on_page` in between where it takes long."""

    @abstractmethod
    def do(self, key: Key) -> float | Waiting | None:
        """Do what waits for a key; return after how many seconds there may be more, or None.

        WAITING: the schedule was told to `wait`, and will be told to `resume`.
        """

    def failed(self, key: Key, error: Exception, pause: float) -> None:
        """Tell of a failure that is no `TryLater`."""
        log.error("chore_failed", error=type(error).__name__, again_in=pause)

    def forget(self) -> None:
        """Forget what waits: it is another process's work."""
        self.schedule.clear()

    def close(self, until: float) -> None:
        """End the threads; one that is busy at `until`, of the monotonic clock, is left alone."""
        self.schedule.close()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while (key := self.schedule.take()) is not None:
            try:
                outcome = self.do(key)
                if outcome is not WAITING:
                    self.schedule.done(key, outcome)
            except TryLater as later:
                self.schedule.failed(key, later.seconds)
            except Exception as error:  # the project's code, or trouble: this key waits
                connection.close()
                self.failed(key, error, self.schedule.failed(key))
        connection.close()
