"""Chooses the next reads: those of the people who have used the least of a reader's time lately.

Inside a lane's turn. Pure: no I/O, and time is passed in.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from .entries import Entry

HALF_LIFE_SECONDS: Final = 2.0
"""After so long half of what a person has used counts no more."""
ASSUMED_SECONDS: Final = 0.001
"""Of a read that was chosen and not yet done: one person's reads take turns with others' in a batch too."""
MOST_PEOPLE: Final = 10_000
"""People whose use is known; one more, and all begin anew."""
GATEWAYS: Final = 0
"""The user of a gateway's own reads (logins, heads, gaps): first and without budget; gateways limit them."""


class Fairness:
    """The seconds of one reader's time that each person has used. Not for use by two threads."""

    def __init__(self) -> None:
        self._used: defaultdict[int, float] = defaultdict(float)
        self._aged_at = 0.0

    def age(self, now: float) -> None:
        """Let what was used fade; `now` in seconds of a monotonic clock."""
        fade = 0.5 ** ((now - self._aged_at) / HALF_LIFE_SECONDS)
        self._aged_at = now
        faded = {user: used * fade for user, used in self._used.items() if used * fade > ASSUMED_SECONDS}
        self._used = defaultdict(float, faded if len(faded) <= MOST_PEOPLE else {})

    def take(self, waiting: Sequence[Entry], count: int) -> list[Entry]:
        """Return at most `count` of the waiting entries, first those of the people who have used the least.

        A person's own entries keep their order.
        """
        ranked: list[tuple[float, int, Entry]] = []
        chosen: defaultdict[int, int] = defaultdict(int)
        for place, entry in enumerate(waiting):
            user = entry.envelope.user
            used = self._used.get(user, 0.0) + chosen[user] * ASSUMED_SECONDS
            chosen[user] += user != GATEWAYS
            ranked.append((used, place, entry))
        ranked.sort(key=lambda rank: rank[:2])
        return [entry for _, _, entry in ranked[:count]]

    def charge(self, entries: Iterable[Entry], seconds: float) -> None:
        """Count a batch's time, in equal parts, to those who asked."""
        users = [entry.envelope.user for entry in entries]
        for user in users:
            if user != GATEWAYS:
                self._used[user] += seconds / len(users)
