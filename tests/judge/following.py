"""One client's way through one room, as its journal keeps it."""

from dataclasses import dataclass, field
from typing import Final

from roomlog_client import Event, Messages
from tests.judge.history import MESSAGE_KIND, Applied, Reading, ResetSeen

KEPT: Final = 1000
"""Messages of a room after which a program that shows them begins anew: memory has a bound."""


@dataclass
class Following:
    """One client's way through one room, as far as it went."""

    start: int
    shown: Messages | None
    """The room as a program shows it, where the journal keeps that."""
    me: int
    """The user who reads."""
    shown_since: int
    """An answer as of an earlier seq was asked for by a program that showed the room before."""
    events: list[Applied] = field(default_factory=list)
    resets: list[ResetSeen] = field(default_factory=list)
    left: bool = False
    messages: int = 0

    def show(self, event: Event) -> None:
        """Let the program that shows the room take an event over."""
        self.messages += event.action == MESSAGE_KIND
        if self.shown is not None:
            if self.messages % KEPT == KEPT - 1:
                self.shown, self.shown_since, self.messages = Messages(self.me), event.seq, 0
            self.shown.apply(event)

    def reading(self, client: str, user: int, room: str) -> Reading:
        """Return it as the checker wants it."""
        return Reading(client, user, room, self.start, tuple(self.events), tuple(self.resets), self.left)
