"""Finds a command's room and checks membership and role: the first step of every rule."""

from typing import Any, Final

from roomlog.models import ChatRoom
from roomlog_contract.errors import ErrorCode

from ..asked import Asked
from ..batch import Batch, LockedRoom
from ..errors import RefusedWrite

RANKS: Final[dict[str, int]] = {"member": 0, "admin": 1, "owner": 2}


def open_room(batch: Batch, asked: Asked[Any]) -> LockedRoom:
    """Return the command's room, which is not archived."""
    room = any_room(batch, asked)
    require_open(room)
    return room


def any_room(batch: Batch, asked: Asked[Any]) -> LockedRoom:
    """Return the command's room. Strangers get one answer before any other, also where there is no room.

    The id of a direct room follows from its two, so any other answer tells strangers who talks to whom.
    """
    room = batch.rooms.get(asked.room)
    if not asked.is_staff and (room is None or asked.user not in room.members):
        raise RefusedWrite(ErrorCode.NOT_MEMBER)
    if room is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such room.")
    return room


def open_group(batch: Batch, asked: Asked[Any]) -> LockedRoom:
    """Return the command's room, which is not a direct one."""
    room = open_room(batch, asked)
    require_group(room)
    return room


def require_open(room: LockedRoom) -> None:
    """Refuse what an archived room's members can't do."""
    if room.is_archived:
        raise RefusedWrite(ErrorCode.ARCHIVED)


def require_group(room: LockedRoom) -> None:
    """Refuse what a direct room's members can't do."""
    if room.kind == ChatRoom.Kind.DIRECT:
        raise RefusedWrite(ErrorCode.FORBIDDEN, "A direct room can't change.")


def require_role(room: LockedRoom, asked: Asked[Any], role: str) -> None:
    """Refuse a sender whose role is lower; staff outranks all."""
    if not asked.is_staff and RANKS[room.members[asked.user].role] < RANKS[role]:
        raise RefusedWrite(ErrorCode.FORBIDDEN)
