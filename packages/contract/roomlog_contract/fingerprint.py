"""What a gateway knows by a login, in a few bytes: a worker can say that the database knows the same.

Both sides make it. Where they differ, also because one is of another release, the login is read anew.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from .events import RoomSummary, User

READER: Final = "r"
MUTED: Final = "m"
ARCHIVED: Final = "a"
BYTES: Final = 16


def fingerprint(user: User, memberships: Iterable[str]) -> bytes:
    """Return the fingerprint of a user and its memberships, in whatever order.

    A membership is the room's id in 32 hex digits, then READER, MUTED and ARCHIVED as far as they hold.
    """
    text = "\n".join((str(user.id), user.username, *sorted(memberships)))
    return blake2b(text.encode(), digest_size=BYTES).digest()


def membership_with_head(room: RoomSummary, letters: str) -> str:
    """Return a membership as it stands after READER, MUTED and ARCHIVED, with what nobody was told of it yet.

    For a login that has just read its rooms: the head tells of every event, and read marks and levels of
    notifications are in no log.
    """
    return f"{room.id.hex}{letters}:{room.epoch}:{room.seq}:{room.read_seq}:{room.notify}"
