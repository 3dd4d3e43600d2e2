"""Commands that arrive with a transaction instead of a socket: the api's, and those of your own code.

The command is a row of the caller's transaction: it happens exactly if that commits, with Redis up or
down. Its shard's owner carries it out and deletes the row. Nothing here writes a room's log or talks to
Redis; `command_pending` tells whoever can wake the owner sooner than its sweep of each second.
"""

from typing import Final, cast
from uuid import UUID, uuid4

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.dispatch import Signal

from roomlog_contract.codec import decode_command, encode_frame
from roomlog_contract.commands import NewMessage, RoomWrite, action_of
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.shards import room_of, shard_of_room

from .foreseen import refuse_a_crowd, refuse_a_missing_room, refuse_the_impossible
from .models import PendingCommand
from .people import person_of

command_pending: Final = Signal()
"""Sent after the commit with `shard`: a row waits for the shard's owner."""


def request_command(command: RoomWrite, user_id: int, *, staff: bool = False, is_bounded: bool = True) -> str:
    """Ask for an event of a room's log in the caller's transaction and return the command's uuid.

    Repeating a uuid is safe: the event exists once. What the room's state forbids (not a member, muted)
    is found only by the worker, which then drops the command; `staff` says that rights were checked here.
    `user_id` is a person's (`people.person_of`, `people.system_person`).
    `is_bounded` is for people's requests, which can come again: they are refused while too many wait.

    Raises:
        RefusedCommand: no client could have sent it either (empty or too long text, NUL and the like), it is
            sure to be refused later, or too many wait (`busy`).
    """
    command = _checked(command)
    refuse_the_impossible(command, user_id)
    room = room_of(command, user_id)
    shard = shard_of_room(room)
    if is_bounded:
        refuse_a_crowd(shard)
    PendingCommand.objects.create(
        shard=shard,
        room=room,
        user_id=user_id,
        uuid=command.uuid,
        envelope=encode(Envelope(command=command, user=user_id, staff=staff)),
    )
    _wake_after_commit(shard)
    return command.uuid


def post(room_id: UUID, user: AbstractBaseUser, text: str, *, uuid: str | None = None) -> str:
    """Say something in a room as one of its members, a user of your own, and return the message's uuid.

    Give the uuid of what you post about (an order's, a job's) and a repeated task posts once.

    Raises:
        RefusedCommand: the text is empty or too long, or holds what can't be stored; there is no such room,
            and nothing waits that makes it; the uuid was used for another text.
    """
    refuse_a_missing_room(room_id)
    # Not bounded: your transaction would fail for a crowd that is not yours.
    message = NewMessage(uuid=uuid or uuid4().hex, room=room_id, text=text)
    return request_command(message, person_of(user).pk, is_bounded=False)


def _wake_after_commit(shard: int) -> None:
    def wake() -> None:  # no partial: Django's report of a failing hook asks for its __qualname__
        command_pending.send(PendingCommand, shard=shard)

    transaction.on_commit(wake, robust=True)


def _checked(command: RoomWrite) -> RoomWrite:
    """Return the command as the gateway would have read it from a socket: one gate for both ways in."""
    try:
        frame = encode_frame(command).decode()
    except UnicodeEncodeError:
        raise RefusedCommand(
            ErrorCode.BAD_VALUE, "Text contains half a surrogate pair.", action=action_of(command)
        ) from None
    return cast(RoomWrite, decode_command(frame))
