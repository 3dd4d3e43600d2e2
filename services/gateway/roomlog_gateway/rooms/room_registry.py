"""The rooms of this gateway, and what it takes to be in one no longer. Stage: joins and leaves.

A room is here while a connection is in it or about to enter; when the last one is gone its channel is
unsubscribed. It must not decide who is a member: the log and the workers say so.
"""

from collections.abc import Callable, Collection
from uuid import UUID

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.server_events import RoomLeft

from .. import metrics
from ..redis.subscriber import Subscriber
from ..sockets.session import Session
from .room import Room


class RoomRegistry:
    """Opens rooms, and drops those that nobody needs."""

    def __init__(
        self,
        rooms: dict[UUID, Room],
        keyspace: Keyspace,
        subscriber: Subscriber,
        spread: Callable[[Room], None],
    ) -> None:
        """`rooms` are all, for those who only look one up; `spread` gives a room's burst to its members."""
        self._rooms = rooms
        self._keyspace = keyspace
        self._subscriber = subscriber
        self._spread = spread

    def get(self, key: UUID) -> Room | None:
        """Return a room that is here."""
        return self._rooms.get(key)

    def pin(self, key: UUID) -> Room:
        """Return a room, opened if need be, that stays until `unpin`; the caller subscribes to it."""
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = Room(key, self._spread)
            metrics.ROOMS.set(len(self._rooms))
        room.pins += 1
        return room

    def unpin(self, rooms: Collection[Room]) -> None:
        """Give rooms back, each once for each `pin`."""
        for room in rooms:
            room.pins -= 1
        self._drop_unused(rooms)

    def remove(self, session: Session, key: UUID) -> None:
        """Take a connection out of a room, and tell it."""
        room = self._rooms[key]
        room.leave(session)
        session.leave(key)
        session.tell(RoomLeft(room=key))
        self._drop_unused([room])

    def remove_user(self, room: Room, user: int) -> list[Session]:
        """Take all connections of a user out of a room, because its log ended the membership; return them."""
        removed = [session for session in room.members() if session.user == user]
        for session in removed:
            self.remove(session, room.id)
        return removed

    def remove_from_all(self, session: Session) -> None:
        """Take a connection out of all its rooms, which it is not told: it ends, or starts again."""
        rooms = [self._rooms[key] for key in session.leave_all()]
        for room in rooms:
            room.leave(session)
        self._drop_unused(rooms)

    def _drop_unused(self, rooms: Collection[Room]) -> None:
        unused = [room.id for room in rooms if room.is_unused() and self._rooms.get(room.id) is room]
        for key in unused:
            self._rooms.pop(key, None)
        metrics.ROOMS.set(len(self._rooms))
        self._subscriber.unsubscribe(map(self._keyspace.room_channel, unused))
