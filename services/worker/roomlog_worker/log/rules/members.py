"""Rules that change who is in a room."""

from typing import Any

from roomlog.models import ChatRoom, Membership
from roomlog.new_event import NewEvent
from roomlog.selectors import is_banned, is_deleted
from roomlog_contract.commands import InviteUser, LeaveRoom, RemoveUser
from roomlog_contract.errors import ErrorCode

from ..asked import Asked
from ..batch import Batch, LockedRoom, Standing
from ..errors import RefusedWrite
from ..newcomers import hold_active
from ..quotas import check_may_be_brought
from .access import any_room, open_group, require_group, require_open, require_role, require_role_over


def invite_user(batch: Batch, asked: Asked[InviteUser]) -> NewEvent:
    """Make somebody a member. Any member of a group but readers may, up to the own role.

    Raises:
        HeldElsewhere: another transaction is deleting the account.
    """
    command, room = asked.command, open_group(batch, asked)
    require_role(room, asked, "member" if command.role == "reader" else command.role)
    if command.user in room.members:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "The user is already a member.")
    return take_in(batch, room, asked, command.user, command.role)


def take_in(batch: Batch, room: LockedRoom, asked: Asked[Any], user: int, role: str, **more: str) -> NewEvent:
    """Make somebody a member who is none, with an event that keeps `more` besides.

    Raises:
        RefusedWrite: the user is banned, in too many rooms or not there.
        HeldElsewhere: another transaction is deleting the account.
    """
    if not hold_active([user]):
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such user.")
    if is_banned(room.id, user, batch.now):
        raise RefusedWrite(ErrorCode.BANNED)
    if not asked.is_staff:
        check_may_be_brought([user])
    room.members[user] = Standing(role)
    event = batch.append(room, asked, data={"member": user, "role": role, **more})
    # What was said before is not unread: nobody said it to the newcomer.
    Membership.objects.create(
        room_id=room.id, user_id=user, role=role, read_seq=event.seq, read_number=room.messages
    )
    return event


def remove_user(batch: Batch, asked: Asked[RemoveUser]) -> NewEvent:
    """End somebody's membership. For owners and admins of a group; an owner only by an owner.

    A deleted account leaves direct and archived rooms too: staff asks for that alone.
    """
    room = any_room(batch, asked)
    is_closed = room.is_archived or room.kind == ChatRoom.Kind.DIRECT
    if is_closed and not (asked.is_staff and is_deleted(asked.command.user)):
        require_open(room)
        require_group(room)
    removed = room.members.get(asked.command.user)
    require_role_over(room, asked, removed)
    if removed is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "The user is not a member.")
    return _end_membership(batch, room, asked, asked.command.user)


def leave_room(batch: Batch, asked: Asked[LeaveRoom]) -> NewEvent:
    """End one's own membership of a group."""
    room = open_group(batch, asked)
    if asked.user not in room.members:
        raise RefusedWrite(ErrorCode.NOT_MEMBER)
    return _end_membership(batch, room, asked, asked.user)


def _end_membership(batch: Batch, room: LockedRoom, asked: Asked[Any], user: int) -> NewEvent:
    data = {"member": user, "role": room.members.pop(user).role}
    Membership.objects.filter(room_id=room.id, user_id=user).delete()
    return batch.append(room, asked, data=data)
