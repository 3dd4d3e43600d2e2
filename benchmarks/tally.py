"""What was sent, what came back to whom, and when: the counts that every figure of a load is made from.

Kept per message and per connection while a load runs, with nothing computed until it is over: a delivery
costs an append and a few list accesses. Accepted means that the sender got its own message back. Lost and
doubled are counted over all accepted messages and all connections of the room.
"""

from __future__ import annotations

import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

Number = int
"""A message's place in its run, from 0."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Deliveries that should have been and were not, and those that were one too many."""

    lost: int
    """Copies of accepted messages that a connection of the room never got."""
    doubled: int
    """Copies that a connection got again."""
    unanswered: int
    """Messages that never came back to their sender."""


class Tally:
    """The record of one load: `members[room]` is the list of connection indices of that room."""

    def __init__(self, members: Sequence[Sequence[int]]) -> None:
        self.members = members
        self.sent_at: list[float] = []
        self.accepted_at: list[float] = []
        self.completed_at: list[float] = []
        self.senders: list[int] = []
        self.rooms: list[int] = []
        self.awaited: list[int] = []
        """Copies of each message that are still under way; 0: everybody has it."""
        self.received = [array("I") for _ in range(sum(len(room) for room in members))]
        self.accepted = 0
        self.completed = 0
        self.delivered = 0

    def send(self, sender: int, room: int, sent_at: float) -> Number:
        """Enter a message and return its number."""
        self.sent_at.append(sent_at)
        self.accepted_at.append(0.0)
        self.completed_at.append(0.0)
        self.senders.append(sender)
        self.rooms.append(room)
        self.awaited.append(len(self.members[room]))
        return len(self.sent_at) - 1

    def deliver(self, connection: int, number: Number) -> bool:
        """Enter one copy that arrived; return whether it is the sender's first own copy."""
        self.received[connection].append(number)
        self.delivered += 1
        self.awaited[number] -= 1
        if self.awaited[number] == 0:
            self.completed_at[number] = time.perf_counter()
            self.completed += 1
        if self.senders[number] != connection or self.accepted_at[number]:
            return False
        self.accepted_at[number] = time.perf_counter()
        self.accepted += 1
        return True

    @property
    def is_settled(self) -> bool:
        """Whether every message sent has reached everybody."""
        return self.completed == len(self.sent_at)

    def losses(self) -> Losses:
        """Count what was lost and doubled; call it when nothing is under way any more."""
        accepted = [{n for n in numbers if self.accepted_at[n]} for numbers in self._numbers_by_room()]
        lost = doubled = 0
        for room, connections in enumerate(self.members):
            for connection in connections:
                copies = Counter(self.received[connection])
                lost += len(accepted[room] - copies.keys())
                doubled += sum(copies.values()) - len(copies)
        return Losses(lost, doubled, len(self.sent_at) - self.accepted)

    def answer_milliseconds(self, since: float, until: float) -> list[float]:
        """Return the sorted times from send to the sender's own copy of what was sent in the window."""
        return self._milliseconds(self.accepted_at, since, until)

    def last_recipient_milliseconds(self, since: float, until: float) -> list[float]:
        """Return the sorted times from send to the last recipient's copy of what was sent in the window."""
        return self._milliseconds(self.completed_at, since, until)

    def _milliseconds(self, ends: list[float], since: float, until: float) -> list[float]:
        pairs = zip(self.sent_at, ends, strict=True)
        return sorted((end - sent) * 1000 for sent, end in pairs if end and since <= sent < until)

    def _numbers_by_room(self) -> list[list[Number]]:
        numbers: list[list[Number]] = [[] for _ in self.members]
        for number, room in enumerate(self.rooms):
            numbers[room].append(number)
        return numbers


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which the share of the ordered values lies; None where there are none."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
