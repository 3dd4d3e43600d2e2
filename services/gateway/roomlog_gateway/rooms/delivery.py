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
    """A connection's place in a room, off the live path."""

    __slots__ = ("_held", "_is_behind", "_selects", "cursor", "state")

    def __init__(self, state: DeliveryState, cursor: int) -> None:
        self.state = state
        self.cursor = cursor
        """The last seq that the connection was told."""
        self._is_behind = state is DeliveryState.BEHIND
        self._selects = 0
        self._held: list[tuple[int, Frame]] = []

    def hold(self) -> None:
        """A select_room goes to the worker; several may be under way, the last one's answer counts."""
        self.state = DeliveryState.HELD
        self._selects += 1

    def keep(self, seq: int, frame: Frame) -> None:
        """Holds one event; over 256 the earlier are dropped, because they can be read again."""
        if len(self._held) >= limits.HELD_EVENTS:
            self._held = []
        self._held.append((seq, frame))

    def answered(self, seq: int, more: bool) -> None:
        """The connection was told everything up to `seq`; with `more` it will ask for the next page."""
        self.cursor = seq
        self._is_behind = more

    def fall_behind(self) -> None:
        """What comes from now on is not sent; events held for a select_room under way stay useful."""
        self._is_behind = True
        if self._selects == 0:
            self.state = DeliveryState.BEHIND

    def forget(self) -> None:
        """The log began anew: nothing that was held means anything."""
        self._held = []
        self.fall_behind()

    def release(self, head: int) -> "Release":
        """Ends one select_room, answered or not, where the room has delivered up to `head`."""
        self._selects -= 1
        if self._selects > 0:
            return Release([], is_cut=False)
        held, self._held = self._held, []
        if self._is_behind:
            self.state = DeliveryState.BEHIND
            return Release([], is_cut=False)
        later = [(seq, frame) for seq, frame in held if seq > self.cursor]
        if head > self.cursor and (not later or later[0][0] != self.cursor + 1):
            self.fall_behind()
            return Release([], is_cut=True)
        self.state = DeliveryState.AHEAD
        return Release([frame for _, frame in later], is_cut=False)


class Release(NamedTuple):
    """What the end of a select_room sets free."""

    frames: list[Frame]
    """The held events that follow the connection's cursor without a gap."""
    is_cut: bool
    """True: events were lost on the way, and the connection must be told to ask for them."""
