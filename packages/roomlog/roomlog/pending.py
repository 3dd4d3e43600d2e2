"""Commands that arrive with a transaction instead of a socket: the api's, and those of `rooms`.

The command is a row of the caller's transaction: it happens exactly if that commits, with Redis up or
down. Its shard's owner carries it out and deletes the row. Nothing here writes a room's log or talks to
Redis; `command_pending` tells whoever can wake the owner sooner than its sweep of each second.
"""

from typing import Final, cast
from uuid import UUID

from django.db import connections, transaction
from django.dispatch import Signal

from roomlog_contract.codec import decode_command, encode_frame
from roomlog_contract.commands import RoomWrite, action_of
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.shards import room_of

from .configuration import configuration
from .foreseen import refuse_a_crowd, refuse_the_impossible
from .install_shards import agree_on_shards
from .models import PendingCommand

command_pending: Final = Signal()
"""Sent after the commit with `shard`: a row waits for the shard's owner."""


def request_command(
    command: RoomWrite, user_id: int, *, staff: bool = False, is_bounded: bool = True, data: str = ""
) -> str:
    """Ask for an event of a room's log in the caller's transaction and return the command's uuid.

    Repeating a uuid is safe: the event exists once. What the room's state forbids (not a member, muted)
    is found only by the worker, which then drops the command; `staff` says that rights were checked here.
    `user_id` is a person's (`people.person_of`, `people.system_person`).
    `data` goes with a message, as text (`codec.data_text`).
    `is_bounded` is for people's requests, which can come again: they are refused while too many wait.

    Raises:
        RefusedCommand: no client could have sent it either (empty or too long text, NUL and the like), it is
            sure to be refused later, or too many wait (`busy`).
    """
    command = _checked(command)
    refuse_the_impossible(command, user_id, data)
    room = room_of(command, user_id)
    if is_bounded:
        refuse_a_crowd(configuration().keyspace.shard_of_room(room))
    store(room, Envelope(command=command, user=user_id, staff=staff, data=data))
    return command.uuid


def store(room: UUID, envelope: Envelope) -> None:
    """Let a command wait for the owner of the room's shard, from the caller's commit on."""
    row = row_of(room, envelope)
    row.save()
    _wake_after_commit(row.shard)


def row_of(room: UUID, envelope: Envelope) -> PendingCommand:
    """Return a command for the owner of the room's shard, as a row that is not stored yet.

    Raises:
        SettingError: this process counts other shards than the install has; nobody would find the row.
    """
    keyspace = configuration().keyspace
    agree_on_shards(keyspace.shards)
    return PendingCommand(
        shard=keyspace.shard_of_room(room),
        room=room,
        user_id=envelope.user,
        uuid=envelope.command.uuid,
        envelope=encode(envelope),
    )


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


def wait_for_earlier_calls(database: str, room_id: UUID) -> None:
    """Hold a lock of the room until the transaction ends: rows get their ids in the order of their commits.

    No row is locked: a worker that writes the room must never wait for somebody's transaction. SQLite lets
    one transaction write at a time.
    """
    connection = connections[database]
    if connection.vendor == "postgresql":
        key = int.from_bytes(room_id.bytes[:8], signed=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
