"""How far the members of watched rooms have read, as the server said last. Pure.

Known only while the client is connected; the order of events decides who is a member no more.
"""

from dataclasses import dataclass, field
from typing import Final

from .events import Event, RoomReceipts

LEAVING: Final = frozenset({"leave_room", "remove_user", "ban_user"})
"""Events that end a membership."""


@dataclass
class _Known:
    """What was told of one room."""

    epoch: str
    marks: dict[int, int] = field(default_factory=dict)
    """By user."""


class Receipts:
    """The marks of one client's rooms."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Known] = {}
        self._hidden: set[str] = set()
        """Rooms that show no marks, by the events that were handed on."""

    def marks(self, room: str) -> dict[int, int]:
        """Return the seq up to which each member has read, by the user's id; empty: nothing is told."""
        known = self._rooms.get(room)
        return {} if known is None or room in self._hidden else dict(known.marks)

    def hear(self, told: RoomReceipts) -> None:
        """Take what the server says; a mark never moves back."""
        known = self._rooms.get(told.room)
        if known is None or told.whole or told.epoch != known.epoch:
            known = self._rooms[told.room] = _Known(told.epoch)
        for mark in told.marks:
            known.marks[mark.user] = max(mark.seq, known.marks.get(mark.user, 0))

    def event(self, event: Event) -> None:
        """Take what an event says of who is there, and of whether marks are shown."""
        if event.action == "set_receipts":
            self._hidden.discard(event.room)
            if not event.body["receipts"]:
                self._hidden.add(event.room)
        elif event.action in LEAVING and (known := self._rooms.get(event.room)) is not None:
            member = event.body["member"]["id"]
            # A mark beyond it is of somebody who has come back, which the server knew before us.
            if event.epoch == known.epoch and known.marks.get(member, 0) <= event.seq:
                known.marks.pop(member, None)

    def forget(self, room: str) -> None:
        """Forget a room whose events are not known without a gap any more."""
        self._rooms.pop(room, None)
        self._hidden.discard(room)

    def disconnected(self) -> None:
        """Nothing is known until the server says it anew."""
        self._rooms.clear()
