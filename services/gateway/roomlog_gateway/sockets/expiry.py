"""The end of a connection's token, or of its ticket's session: told ahead once. Beside the message's way.

A worker says how long the token still lasts, by the clock that judges it. From there the gateway counts by
its own monotonic clock, so no two clocks are ever compared.
"""

from typing import Final

from roomlog_contract import limits

SAME_SECONDS: Final = 5.0
"""Two ends no further apart are one: answers travel, and the clocks of two workers differ."""


class Expiry:
    """One end, as it was first heard of."""

    __slots__ = ("_ends_at", "_tell_at")

    def __init__(self, now: float, seconds: float) -> None:
        self._ends_at = now + seconds
        lead = min(limits.EXPIRING_SECONDS, seconds / 2)
        """A token that lasts a few seconds is not renewed without a pause."""
        self._tell_at: float | None = self._ends_at - lead

    def is_same(self, now: float, seconds: float) -> bool:
        """Return True if a later answer means this end too."""
        return abs(now + seconds - self._ends_at) <= SAME_SECONDS

    def is_past(self, now: float) -> bool:
        """Return True if the token has ended."""
        return now >= self._ends_at

    def is_near(self, now: float) -> bool:
        """Return True if a worker may already take the token for ended."""
        return now >= self._ends_at - SAME_SECONDS

    def take_notice(self, now: float) -> int | None:
        """Return the milliseconds that are left, once: when it is time to tell."""
        if self._tell_at is None or now < self._tell_at:
            return None
        self._tell_at = None
        return max(0, round((self._ends_at - now) * 1000))
