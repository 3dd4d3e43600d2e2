"""How often something may happen: a token bucket with the time passed in. Pure; used at the upgrade, for
what a socket may send, and per command.
"""

from typing import Final

_MILLISECONDS: Final = 1000


class TokenBucket:
    """Allows `rate` a second on average and `burst` at once."""

    __slots__ = ("_burst", "_rate", "_tokens", "_updated_at")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        """Begin full; `now` is in seconds of any steady clock."""
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._updated_at = now

    def take(self, now: float) -> bool:
        """Take one token and return True, or return False where none is left."""
        allowed = self.level(now) >= 1.0
        if allowed:
            self._tokens -= 1.0
        return allowed

    def level(self, now: float) -> float:
        """Return how many tokens are there."""
        tokens = self._tokens + (now - self._updated_at) * self._rate
        self._tokens = tokens = tokens if tokens < self._burst else self._burst  # min() takes twice as long
        self._updated_at = now
        return tokens

    def spend(self, tokens: float) -> None:
        """Take as many; the caller has looked at the level just now."""
        self._tokens -= tokens

    def wait_ms(self) -> int:
        """Return how long after the last `take` the next token comes, in whole milliseconds upwards."""
        missing = max(0.0, 1.0 - self._tokens)
        return int(missing / self._rate * _MILLISECONDS) + 1
