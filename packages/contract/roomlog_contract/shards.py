"""Where a command travels: the shard of a room, derived room ids.

64 logical shards, fixed for the life of an install: a stream may never change its room set.
"""

from typing import Final
from uuid import UUID, uuid5
from zlib import crc32

from .commands import CreateRoom, RoomWrite

SHARDS: Final = 64
_CREATED_ROOMS: Final = UUID("6f0c5a52-3c0b-4f3e-9a53-5c6f1f3a7d10")
_DIRECT_ROOMS: Final = UUID("b2a3a8de-0f0e-4d63-8d0c-2f9f6a1d5e77")


def shard_of_room(room: UUID) -> int:
    """Return 0 … 63, for ever the same for one room."""
    return crc32(room.bytes) % SHARDS


def shard_of_user(user: int) -> int:
    """Return the shard that reads for a user where no room is named."""
    return crc32(str(user).encode()) % SHARDS


def shard_of_token(token: str) -> int:
    """Return the shard that checks a token; spreads logins over the workers."""
    return crc32(token.encode()) % SHARDS


def created_room_id(user: int, uuid: str) -> UUID:
    """Return the id of the room that this create_room makes, however often it is repeated."""
    return uuid5(_CREATED_ROOMS, f"{user}:{uuid}")


def direct_room_id(one: int, other: int) -> UUID:
    """Return the id of the only direct room of two users, in either order."""
    return uuid5(_DIRECT_ROOMS, f"{min(one, other)}:{max(one, other)}")


def room_of(command: RoomWrite, user: int) -> UUID:
    """Return the room whose log the command goes to; that of create_room follows from its sender."""
    match command:
        case CreateRoom(kind="direct", members=[other]):
            return direct_room_id(user, other)
        case CreateRoom():
            return created_room_id(user, command.uuid)
        case _:
            return command.room
