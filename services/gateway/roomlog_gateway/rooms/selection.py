"""select_room without a race: a connection's events wait from the command to its answer. Stage: around the
worker.

The answer and its events come from one snapshot; what the connection is sent after it starts right behind
it. Whatever ends the command (answer, error, refusal, 15 s), the connection goes on without a gap or is told
of it.
"""

from typing import Final
from uuid import UUID

from roomlog_contract.envelope import Selected
from roomlog_contract.server_events import SyncRequired

from .delivery import DeliveryState
from .fanout import Fanout
from .incoming_events import IncomingEvents
from .pending_requests import Request
from .room import Room

UNKNOWN: Final = ("", 0)
"""Of a room that the connection is not in here: it may have been told anything elsewhere."""


class Selection:
    """Holds and releases a room's events for connections that select it."""

    def __init__(self, rooms: dict[UUID, Room], fanout: Fanout, incoming: IncomingEvents) -> None:
        self._rooms = rooms
        self._fanout = fanout
        self._incoming = incoming

    def hold(self, request: Request, *, is_afresh: bool = False) -> None:
        """Hold the room's events, because a select_room was sent; a connection that is no member has none."""
        room = self._room_of(request)
        if room is not None:
            request.delivery = room.hold(request.session, is_afresh=is_afresh)

    def answer(self, request: Request, reply: Selected) -> None:
        """Send the answer and what was held above it."""
        request.session.answer(reply.frame)
        room = self._room_of(request)
        if room is None:
            return
        if request.delivery is not None:
            is_same_log = reply.epoch == room.epoch
            request.delivery.answered(reply.seq, more=reply.more or not is_same_log)
        self.release(request)
        self._incoming.compare_head(room, reply.epoch, reply.seq, is_certain=True)

    def release(self, request: Request) -> None:
        """End the hold of a select_room; nothing for other commands."""
        room, session, delivery = self._room_of(request), request.session, request.delivery
        if room is None or delivery is None or room.others.get(session) is not delivery:
            return
        release = delivery.release(room.seq)
        for frame in release.frames:
            self._fanout.push(session, room, frame)
            if delivery.state is DeliveryState.BEHIND:
                break  # the outbox was full and said `sync_required`: nothing later may follow it
        if release.is_cut:
            session.tell(SyncRequired(rooms=[room.id]))
        if room.others.get(session) is delivery:
            room.catch_up(session)

    def known(self, request: Request) -> tuple[str, int]:
        """Return epoch and seq of all that the connection may have been told of its room."""
        room = self._room_of(request)
        return UNKNOWN if room is None else (room.epoch, max(room.seq, room.target))

    def showed(self, request: Request, epoch: str, seq: int) -> None:
        """Note that an answer has shown the room as of this head, which the events have yet to reach."""
        room = self._room_of(request)
        if room is not None:
            self._incoming.compare_head(room, epoch, seq, is_certain=False)

    def _room_of(self, request: Request) -> Room | None:
        room = self._rooms.get(request.room) if request.room is not None else None
        return room if room is not None and request.session in room else None
