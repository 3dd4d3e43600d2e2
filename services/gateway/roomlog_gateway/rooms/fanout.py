"""One event to all connections of a room, and all that waits for a connection into one write.

Stage: room → sockets, the hottest loop of the gateway: an event is framed once, a room's events of one loop
turn are joined once, each member costs one append, and a connection is written to once per loop turn.
Nobody waits for another's socket.
"""

import asyncio
from typing import Final
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.envelope import Notice
from roomlog_contract.server_events import SyncRequired
from roomlog_contract.trail import Note, Written, ignore

from .. import metrics
from ..sockets.outbox import Frame, Push
from ..sockets.session import Session
from ..sockets.websocket_frames import text_frame
from .pagination import paginate
from .room import Room

log = structlog.get_logger()

BURST_EVENTS: Final = 32
"""Events of one loop turn that are joined; a slow socket drops or keeps them together."""
BURST_BYTES: Final = 64 * 1024
"""Bytes of the same: half of a write."""


class Fanout:
    """Fills outboxes and sees that they are written."""

    def __init__(self, rooms: dict[UUID, Room], note: Note = ignore) -> None:
        self._rooms = rooms
        self._note = note
        self._bursting: list[Room] = []
        self._dirty: list[Session] = []
        self._is_awake = False

    def deliver(self, room: Room, notice: Notice) -> None:
        """Give the room's next event to everybody who is to be sent it, at the end of the loop turn."""
        metrics.EVENTS.inc()
        self._note(Written(room.id, notice.seq, len(room.live)), notice.traceparent)
        data = text_frame(notice.frame)
        if room.live:
            if not room.burst:
                self._bursting.append(room)
                self._wake()
            room.burst.append(data)
            room.burst_bytes += len(data)
            if len(room.burst) >= BURST_EVENTS or room.burst_bytes >= BURST_BYTES:
                self.spread(room)
        if room.others:
            self._deliver_to_others(room, notice.seq, Frame(data, room.id))

    def spread(self, room: Room) -> None:
        """Give what came for the room in this loop turn to its live connections, as one piece."""
        if not room.burst:
            return
        frame = Frame(b"".join(room.burst), room.id, len(room.burst))
        room.drop_burst()
        full = []
        for session in room.live:
            outcome = session.outbox.push_event(frame)
            if outcome is Push.FIRST:
                self._dirty.append(session)
            elif outcome is Push.FULL:
                full.append(session)
        self._wake()
        metrics.DELIVERED.inc(frame.events * (len(room.live) - len(full)))
        for session in full:
            self._push_after_write(session, room, frame)

    def collect(self, session: Session) -> None:
        """Give a connection that is about to end what came for its rooms in this loop turn."""
        for key in session.rooms:
            self.spread(self._rooms[key])

    def push(self, session: Session, room: Room, frame: Frame) -> None:
        """Give one event to one connection."""
        outcome = session.outbox.push_event(frame)
        if outcome is Push.FIRST:
            self.schedule(session)
        elif outcome is Push.FULL:
            self._push_after_write(session, room, frame)

    def hint(self, session: Session, frame: Frame) -> bool:
        """Give a connection what it can do without, if nothing waits for it; return whether it was."""
        if session.outbox:
            return False
        if session.outbox.push_answer(frame) is Push.FIRST:
            self.schedule(session)
        return True

    def schedule(self, session: Session) -> None:
        """Write the connection's outbox after this loop turn's callbacks."""
        self._dirty.append(session)
        self._wake()

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        bursting, self._bursting = self._bursting, []
        try:
            for room in bursting:
                self.spread(room)
        finally:
            self._is_awake = False
        dirty, self._dirty = self._dirty, []
        for session in dirty:
            _write(session)

    def _deliver_to_others(self, room: Room, seq: int, frame: Frame) -> None:
        for session, delivery in list(room.others.items()):
            if delivery.take(seq, frame):
                room.catch_up(session)

    def _push_after_write(self, session: Session, room: Room, frame: Frame) -> None:
        """Write out of turn for a full outbox, then push: only what its socket doesn't take is shed.

        One turn of the loop may bring more than an outbox holds, to sockets that wait for it.
        """
        _write(session)
        outcome = session.outbox.push_event(frame)
        if outcome is Push.FULL:
            self._shed_events(session, room)
            return
        metrics.DELIVERED.inc(frame.events)
        if outcome is Push.FIRST:
            self.schedule(session)

    def _shed_events(self, session: Session, room: Room) -> None:
        """Drop events from a full outbox, because they can be read again; one sync_required says so."""
        metrics.OUTBOX_DROPS.inc()
        dropped = [self._rooms[key] for key in session.outbox.drop_events(room.id) if key in self._rooms]
        stopped = [behind for behind in dropped if session in behind]
        for behind in stopped:
            behind.fall_behind(session)
        for page, _ in paginate([behind.id for behind in stopped], limits.PAGE_ROOMS):
            session.tell(SyncRequired(rooms=list(page)))


def _write(session: Session) -> None:
    """Write what waits for a connection, as far as its socket takes it."""
    try:
        session.connection.flush()
    except Exception:  # this session's boundary: the others' frames must leave all the same
        log.exception("flush_failed", connection=session.number)
        session.connection.abort()
