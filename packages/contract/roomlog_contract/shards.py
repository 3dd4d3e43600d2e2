"""How many shards an install may have, and which room a command goes to: derived room ids.

The number is fixed for the life of an install: a stream may never change its room set. `Keyspace` holds it,
and says which shard is whose.
"""

from typing import Final
from uuid import UUID, uuid5

from .commands import CreateRoom, RoomWrite

DEFAULT_SHARDS: Final = 64
"""What every install had before the number could be chosen."""
SHARD_NUMBERS: Final = (DEFAULT_SHARDS, 128, 256, 512, 1024)
"""What an install may have. Each shard costs whoever waits for its streams, also while nothing comes."""
_CREATED_ROOMS: Final = UUID("6f0c5a52-3c0b-4f3e-9a53-5c6f1f3a7d10")
_DIRECT_ROOMS: Final = UUID("b2a3a8de-0f0e-4d63-8d0c-2f9f6a1d5e77")


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
