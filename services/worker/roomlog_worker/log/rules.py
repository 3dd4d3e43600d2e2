"""Every write to a room's log: one function an action, named as on the wire.

Each takes the open batch and a command and appends one event, or raises RefusedWrite and appends
nothing. `carry_out` is the entry: it finds repeats first, so that exactly one event exists for each
(room, sender, uuid), however often the command comes.
"""

from dataclasses import dataclass
from typing import Final, assert_never

from roomlog.body_hash import hash_of
from roomlog.frames import Event
from roomlog.models import ChatRoom, Install, Membership, RoomEvent, RoomHead
from roomlog.new_event import NewEvent
from roomlog.selectors import active_user_ids
from roomlog_contract.commands import CreateRoom, InviteUser, LeaveRoom, NewMessage, RemoveUser, RoomWrite
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import room_of

from .batch import Batch, LockedRoom, Standing, Wanted
from .errors import RefusedWrite
from .quotas import check_may_be_brought, check_may_create
from .statements import Key

_RANKS: Final[dict[str, int]] = {"member": 0, "admin": 1, "owner": 2}


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a command is in the log; its event has its id once the batch is stored."""

    event: Event
    epoch: str
    duplicate: bool = False


def wanted_by(command: RoomWrite, user: int) -> Wanted:
    """Return what must be read before `carry_out` can decide."""
    member = command.user if isinstance(command, InviteUser | RemoveUser) else None
    reply_to = command.reply_to if isinstance(command, NewMessage) else None
    return Wanted(command.uuid, room_of(command, user), user, member, reply_to)


def is_event(command: RoomWrite, user: int) -> bool:
    """Tell whether the command is in its room's log, whatever its content."""
    return RoomEvent.objects.filter(uuid=command.uuid, room=room_of(command, user), user=user).exists()


def carry_out(batch: Batch, command: RoomWrite, user: int, *, staff: bool = False) -> Recorded:
    """Make the command an event, or find the event that it already is.

    Raises:
        RefusedWrite: the present state does not allow it, or its uuid has another content.
        HeldElsewhere: it can't be decided just now.
    """
    key = (command.uuid, room_of(command, user), user)
    body_hash = hash_of(command)
    known = batch.known.get(key)
    if known is not None:
        if known.body_hash != body_hash:
            raise RefusedWrite(ErrorCode.UUID_CONFLICT)
        return Recorded(known, batch.rooms[known.room_id].epoch, duplicate=True)
    match command:
        case NewMessage():
            event = new_message(batch, command, key, body_hash, staff=staff)
        case CreateRoom():
            return create_room(batch, command, key, body_hash, staff=staff)
        case InviteUser():
            event = invite_user(batch, command, key, body_hash, staff=staff)
        case RemoveUser():
            event = remove_user(batch, command, key, body_hash, staff=staff)
        case LeaveRoom():
            event = leave_room(batch, key, body_hash)
        case _:
            assert_never(command)
    return Recorded(event, batch.rooms[event.room_id].epoch)


def new_message(batch: Batch, command: NewMessage, key: Key, body_hash: str, *, staff: bool) -> NewEvent:
    """Append a message. Members only; not while muted, not in an archived room."""
    room = _open_room(batch, key, staff=staff)
    if not staff and room.members[key[2]].is_muted:
        raise RefusedWrite(ErrorCode.MUTED)
    data = None
    if command.reply_to is not None:
        if (command.reply_to, command.room) not in batch.messages:
            raise RefusedWrite(ErrorCode.NOT_FOUND, "`reply_to` is not a message of this room.")
        data = {"reply_to": command.reply_to}
    return batch.append(room, RoomEvent.Kind.NEW_MESSAGE, key, body_hash, text=command.text, data=data)


def create_room(batch: Batch, command: CreateRoom, key: Key, body_hash: str, *, staff: bool) -> Recorded:
    """Make the room with its first event and members; the direct room of a pair is made only once.

    Raises:
        HeldElsewhere: another transaction makes a room of the same person.
    """
    _, room_id, user = key
    if room_id in batch.rooms:
        return Recorded(batch.first_event(room_id), batch.rooms[room_id].epoch, duplicate=True)
    if not staff:
        check_may_create(user, batch.now)
    members = _first_members(command, user)
    if not staff:
        check_may_be_brought([number for number, _ in members if number != user])
    room = ChatRoom.objects.create(id=room_id, name=command.name, kind=command.kind, creator_id=user)
    head = RoomHead.objects.create(room=room, epoch=Install.objects.get().epoch)
    Membership.objects.bulk_create(
        Membership(room=room, user_id=number, role=role) for number, role in members
    )
    standings = {number: Standing(role) for number, role in members}
    locked = batch.rooms[room_id] = LockedRoom(
        room_id, command.kind, False, head.epoch, head.last_seq, head.messages, standings
    )
    data = {"name": command.name, "kind": command.kind, "members": members}
    event = batch.append(locked, RoomEvent.Kind.CREATE_ROOM, key, body_hash, data=data)
    return Recorded(event, locked.epoch)


