"""The rules: what each action does to a room's log. `carry_out` finds and applies them.

A rule takes the open batch and what is asked, and appends one event, or raises RefusedWrite and appends
nothing. Repeats are found first, so that exactly one event exists for each (room, sender, uuid), however
often the command comes.
"""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct

from roomlog.body_hash import ERASED, hash_of
from roomlog.frames import Event
from roomlog.models import RoomEvent
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    BanUser,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    JoinRoom,
    LeaveRoom,
    MuteUser,
    NewMessage,
    PinMessage,
    RemoveReaction,
    RemoveUser,
    RenameRoom,
    RestoreRoom,
    RoomWrite,
    SetDiscoverable,
    SetReceipts,
    SetRole,
    SetTopic,
    UnbanUser,
    UnmuteUser,
    UnpinMessage,
)
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import room_of

from ..asked import Asked
from ..batch import Batch, Wanted
from ..errors import RefusedWrite
from . import joining, members, messages, moderation, pins, rooms

RULES: Final[dict[type[RoomWrite], Callable[[Batch, Asked[Any]], Event]]] = {
    NewMessage: messages.new_message,
    EditMessage: messages.edit_message,
    DeleteMessage: messages.delete_message,
    AddReaction: messages.add_reaction,
    RemoveReaction: messages.remove_reaction,
    PinMessage: pins.pin_message,
    UnpinMessage: pins.unpin_message,
    CreateRoom: rooms.create_room,
    RenameRoom: rooms.rename_room,
    SetTopic: rooms.set_topic,
    SetReceipts: rooms.set_receipts,
    ArchiveRoom: rooms.archive_room,
    RestoreRoom: rooms.restore_room,
    SetDiscoverable: joining.set_discoverable,
    JoinRoom: joining.join_room,
    InviteUser: members.invite_user,
    RemoveUser: members.remove_user,
    LeaveRoom: members.leave_room,
    SetRole: moderation.set_role,
    MuteUser: moderation.mute_user,
    UnmuteUser: moderation.unmute_user,
    BanUser: moderation.ban_user,
    UnbanUser: moderation.unban_user,
}


class Recorded(Struct, frozen=True):
    """A command's event in the log; it has its id once the batch is stored."""

    event: Event
    epoch: str
    duplicate: bool = False


def wanted_by(command: RoomWrite, user: int) -> Wanted:
    """Return what must be read before `carry_out` can decide."""
    if isinstance(command, NewMessage):
        return Wanted(
            *(command.uuid, command.room, user),
            reply_to=command.reply_to,
            mentions=command.mentions,
            attachments=command.attachments,
        )
    member, reply_to = getattr(command, "user", None), getattr(command, "reply_to", None)
    changed, emoji = getattr(command, "message", None), getattr(command, "emoji", None)
    room, pins = room_of(command, user), isinstance(command, PinMessage)
    mentions, attachments = getattr(command, "mentions", ()), getattr(command, "attachments", ())
    return Wanted(command.uuid, room, user, member, reply_to, changed, emoji, pins, mentions, attachments)


def is_event(command: RoomWrite, user: int) -> bool:
    """Tell whether the command is in its room's log, whatever its content."""
    return RoomEvent.objects.filter(uuid=command.uuid, room=room_of(command, user), user=user).exists()


def carry_out(
    batch: Batch, command: RoomWrite, user: int, *, staff: bool = False, data: str = ""
) -> Recorded:
    """Make the command an event, or find the event that it already is.

    Raises:
        RefusedWrite: the present state does not allow it, or its uuid has another content.
        HeldElsewhere: it can't be decided just now.
    """
    asked = Asked(command, room_of(command, user), user, hash_of(command, data), staff, data)
    known = batch.known.get(asked.key)
    if known is not None:
        if known.body_hash not in (asked.body_hash, ERASED):
            raise RefusedWrite(ErrorCode.UUID_CONFLICT)
        return Recorded(known, batch.rooms[known.room_id].epoch, duplicate=True)
    before = len(batch.events)
    event = RULES[type(command)](batch, asked)
    # A rule that appends nothing has found the event that there already is.
    return Recorded(event, batch.rooms[event.room_id].epoch, duplicate=len(batch.events) == before)
