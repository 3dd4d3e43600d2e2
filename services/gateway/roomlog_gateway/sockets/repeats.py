"""When a client may repeat what it was refused, so that obeying never makes it a flood. Pure, but for jitter.

Commands that wait get turns one after the other, half as fast as the rate allows. Each next `busy` waits
about as long again as the trouble has lasted, so a long outage costs few repeats.
"""

import math
import random
from typing import Final

from roomlog_contract import limits

SPACING_SECONDS: Final = 2.0 / limits.COMMANDS_PER_SECOND
"""Between two turns of one connection."""
LONGEST_SECONDS: Final = 8.0
"""Longest pause before the first of the turns."""
FARTHEST_SECONDS: Final = 20.0
"""No turn is later, however much is refused: 32 commands that obey need 12 s."""
CALM_SECONDS: Final = 1.0
"""Without a refusal for so long after the last turn, the trouble counts as over."""


class Repeats:
    """The turns of one connection's refused commands."""

    __slots__ = ("_last_turn", "_since")

    def __init__(self) -> None:
        self._since = self._last_turn = -math.inf

    def wait_ms(self, now: float, at_least_ms: int, *, grows: bool = False) -> int:
        """Take the next turn and return how far ahead it is, in milliseconds; never less than asked for.

        `now` is in seconds of any steady clock. With `grows` the pause grows while the trouble lasts. A
        client over the rate only waits for the next token, however long it is over it.
        """
        if now > self._last_turn + CALM_SECONDS:
            self._since = now
        shortest = at_least_ms / 1000
        lasted = min(now - self._since, LONGEST_SECONDS) if grows else 0.0
        pause = max(shortest, lasted) * random.uniform(1.0, 1.5)  # noqa: S311 - jitter, no secret
        turn = max(now + pause, self._last_turn + SPACING_SECONDS)
        self._last_turn = min(turn, now + max(FARTHEST_SECONDS, shortest))
        return math.ceil((self._last_turn - now) * 1000)
