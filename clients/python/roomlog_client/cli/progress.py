"""What a command says on standard error while somebody waits: no gateway yet, or many lines to send."""

import sys
import time
from collections.abc import Callable
from typing import Final

from roomlog_client.observer import Observer

from .terminal import plain

MIB: Final = 1024 * 1024
QUIET_SECONDS: Final = 2.0
"""Nothing is said of what takes less, and no more often than this."""


def complain(line: str) -> None:
    """Say a line to whoever watches, beside the output."""
    print(f"roomlog: {plain(line)}", file=sys.stderr, flush=True)


class Unreached(Observer):
    """Says once that an address does not answer, and remembers why."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._was_reached = False
        self.reason = ""
        """Reason of the last failure before the first connection."""

    def authenticated(self, connection: int) -> None:
        """Forget it."""
        self._was_reached = True

    def unreachable(self, connection: int, reason: str) -> None:
        """Say it of the first failure."""
        if not (self._was_reached or self.reason):
            complain(f"no connection to {self._url} yet ({reason}); trying again")
        self.reason = reason


class Seldom:
    """Says every other second that something may be said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = self._said_at = clock()

    @property
    def seconds(self) -> float:
        """Return how long it takes so far."""
        return self._clock() - self._began

    def is_due(self) -> bool:
        """Return True if it is time, and count from here on."""
        now = self._clock()
        if now - self._said_at < QUIET_SECONDS:
            return False
        self._said_at = now
        return True


class Pace:
    """Says how far a long run is."""

    def __init__(self) -> None:
        self._seldom = Seldom()
        self._count = 0

    def step(self) -> None:
        """Count one more."""
        self._count += 1
        if self._seldom.is_due():
            complain(f"{self._count} sent, {self._count / self._seldom.seconds:.0f} a second")


class Share:
    """Says how much of a file is on its way."""

    def __init__(self, name: str, size: int) -> None:
        self._seldom = Seldom()
        self._name = name
        self._size = size

    def step(self, count: int) -> None:
        """Hear that so many bytes are."""
        if self._seldom.is_due():
            complain(f"{self._name}: {count / MIB:.1f} of {self._size / MIB:.1f} MiB")
