"""Which heads the gateways hear of once more: a lost notice of a room's last event leaves no gap.

After publication. Pure: no I/O, and time is passed in. Gateways compare all heads themselves, only later.
"""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from roomlog_contract.envelope import HeadMoved

from .bus import ChannelNotice

REMIND_SECONDS: Final = 2.0
"""Between two reminders."""
MOST_ROOMS: Final = 10_000
"""In one reminder; the rooms that moved first are left out."""


class HeadReminders:
    """The heads that moved since the last reminder."""

    def __init__(self) -> None:
        self._moved: dict[UUID, HeadMoved] = {}
        self._next_at = 0.0

    def moved(self, room: UUID, epoch: str, seq: int) -> None:
        """Note that a room was written."""
        self._moved[room] = HeadMoved(epoch, seq)

    def due(self, now: float) -> Sequence[ChannelNotice]:
        """Return what to publish now, each move once; nothing until REMIND_SECONDS after the last time."""
        if now < self._next_at or not self._moved:
            return []
        self._next_at = now + REMIND_SECONDS
        reminders = list(self._moved.items())[-MOST_ROOMS:]
        self._moved.clear()
        return reminders
