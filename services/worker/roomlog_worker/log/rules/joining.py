"""Rules about who comes into a room without being brought: what is open to whom, and coming in."""

from django.db.models import F

from roomlog.invitation import opening
from roomlog.models import ChatRoom, Invitation, Membership
from roomlog.new_event import NewEvent
from roomlog.shown_once import digest_of
from roomlog_contract.commands import JoinRoom, SetDiscoverable
from roomlog_contract.errors import NO_SUCH_INVITATION, ErrorCode

from ..asked import Asked
from ..batch import Batch
from ..errors import HeldElsewhere, RefusedWrite
from .access import any_room, open_group, require_group, require_open, require_role
from .members import take_in


def set_discoverable(batch: Batch, asked: Asked[SetDiscoverable]) -> NewEvent:
    """Say whether everybody may find a group and join it. For owners and admins."""
    room = open_group(batch, asked)
    require_role(room, asked, "admin")
    ChatRoom.objects.filter(pk=room.id).update(is_discoverable=asked.command.discoverable)
    return batch.append(room, asked, data={"discoverable": asked.command.discoverable})


def join_room(batch: Batch, asked: Asked[JoinRoom]) -> NewEvent:
    """Make the sender a member of a group that is open to everybody, or by an invitation.

    Raises:
        HeldElsewhere: another transaction is deleting the account, or has the invitation.
    """
    invitation = _invitation(batch, asked)
    room = batch.rooms[asked.room]
    require_open(room)
    require_group(room)
    if asked.user in room.members:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "You are already a member.")
    if invitation is None:
        return take_in(batch, room, asked, asked.user, Membership.Role.MEMBER.value)
    event = take_in(batch, room, asked, asked.user, invitation.role, invitation=invitation.pk.hex)
    Invitation.objects.filter(pk=invitation.pk).update(uses=F("uses") + 1)
    return event


def _invitation(batch: Batch, asked: Asked[JoinRoom]) -> Invitation | None:
    """Return the invitation by which the sender comes in, locked; None where there is no need of one.

    Strangers get the same refusals where there is no room.
    """
    room, token = batch.rooms.get(asked.room), asked.command.invitation
    if room is not None and ChatRoom.objects.filter(pk=room.id, is_discoverable=True).exists():
        return None
    if token is None or asked.is_staff or (room is not None and asked.user in room.members):
        any_room(batch, asked)
        return None
    rows = Invitation.objects.filter(opening(batch.now), room=asked.room, digest=digest_of(token))
    found = rows.select_for_update(skip_locked=True, no_key=True).first()
    if found is None and rows.exists():
        raise HeldElsewhere
    if found is None or room is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_INVITATION)
    return found
