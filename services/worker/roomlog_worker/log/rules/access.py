"""Finds a command's room and checks membership and role: the first step of every rule."""

from typing import Any, Final

from roomlog.models import ChatRoom
from roomlog_contract.errors import BLOCKED, NO_SUCH_MESSAGE, ErrorCode

from ..asked import Asked
from ..batch import Batch, LockedRoom, Standing, Target
from ..errors import RefusedWrite

RANKS: Final[dict[str, int]] = {"reader": 0, "member": 1, "admin": 2, "owner": 3}


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


def require_target(batch: Batch, asked: Asked[Any]) -> Target:
    """Return the message that the command concerns; refuse none, and a deleted one."""
    target = batch.targets.get((asked.room, asked.command.message))
    if target is None or target.is_deleted:
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_MESSAGE)
    return target


def require_open(room: LockedRoom) -> None:
    """Refuse what an archived room's members can't do."""
    if room.is_archived:
        raise RefusedWrite(ErrorCode.ARCHIVED)


def require_group(room: LockedRoom) -> None:
    """Refuse what a direct room's members can't do."""
    if room.kind == ChatRoom.Kind.DIRECT:
        raise RefusedWrite(ErrorCode.FORBIDDEN, "A direct room can't change.")


def require_a_say(room: LockedRoom, asked: Asked[Any]) -> None:
    """Refuse a sender who may write nothing: the muted, then readers, then who is blocked or has blocked."""
    if not asked.is_staff and room.members[asked.user].is_muted:
        raise RefusedWrite(ErrorCode.MUTED)
    require_role(room, asked, "member")
    require_unblocked(room, asked)


def require_unblocked(room: LockedRoom, asked: Asked[Any]) -> None:
    """Refuse both of a direct room where one of them has blocked the other."""
    if room.is_blocked and not asked.is_staff:
        raise RefusedWrite(ErrorCode.FORBIDDEN, BLOCKED)


def require_role_over(room: LockedRoom, asked: Asked[Any], concerned: Standing | None) -> None:
    """Refuse a sender who may not act on this member: below an admin, or on an owner below an owner."""
    is_owner = concerned is not None and concerned.role == "owner"
    require_role(room, asked, "owner" if is_owner else "admin")


def may_pin(room: LockedRoom, asked: Asked[Any]) -> bool:
    """Tell whether the sender may speak to all at once: owners and admins, and in a direct room both."""
    return room.kind == ChatRoom.Kind.DIRECT or has_role(room, asked, "admin")


def require_role(room: LockedRoom, asked: Asked[Any], role: str) -> None:
    """Refuse a sender whose role is lower."""
    if not has_role(room, asked, role):
        raise RefusedWrite(ErrorCode.FORBIDDEN)


def has_role(room: LockedRoom, asked: Asked[Any], role: str) -> bool:
    """Tell whether the sender has this role or a higher one; staff outranks all."""
    return asked.is_staff or RANKS[room.members[asked.user].role] >= RANKS[role]
