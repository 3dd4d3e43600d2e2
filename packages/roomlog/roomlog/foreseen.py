"""What is sure to be refused of a command that arrives with a transaction, told before it waits.

Reads only, without locks. The worker decides as before; this only spares its sender a 202 for nothing.
"""

from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from roomlog_contract.commands import (
    CreateRoom,
    EditMessage,
    MessageChange,
    NewMessage,
    RoomWrite,
    action_of,
)
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.errors import (
    NO_ANSWERED_MESSAGE,
    NO_SUCH_ATTACHMENT,
    NO_SUCH_MESSAGE,
    NOT_THE_AUTHOR,
    ErrorCode,
    RefusedCommand,
)
from roomlog_contract.shards import room_of

from .attachment import claimable
from .body_hash import ERASED, hash_of
from .configuration import configuration
from .models import ChatMessage, ChatRoom, PendingCommand, RoomEvent

PENDING_IN_A_SHARD: Final = 1_000
"""Commands that wait for one shard's owner: four of its sweeps. Over it people are told to come back."""


def refuse_the_impossible(command: RoomWrite, user_id: int, data: str = "") -> None:
    """Refuse a uuid that was used for another content, and what answers or changes no message of the room.

    Raises:
        RefusedCommand: it can't become an event, whatever happens before its turn.
    """
    same: dict[str, Any] = {"uuid": command.uuid, "room": room_of(command, user_id), "user": user_id}
    stored = RoomEvent.objects.filter(**same).values_list("body_hash", flat=True).first()
    if stored is not None:
        if stored not in (hash_of(command, data), ERASED) and not _is_direct(command):
            raise _refused(command, ErrorCode.UUID_CONFLICT)
        return
    if any(_differs(bytes(row.envelope), command, data) for row in _pending(same["room"]).filter(**same)[:1]):
        raise _refused(command, ErrorCode.UUID_CONFLICT)
    if isinstance(command, NewMessage) and not _has_what_it_answers(command):
        raise _refused(command, ErrorCode.NOT_FOUND, NO_ANSWERED_MESSAGE)
    if isinstance(command, NewMessage) and not _has_what_it_brings(command, user_id):
        raise _refused(command, ErrorCode.NOT_FOUND, NO_SUCH_ATTACHMENT)
    if isinstance(command, MessageChange):
        _refuse_a_wrong_target(command, user_id)


def refuse_a_missing_room(room: UUID) -> None:
    """Refuse a room that is not there, unless something waits that may make it.

    Raises:
        RefusedCommand: with `not_member`, as for every room that one is not in.
    """
    if (
        not ChatRoom.objects.filter(pk=room).exists()
        and not PendingCommand.objects.filter(room=room).exists()
    ):
        raise RefusedCommand(ErrorCode.NOT_MEMBER, action="new_message")


def refuse_a_crowd(shard: int) -> None:
    """Refuse while too many commands wait for the shard's owner.

    Raises:
        RefusedCommand: with `busy`; nothing was written.
    """
    if PendingCommand.objects.filter(shard=shard).order_by("id")[PENDING_IN_A_SHARD - 1 :].exists():
        raise RefusedCommand(ErrorCode.BUSY)


def _pending(room: UUID) -> QuerySet[PendingCommand]:
    """Return what waits for the room; by its shard too, which has the index."""
    return PendingCommand.objects.filter(shard=configuration().keyspace.shard_of_room(room), room=room)


def _has_what_it_answers(command: NewMessage) -> bool:
    answered = command.reply_to
    return answered is None or ChatMessage.objects.filter(pk=answered, room=command.room).exists()


def _has_what_it_brings(command: NewMessage, user_id: int) -> bool:
    files = claimable(command.room, user_id, command.attachments)
    return not command.attachments or files.count() == len(command.attachments)


def _refuse_a_wrong_target(command: MessageChange, user_id: int) -> None:
    messages = ChatMessage.objects.filter(pk=command.message, room=command.room, deleted_at=None)
    author = messages.values_list("user", flat=True).first()
    if author is None:
        raise _refused(command, ErrorCode.NOT_FOUND, NO_SUCH_MESSAGE)
    if isinstance(command, EditMessage) and author != user_id:
        raise _refused(command, ErrorCode.FORBIDDEN, NOT_THE_AUTHOR)


def _refused(command: RoomWrite, code: ErrorCode, message: str | None = None) -> RefusedCommand:
    return RefusedCommand(code, message, uuid=command.uuid, action=action_of(command))


def _is_direct(command: RoomWrite) -> bool:
    """Tell whether another content is the same room: a pair's is made only once."""
    return isinstance(command, CreateRoom) and command.kind == "direct"


def _differs(value: bytes, command: RoomWrite, data: str) -> bool:
    try:
        envelope = decode_envelope(value)
        return (envelope.command, envelope.data) != (command, data)
    except msgspec.DecodeError:
        return False
