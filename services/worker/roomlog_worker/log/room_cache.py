"""Rooms as this process's last batches left them: enough to decide a message without reading first.

Never trusted: a statement compares it with the locked rows before it stores (`Batch.store_single`), so a
stale cache costs time and nothing else.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from roomlog.kinds import CHANGES, MESSAGE
from roomlog_contract.events import User

from . import statements
from .batch import Batch, LockedRoom

MOST: Final = 50_000
"""Rooms, senders in them, and names in the cache; one more, and it is cleared."""
NAME_AGE: Final = timedelta(seconds=60)
"""How long a name is used without a look at the database: no event tells that it changed."""
IDS_AT_ONCE: Final = 100
"""Ids that are reserved by one query. Ids are in the order of their events but for about so many."""
_UNKNOWN: Final = (User(0, ""), datetime.min.replace(tzinfo=UTC))


class RoomCache:
    """The rooms that one writer has written lately. Not for use by two threads."""

    def __init__(self) -> None:
        self._rooms: dict[UUID, LockedRoom] = {}
        self._names: dict[int, tuple[User, datetime]] = {}
        """With the time at which each was read."""
        self._members = 0
        """Senders of all rooms."""
        self._ids: list[int] = []

    def batch(self, room: UUID, user: int, now: datetime) -> Batch | None:
        """Return a batch as if it were open, for one message; None if room or sender is not cached.

        The batch changes the cached room itself: if it is not stored, the room must be forgotten.
        """
        locked = self._rooms.get(room)
        name, read_at = self._names.get(user, _UNKNOWN)
        if locked is None or user not in locked.members or now - read_at > NAME_AGE:
            return None
        return Batch(
            now=now,
            leases=[],
            rooms={room: locked},
            known={},
            held_by_others=frozenset(),
            answered={},
            targets={},
            unclaimed={},
            users={user: name},
        )

    def update(self, batch: Batch) -> None:
        """Take over the rooms of a stored batch, and those of their members whom it named."""
        for event in batch.events:
            if event.kind != MESSAGE and event.kind not in CHANGES:
                self.forget(event.room_id)  # its members, name or roles may have changed
        for room in batch.rooms.values():
            if (before := self._rooms.get(room.id)) is not None:
                self._members -= len(before.members)
                before.members.update(room.members)
                room.members = before.members
            self._members += len(room.members)
            self._rooms[room.id] = room
        for number, name in batch.users.items():
            self._names[number] = name, batch.now
        if max(self._members, len(self._rooms), len(self._names)) > MOST:
            self.clear()

    def forget(self, room: UUID) -> None:
        """Drop a room that is not as it was."""
        if (dropped := self._rooms.pop(room, None)) is not None:
            self._members -= len(dropped.members)

    def clear(self) -> None:
        """Drop all that is known."""
        self._rooms.clear()
        self._names.clear()
        self._members = 0
        self._ids.clear()

    def next_id(self) -> int:
        """Return an id for a new event, perhaps by a query."""
        if not self._ids:
            self._ids = statements.reserve_ids(IDS_AT_ONCE)[::-1]
        return self._ids.pop()
