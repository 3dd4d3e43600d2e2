"""What a client wants stored, and every sending of it until it has its end.

Beside the journal, which hears of both.
"""

import time
from dataclasses import dataclass, field

from .history import MESSAGE_KIND, Attempt, Operation, Outcome
from .moderation import NOBODY, Moderation


@dataclass
class Wanted:
    """A message, or a change of one, that a client wants stored."""

    client: str
    user: int
    room: str
    uuid: str
    text: str
    wanted_at: float = field(default_factory=time.monotonic)
    ended: list[Attempt] = field(default_factory=list)
    open: list[Attempt] = field(default_factory=list)
    """Sendings whose end is not known yet."""
    seqs: list[int] = field(default_factory=list)
    answered_at: float | None = None
    kind: str = MESSAGE_KIND
    target: int = 0
    emoji: str = ""
    moderation: Moderation = NOBODY
    mentions: tuple[int, ...] = ()
    data: str = ""

    def end(self, connection: int, outcome: Outcome, at: float, error_code: str = "") -> None:
        """End the sendings on one connection: an answer there speaks for all of them."""
        self.ended += [
            one._replace(completed_at=at, outcome=outcome, error_code=error_code)
            for one in self.open
            if one.connection == connection
        ]
        self.open = [one for one in self.open if one.connection != connection]

    def operation(self, at: float) -> Operation:
        """Return it as the checker wants it; what is open at that time is unknown."""
        unknown = [sending._replace(completed_at=at) for sending in self.open]
        attempts = sorted([*self.ended, *unknown], key=lambda attempt: attempt.invoked_at)
        facts = (self.client, self.user, self.room, self.uuid, self.text)
        ended = (tuple(attempts), tuple(self.seqs), self.answered_at)
        operation = Operation(*facts, *ended, kind=self.kind, target=self.target)
        return operation._replace(
            emoji=self.emoji, moderation=self.moderation, mentions=self.mentions, data=self.data
        )
