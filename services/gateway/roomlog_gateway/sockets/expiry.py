"""The end of a connection's token, or of its ticket's session: told ahead once. Beside the message's way.

A worker says how long the token still lasts, by the clock that judges it. From there the gateway counts by
its own monotonic clock, so no two clocks are ever compared.
"""

import math
from collections.abc import Callable
from typing import Final

from roomlog_contract import limits

SAME_SECONDS: Final = 5.0
"""Two ends no further apart are one: answers travel, and the clocks of two workers differ."""


class Expiry:
    """The end of what a connection came with, as it was first heard of; none until then."""

    __slots__ = ("_clock", "_ends_at", "_tell_at")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Know of no end: the connection has another token."""
        self._ends_at = self._tell_at = math.inf

    def hear(self, milliseconds: int | None) -> None:
        """Note how long the token still lasts. None, also from a worker that can't say, changes nothing."""
        if milliseconds is None:
            return
        seconds = milliseconds / 1000
        ends_at = self._clock() + seconds
        if abs(ends_at - self._ends_at) > SAME_SECONDS:
            self._ends_at = ends_at
            # A token that lasts a few seconds is not renewed without a pause.
            self._tell_at = ends_at - min(limits.EXPIRING_SECONDS, seconds / 2)

    def is_past(self) -> bool:
        """Return True if the token has ended."""
        return self._clock() >= self._ends_at

    def is_near(self) -> bool:
        """Return True if a worker may already take the token for ended."""
        return self._clock() >= self._ends_at - SAME_SECONDS

    def take_notice(self) -> int | None:
        """Return the milliseconds that are left, once: when it is time to tell."""
        now = self._clock()
        if now < self._tell_at:
            return None
        self._tell_at = math.inf
        return max(0, round((self._ends_at - now) * 1000))
