"""Rules that make and change rooms."""

from roomlog.blocking import is_blocked_between
from roomlog.frames import Event
from roomlog.models import ChatRoom, Install, Membership, RoomHead
from roomlog.new_event import NewEvent
from roomlog.selectors import is_code
from roomlog_contract.commands import (
    ArchiveRoom,
    CreateRoom,
    RenameRoom,
    RestoreRoom,
    SetReceipts,
    SetTopic,
)
from roomlog_contract.errors import BLOCKED, NO_SUCH_USER, ErrorCode

from ..asked import Asked
from ..batch import Batch, LockedRoom, Standing
from ..errors import RefusedWrite
from ..newcomers import hold_active
from ..quotas import check_may_be_brought, check_may_create
from .access import any_room, open_group, open_room, require_group, require_role


def create_room(batch: Batch, asked: Asked[CreateRoom]) -> Event:
    """Make the room with its first event and members; the direct room of a pair is made only once.

    Raises:
        HeldElsewhere: another transaction makes a room of the same person, or deletes a member's account.
    """
    command = asked.command
    if asked.room in batch.rooms:
        return batch.first_event(asked.room)
    if not asked.is_staff:
        check_may_create(asked.user, batch.now)
    members = _first_members(asked)
    if not asked.is_staff:
        if command.kind == "direct" and is_blocked_between(asked.user, command.members[0]):
            raise RefusedWrite(ErrorCode.FORBIDDEN, BLOCKED)
        check_may_be_brought([number for number, _ in members if number != asked.user])
    room = ChatRoom.objects.create(id=asked.room, name=command.name, kind=command.kind, creator_id=asked.user)
    head = RoomHead.objects.create(room=room, epoch=Install.objects.get().epoch)
    Membership.objects.bulk_create(
        Membership(room=room, user_id=number, role=role) for number, role in members
    )
    standings = {number: Standing(role) for number, role in members}
    locked = batch.rooms[room.id] = LockedRoom(
        room.id, command.kind, False, head.epoch, head.last_seq, head.messages, standings
    )
    return batch.append(locked, asked, data={"name": command.name, "kind": command.kind, "members": members})


def rename_room(batch: Batch, asked: Asked[RenameRoom]) -> NewEvent:
    """Give a group another name. For owners and admins."""
    room = open_group(batch, asked)
    require_role(room, asked, "admin")
    ChatRoom.objects.filter(pk=room.id).update(name=asked.command.name)
    return batch.append(room, asked, data={"name": asked.command.name})


def set_topic(batch: Batch, asked: Asked[SetTopic]) -> NewEvent:
    """Say what a group is about. For owners and admins."""
    room = open_group(batch, asked)
    require_role(room, asked, "admin")
    ChatRoom.objects.filter(pk=room.id).update(topic=asked.command.topic)
    return batch.append(room, asked, data={"topic": asked.command.topic})


def set_receipts(batch: Batch, asked: Asked[SetReceipts]) -> NewEvent:
    """Say whether the room shows who has read. For owners and admins; in a direct room for both."""
    room = open_room(batch, asked)
    if room.kind != ChatRoom.Kind.DIRECT:
        require_role(room, asked, "admin")
    ChatRoom.objects.filter(pk=room.id).update(receipts=asked.command.receipts)
    return batch.append(room, asked, data={"receipts": asked.command.receipts})


def archive_room(batch: Batch, asked: Asked[ArchiveRoom]) -> NewEvent:
    """End all writing in a group. For owners and admins."""
    room = open_group(batch, asked)
    require_role(room, asked, "admin")
    ChatRoom.objects.filter(pk=room.id).update(archived_at=batch.now)
    room.is_archived = True
    return batch.append(room, asked)


def restore_room(batch: Batch, asked: Asked[RestoreRoom]) -> NewEvent:
    """Open an archived group again. For owners and admins."""
    room = any_room(batch, asked)
    require_group(room)
    require_role(room, asked, "admin")
    if not room.is_archived:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "The room is not archived.")
    ChatRoom.objects.filter(pk=room.id).update(archived_at=None)
    room.is_archived = False
    return batch.append(room, asked)


def _first_members(asked: Asked[CreateRoom]) -> list[tuple[int, str]]:
    command, user = asked.command, asked.user
    others = [number for number in dict.fromkeys(command.members) if number != user]
    # Code makes rooms for others, and needs no membership to write.
    makers = [] if asked.is_staff and is_code(user) else [user]
    # The list and not the people in it: [2, 2] would be a second room of the pair (see `room_of`).
    if command.kind == "direct" and not len(command.members) == len(others) == 1:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "A direct room has exactly one other member.")
    if hold_active([*makers, *others]) != {*makers, *others}:
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_USER)
    role = Membership.Role.MEMBER if command.kind == "direct" else Membership.Role.OWNER
    return [
        *((number, role.value) for number in makers),
        *((number, Membership.Role.MEMBER.value) for number in others),
    ]
