"""Which connections have which rooms before the eyes: of these they are told what changes by the second.

Beside the message's way. It answers `watch`; who is there, who types and who has read is told elsewhere.
"""

from uuid import UUID

from roomlog_contract.commands import Watch
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import WatchAnswer

from ..sockets.session import Session
from .presence import Presence
from .receipts_teller import ReceiptsTeller
from .room import Room


class Watching:
    """Takes what clients say that they look at."""

    def __init__(self, rooms: dict[UUID, Room], presence: Presence, receipts: ReceiptsTeller) -> None:
        self._rooms = rooms
        self._presence = presence
        self._receipts = receipts

    def take(self, session: Session, command: Watch) -> None:
        """Answer a command at once: from here on the connection watches these rooms and no others."""
        for key in command.rooms:
            if key not in session.rooms:
                session.refuse(ErrorCode.NOT_MEMBER, command.uuid, "watch", room=key)
                return
        for room in map(self._rooms.__getitem__, session.rooms):
            room.end_watching(session)
        for room in map(self._rooms.__getitem__, command.rooms):
            room.watchers[session] = None
            self._presence.begin(session, room)
            self._receipts.begin(session, room)
        session.tell(WatchAnswer(uuid=command.uuid))
