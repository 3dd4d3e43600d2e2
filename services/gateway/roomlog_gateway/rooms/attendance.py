"""Who of a watched room is connected, here and by what other gateways say. Pure; part of the room.

Beside the event stage. It exists only while somebody watches the room, on whichever gateway.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from roomlog_contract import limits
from roomlog_contract.envelope import ArePresent

from ..sockets.session import Session

NEVER: Final = float("-inf")
ANSWER_SECONDS: Final = 0.3
"""Until the others' first answers are there: told earlier, people would seem to come who are there."""


class Crowd(NamedTuple):
    """People who are connected, each once."""

    users: tuple[int, ...] | None
    """Ascending; None: more than PRESENCE_USERS."""
    number: int


@dataclass(frozen=True, slots=True)
class _Statement:
    """What another gateway said last."""

    said: ArePresent
    until: float


class Attendance:
    """What is known of one room, and what its watchers here were told."""

    __slots__ = (
        "_elsewhere",
        "announced_at",
        "asked_at",
        "is_changed",
        "seen",
        "tell_from",
        "told_at",
        "wanted_until",
        "watchers",
    )

    def __init__(self, now: float) -> None:
        self.tell_from = now + ANSWER_SECONDS
        """When its watchers are told first."""
        self.watchers: dict[Session, Crowd | None] = {}
        """The connections here that watch, with what each was told last."""
        self.asked_at = NEVER
        """When a gateway asked last, this one or another."""
        self.wanted_until = NEVER
        """Until then some gateway wants to hear of changes here."""
        self.is_changed = True
        """Others have not heard who is here now."""
        self.announced_at = NEVER
        self.told_at = NEVER
        """When many watchers were told last."""
        self.seen: Crowd | None = None
        """Everybody, until something changes."""
        self._elsewhere: dict[str, _Statement] = {}

    def change(self) -> None:
        """Note that somebody came to or went from this gateway."""
        self.is_changed = True
        self.seen = None

    def leave(self, session: Session) -> None:
        """Forget a connection that is in the room no longer."""
        self.watchers.pop(session, None)
        self.change()

    def hear(self, said: ArePresent, now: float) -> None:
        """Take what another gateway says in place of what it said before."""
        if said.count:
            self._elsewhere[said.gateway] = _Statement(said, now + limits.PRESENCE_KEPT_SECONDS)
        else:
            self._elsewhere.pop(said.gateway, None)
        self.seen = None

    def expire(self, now: float) -> None:
        """Forget what gateways said that have not said it again."""
        for gateway in [gateway for gateway, one in self._elsewhere.items() if now >= one.until]:
            del self._elsewhere[gateway]
            self.seen = None

    def said_elsewhere(self) -> Iterable[ArePresent]:
        """Return the last statement of each other gateway."""
        return (one.said for one in self._elsewhere.values())


def crowd_of(users: Iterable[int], uncounted: int = 0) -> Crowd:
    """Return these people, and so many more of whom only the number is known."""
    everybody = set(users)
    number = len(everybody) + uncounted
    is_named = not uncounted and number <= limits.PRESENCE_USERS
    return Crowd(tuple(sorted(everybody)) if is_named else None, number)