def invite_user(batch: Batch, command: InviteUser, key: Key, body_hash: str, *, staff: bool) -> NewEvent:
    """Make somebody a member. Any member of a group may; nobody gives a role above the own."""
    room = _open_group(batch, key, staff=staff)
    if not staff and _RANKS[command.role] > _RANKS[room.members[key[2]].role]:
        raise RefusedWrite(ErrorCode.FORBIDDEN)
    if command.user in room.members:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "The user is already a member.")
    if not active_user_ids([command.user]):
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such user.")
    if not staff:
        check_may_be_brought([command.user])
    Membership.objects.create(room_id=room.id, user_id=command.user, role=command.role)
    room.members[command.user] = Standing(command.role)
    data = {"member": command.user, "role": command.role}
    return batch.append(room, RoomEvent.Kind.INVITE_USER, key, body_hash, data=data)


def remove_user(batch: Batch, command: RemoveUser, key: Key, body_hash: str, *, staff: bool) -> NewEvent:
    """End somebody's membership. For owners and admins of a group; an owner only by an owner."""
    room = _open_group(batch, key, staff=staff)
    removed = room.members.get(command.user)
    if not staff:
        rank = _RANKS[room.members[key[2]].role]
        if rank < _RANKS["admin"] or (removed is not None and rank < _RANKS[removed.role]):
            raise RefusedWrite(ErrorCode.FORBIDDEN)
    if removed is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "The user is not a member.")
    return _end_membership(batch, room, command.user, RoomEvent.Kind.REMOVE_USER, key, body_hash)


def leave_room(batch: Batch, key: Key, body_hash: str) -> NewEvent:
    """End one's own membership of a group."""
    room = _open_group(batch, key)
    return _end_membership(batch, room, key[2], RoomEvent.Kind.LEAVE_ROOM, key, body_hash)


def _end_membership(
    batch: Batch, room: LockedRoom, user: int, kind: RoomEvent.Kind, key: Key, body_hash: str
) -> NewEvent:
    data = {"member": user, "role": room.members.pop(user).role}
    Membership.objects.filter(room_id=room.id, user_id=user).delete()
    return batch.append(room, kind, key, body_hash, data=data)


def _open_room(batch: Batch, key: Key, *, staff: bool = False) -> LockedRoom:
    """Return the command's room. Strangers get one answer before any other, also where there is no room.

    The id of a direct room follows from its two, so any other answer tells strangers who talks to whom.
    """
    _, room_id, user = key
    room = batch.rooms.get(room_id)
    if not staff and (room is None or user not in room.members):
        raise RefusedWrite(ErrorCode.NOT_MEMBER)
    if room is None:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such room.")
    if room.is_archived:
        raise RefusedWrite(ErrorCode.ARCHIVED)
    return room


def _open_group(batch: Batch, key: Key, *, staff: bool = False) -> LockedRoom:
    room = _open_room(batch, key, staff=staff)
    if room.kind == ChatRoom.Kind.DIRECT:
        raise RefusedWrite(ErrorCode.FORBIDDEN, "The members of a direct room can't change.")
    return room


def _first_members(command: CreateRoom, user: int) -> list[tuple[int, str]]:
    others = [number for number in dict.fromkeys(command.members) if number != user]
    # The list and not the people in it: [2, 2] would be a second room of the pair (see `room_of`).
    if command.kind == "direct" and not len(command.members) == len(others) == 1:
        raise RefusedWrite(ErrorCode.BAD_VALUE, "A direct room has exactly one other member.")
    if active_user_ids([user, *others]) != {user, *others}:
        raise RefusedWrite(ErrorCode.NOT_FOUND, "There is no such user.")
    role = Membership.Role.MEMBER if command.kind == "direct" else Membership.Role.OWNER
    return [(user, role.value), *((number, Membership.Role.MEMBER.value) for number in others)]
