"""How fast a client may go: commands under the server's rate, reconnects with full jitter. Pure."""

from typing import Final

from roomlog_contract import limits

COMMANDS_PER_SECOND: Final = limits.COMMANDS_PER_SECOND * 0.9
"""Below the server's rate, so that frames that bunch up on the way are not refused."""
COMMANDS_BURST: Final = limits.COMMANDS_BURST - 10
"""Below the server's burst, for the same reason."""
BACKOFF_SECONDS: Final = 0.5
"""The first delay's ceiling; each further failure doubles it."""
BACKOFF_CAP_SECONDS: Final = 10.0
"""The highest ceiling: what the specification asks of clients."""
STEADY_SECONDS: Final = 5.0
"""A connection that lasted this long proves the server well: the next failure is the first again."""
_DOUBLINGS: Final = 16
_SHORTEST_SECONDS: Final = 0.001
"""Above the rounding of the clock, or a timer would spin on the last billionth of a token."""


class Pauses:
    """Lets each of some things happen once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def is_due(self, name: str, now: float) -> bool:
        """Tell whether it may happen now; then it has."""
        self._last = {one: at for one, at in self._last.items() if now < at + self._seconds}
        if name in self._last:
            return False
        self._last[name] = now
        return True


class Bucket:
    """Counts commands against a rate with bursts; starts full."""

    def __init__(self, rate: float = COMMANDS_PER_SECOND, burst: float = COMMANDS_BURST) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take one token where there is one."""
        self._refill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def seconds_to_next(self, now: float) -> float:
        """Return how long until a token is there: 0 where one is, else at least a millisecond."""
        self._refill(now)
        return 0.0 if self._tokens >= 1 else max(_SHORTEST_SECONDS, (1 - self._tokens) / self._rate)

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now


def backoff_seconds(failures: int, random: float) -> float:
    """Return the delay before the next try: anything between 0 and a ceiling that doubles up to 10 s.

    `failures` counts from 1; `random` is uniform in [0, 1). Full jitter spreads a crowd best
    (Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
    """
    ceiling: float = BACKOFF_SECONDS * 2 ** min(failures - 1, _DOUBLINGS)
    return random * min(BACKOFF_CAP_SECONDS, ceiling)
