"""Where one connection stands in one room while it is not simply live. Decides at the event stage what it
is sent.

Pure. A connection that is live has no Delivery: it gets every event of the room as it comes, which is what
makes a room of 500 cheap. GUARANTEES G5 rests on the transitions here.
"""

from enum import Enum, auto
from typing import NamedTuple

from roomlog_contract import limits

from ..sockets.outbox import Frame


class DeliveryState(Enum):
    """What happens to the room's next event for this connection."""

    AHEAD = auto()
    """It was told a later seq already: nothing is sent up to `cursor`."""
    HELD = auto()
    """A select_room is under way: events wait for its answer."""
    BEHIND = auto()
    """It missed something and was told so: nothing is sent until it asks."""


class Delivery:
    """Where one connection stands in one room, off the live path."""

    __slots__ = ("_held", "_is_behind", "_selects", "cursor", "is_reset")

    def __init__(self, cursor: int, *, is_behind: bool) -> None:
        self.cursor = cursor
        """The last seq that the connection was told."""
        self.is_reset = False
        """It was told that the log began anew, and has not caught up with it since."""
        self._is_behind = is_behind
        self._selects = 0
        """How many select_room are under way; the last one's answer counts."""
        self._held: list[tuple[int, Frame]] = []

    @property
    def state(self) -> DeliveryState:
        """What happens to the room's next event."""
        if self._selects:
            return DeliveryState.HELD
        return DeliveryState.BEHIND if self._is_behind else DeliveryState.AHEAD

    def select(self) -> None:
        """Hold events from here on: a select_room goes to the worker."""
        self._selects += 1

    def take(self, seq: int, frame: Frame) -> bool:
        """Take the room's next event, and return True if the connection has now been told as much as it."""
        if self._selects:
            self._hold(seq, frame)
            return False
        return not self._is_behind and self.cursor <= seq

    def answered(self, seq: int, more: bool) -> None:
        """Note that it was told everything up to `seq`; with `more` it will ask for the next page."""
        self.cursor = seq
        self._is_behind = more

    def fall_behind(self) -> None:
        """Send nothing that comes from now on; events held for a select_room under way stay useful."""
        self._is_behind = True

    def forget(self) -> None:
        """Drop what is held: the log began anew, and nothing of the old one means anything."""
        self.is_reset = True
        self._held = []
        self.fall_behind()

    def release(self, head: int) -> "Release":
        """End one select_room, answered or not, where the room has delivered up to `head`."""
        self._selects -= 1
        if self._selects > 0:  # the last answer decides, and events go on being held for it
            return Release([], is_cut=False)
        held, self._held = self._held, []
        if self._is_behind:  # it will ask again, and these events are in the answer to that
            return Release([], is_cut=False)
        later = [(seq, frame) for seq, frame in held if seq > self.cursor]
        # What came before the hold, or was dropped over its bound, is missing: the client must ask for it.
        if head > self.cursor and (not later or later[0][0] != self.cursor + 1):
            self.fall_behind()
            return Release([], is_cut=True)
        return Release([frame for _, frame in later], is_cut=False)

    def _hold(self, seq: int, frame: Frame) -> None:
        """Hold one event; over 256 the earlier are dropped, because they can be read again."""
        if len(self._held) >= limits.HELD_EVENTS:
            self._held = []
        self._held.append((seq, frame))


class Release(NamedTuple):
    """What the end of a select_room sets free."""

    frames: list[Frame]
    """The held events that follow the connection's cursor without a gap."""
    is_cut: bool
    """True: events were lost on the way, and the connection must be told to ask for them."""
