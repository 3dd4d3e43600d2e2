"""Rooms of a load that are opened, closed and archived, and people who leave and join, while faults happen.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.joining import DISCOVERABLE_KIND, JOINING_KIND
from tests.judge.journal import Known
from tests.judge.moderation import NOBODY
from tests.judge.topics import CLOSED, OPEN

Invitations = Mapping[str, Sequence[str]]
"""The tokens of each room's invitations."""
ENDS: Final = ((3600.0, None), (3600.0, 1), (20.0, None))
"""Of the invitations to one room: the seconds that each is good for, and the uses, None without a bound."""

ARCHIVE_KIND, RESTORE_KIND = "archive_room", "restore_room"
RESTORING: Final = 5
"""How often that is tried at most: nobody can speak before it happens."""


def new_invitations(rooms: Iterable[Any]) -> list[dict[str, Any]]:
    """Return what `population` makes: invitations of each room, by its owner."""
    return [
        {
            "room": room.id,
            "by": room.members[0].id,
            "token": uuid4().hex,
            "seconds": seconds,
            "most_uses": uses,
        }
        for room in rooms
        for seconds, uses in ENDS
    ]


def tokens_of(invitations: Iterable[Mapping[str, Any]]) -> Invitations:
    """Return their tokens by room."""
    tokens: dict[str, list[str]] = {}
    for one in invitations:
        tokens.setdefault(one["room"], []).append(one["token"])
    return tokens


async def set_discoverable(reader: Reader, room: str, is_open: bool, uuid: str, seconds: float) -> None:
    """Say whether everybody may join a room; how it ends is in the journal."""
    client, witness = reader
    witness.want_change(DISCOVERABLE_KIND, Known(room, 0, 0, 0), uuid, OPEN if is_open else CLOSED)
    with contextlib.suppress(RoomlogError):
        await client.set_discoverable(room, is_open, uuid=uuid, timeout_seconds=seconds)


async def archive(reader: Reader, room: str, dice: random.Random, uuid: str, seconds: float) -> None:
    """Archive a room, then restore it, again where that is not known to have happened."""
    if await _take(reader, ARCHIVE_KIND, room, uuid, seconds):
        for number in range(RESTORING):
            if await _take(reader, RESTORE_KIND, room, f"{uuid}-{number}", seconds):
                break


async def _take(reader: Reader, kind: str, room: str, uuid: str, seconds: float) -> bool:
    """Archive or restore a room; return False if it was refused, or nobody knows."""
    client, witness = reader
    witness.want_change(kind, Known(room, 0, 0, 0), uuid)
    try:
        await client.request(kind, room=room, uuid=uuid, timeout_seconds=seconds)
    except RoomlogError:
        return False
    return True


async def leave(reader: Reader, room: str, uuid: str, seconds: float) -> None:
    """Leave a room."""
    with contextlib.suppress(RoomlogError):
        await reader[0].leave_room(room, uuid=uuid, timeout_seconds=seconds)


async def join(
    reader: Reader, room: str, tokens: Sequence[str], dice: random.Random, uuid: str, seconds: float
) -> None:
    """Join a room, perhaps by one of these invitations; how it ends is in the journal."""
    client, witness = reader
    token = dice.choice(["", *tokens])
    witness.want_moderation(JOINING_KIND, room, uuid, NOBODY)
    with contextlib.suppress(RoomlogError):
        await client.join_room(room, token or None, uuid=uuid, timeout_seconds=seconds)


async def go_and_come(
    owner: Reader,
    guest: Reader,
    room: str,
    tokens: Sequence[str],
    dice: random.Random,
    new_uuid: Callable[[random.Random], str],
    seconds: float,
) -> None:
    """Have somebody leave a room and join it again: before it is open, perhaps by an invitation, and then."""
    await leave(guest, room, new_uuid(dice), seconds)
    await join(guest, room, tokens, dice, new_uuid(dice), seconds)
    await set_discoverable(owner, room, True, new_uuid(dice), seconds)
    await join(guest, room, (), dice, new_uuid(dice), seconds)
    await set_discoverable(owner, room, False, new_uuid(dice), seconds)
