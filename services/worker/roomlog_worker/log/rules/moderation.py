"""Rules about what somebody may do in a room: roles, mutes and bans."""

from dataclasses import replace
from typing import Any

from django.db.models import QuerySet

from roomlog.ban import FOREVER, Ban, end_of, lasting
from roomlog.models import Membership
from roomlog.new_event import NewEvent
from roomlog_contract.commands import BanUser, MuteUser, SetRole, UnbanUser, UnmuteUser
from roomlog_contract.errors import ErrorCode

from ..asked import Asked
from ..batch import Batch, LockedRoom, Standing
from ..errors import RefusedWrite
from ..newcomers import hold_account
from .access import open_group, require_role, require_role_over


def set_role(batch: Batch, asked: Asked[SetRole]) -> NewEvent:
    """Give a member of a group another role. For owners and admins; of and to an owner only by an owner."""
    command, room = asked.command, open_group(batch, asked)
    if command.role == "owner":
        require_role(room, asked, "owner")
    member = _member(room, asked)
    if member.role == command.role:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "The user has this role already.")
    room.members[command.user] = replace(member, role=command.role)
    _memberships(room, asked).update(role=command.role)
    return batch.append(room, asked, data={"member": command.user, "role": command.role})


def mute_user(batch: Batch, asked: Asked[MuteUser]) -> NewEvent:
    """Let a member of a group write nothing for a while. For owners and admins; an owner only by an owner."""
    command, room = asked.command, open_group(batch, asked)
    member = _member(room, asked)
    _refuse_oneself(asked)
    _refuse_what_is_over(batch, command)
    room.members[command.user] = replace(member, is_muted=True)
    _memberships(room, asked).update(muted_until=end_of(command.until) or FOREVER)
    return batch.append(room, asked, data=_data(asked, member.role) | {"until": command.until})


def unmute_user(batch: Batch, asked: Asked[UnmuteUser]) -> NewEvent:
    """Let a muted member write again. Who may mute them may, and so may they if they may mute others."""
    command, room = asked.command, open_group(batch, asked)
    member = _member(room, asked)
    if not member.is_muted:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "The user is not muted.")
    room.members[command.user] = replace(member, is_muted=False)
    _memberships(room, asked).update(muted_until=None)
    return batch.append(room, asked, data=_data(asked, member.role))


def ban_user(batch: Batch, asked: Asked[BanUser]) -> NewEvent:
    """Keep somebody out of a group for a while, and end a membership. Who may remove them may.

    Raises:
        HeldElsewhere: another transaction is deleting the account.
    """
    command, room = asked.command, open_group(batch, asked)
    require_role_over(room, asked, room.members.get(command.user))
    if not hold_account(command.user):
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such user.")
    _refuse_oneself(asked)
    _refuse_what_is_over(batch, command)
    member = room.members.pop(command.user, None) or Standing(Membership.Role.MEMBER.value)
    _memberships(room, asked).delete()
    event = batch.append(room, asked, data=_data(asked, member.role) | {"until": command.until})
    ban = Ban(room_id=room.id, user_id=command.user, until=end_of(command.until), seq=event.seq)
    Ban.objects.bulk_create(
        [ban], update_conflicts=True, unique_fields=["room", "user"], update_fields=["until", "seq"]
    )
    return event


def unban_user(batch: Batch, asked: Asked[UnbanUser]) -> NewEvent:
    """Let somebody be invited again who is banned from a group. For owners and admins.

    Raises:
        HeldElsewhere: another transaction is deleting the account.
    """
    room, user = open_group(batch, asked), asked.command.user
    require_role_over(room, asked, room.members.get(user))
    bans = Ban.objects.filter(lasting(batch.now), room=room.id, user=user)
    if not hold_account(user) or not bans.delete()[0]:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "The user is not banned.")
    return batch.append(room, asked, data=_data(asked, Membership.Role.MEMBER.value))


def _member(room: LockedRoom, asked: Asked[Any]) -> Standing:
    """Return the member whom the sender may act on."""
    member = room.members.get(asked.command.user)
    require_role_over(room, asked, member)
    if member is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "The user is not a member.")
    return member


def _memberships(room: LockedRoom, asked: Asked[Any]) -> QuerySet[Membership]:
    return Membership.objects.filter(room_id=room.id, user_id=asked.command.user)


def _data(asked: Asked[Any], role: str) -> dict[str, Any]:
    return {"member": asked.command.user, "role": role}


def _refuse_oneself(asked: Asked[Any]) -> None:
    if asked.command.user == asked.user:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "Nobody can mute or ban themselves.")


def _refuse_what_is_over(batch: Batch, command: MuteUser | BanUser) -> None:
    end = end_of(command.until)
    if end is not None and end <= batch.now:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "`until` is not in the future.")
