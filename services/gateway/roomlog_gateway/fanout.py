"""One event to all connections of a room, and all that waits for a connection into one write.

Stage: room → sockets, the hottest loop of the gateway: an event is framed once, each member costs one
append, and a connection is written to once per loop turn. Nobody waits for another's socket.
"""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from roomlog_contract.envelope import Notice
from roomlog_contract.events import SyncRequired

from . import metrics
from .delivery import DeliveryState
from .frames import text_frame
from .outbox import Frame, Push
from .room import Room

if TYPE_CHECKING:
    from .session import Session


class Fanout:
    """Fills outboxes and sees that they are written."""

    def __init__(self, rooms: dict[UUID, Room]) -> None:
        self._rooms = rooms
        self._dirty: list[Session] = []

    def deliver(self, room: Room, notice: Notice) -> None:
        """Gives the room's next event to everybody who is to be sent it now."""
        frame = Frame(text_frame(notice.frame), room.id)
        full = []
        for session in room.live:
            outcome = session.outbox.push_event(frame)
            if outcome is Push.FIRST:
                self.schedule(session)
            elif outcome is Push.FULL:
                full.append(session)
        metrics.EVENTS.inc()
        metrics.DELIVERED.inc(len(room.live) - len(full))
        if room.others:
            self._deliver_to_others(room, notice.seq, frame)
        for session in full:
            self._make_room(session, room)

    def push(self, session: "Session", room: Room, frame: Frame) -> None:
        """Gives one event to one connection."""
        outcome = session.outbox.push_event(frame)
        if outcome is Push.FIRST:
            self.schedule(session)
        elif outcome is Push.FULL:
            self._make_room(session, room)

    def schedule(self, session: "Session") -> None:
        """Writes the connection's outbox after this loop turn's callbacks."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(session)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for session in dirty:
            session.connection.flush()

    def _deliver_to_others(self, room: Room, seq: int, frame: Frame) -> None:
        for session, delivery in list(room.others.items()):
            if delivery.state is DeliveryState.HELD:
                delivery.keep(seq, frame)
            elif delivery.state is DeliveryState.AHEAD:
                room.catch_up(session)

    def _make_room(self, session: "Session", room: Room) -> None:
        """The outbox is full: events that can be read again give way to one sync_required."""
        metrics.OUTBOX_DROPS.inc()
        dropped = [self._rooms[key] for key in session.outbox.drop_events(room.id) if key in self._rooms]
        stopped = [behind for behind in dropped if session in behind]
        for behind in stopped:
            behind.fall_behind(session)
        session.tell(SyncRequired(rooms=[behind.id for behind in stopped]))
