"""Who is in the tests' rooms, and how a command reaches the log without a worker around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Self
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from rest_framework.authtoken.models import Token

from roomlog.models import PendingCommand
from roomlog.people import person_of
from roomlog.rooms import post
from roomlog_contract.commands import CreateRoom, NewMessage, RoomWrite
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import room_of
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch, open_batch
from roomlog_worker.log.errors import RefusedWrite
from roomlog_worker.log.rules import Recorded

Result = Recorded | ErrorCode
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class People:
    """Three people, by id."""

    alice: int
    bob: int
    carol: int

    @classmethod
    def make(cls) -> Self:
        """Write them into the database."""
        return cls(*(add_user(name) for name in cls.__slots__))


def add_user(name: str, *, is_active: bool = True, key: int | None = None) -> int:
    """Return the id of a new user's person; `key` is the user's own."""
    return id_of(User.objects.create(pk=key, username=name, is_active=is_active))


def id_of(user: User) -> int:
    """Return the id of a user's person: the wire's."""
    return person_of(user).pk


def make_token(person: int) -> Token:
    """Return a new token of a person's user."""
    return Token.objects.create(user=User.objects.get(roomlog_person=person))


def post_as(
    room: UUID, person: int, text: str, *, uuid: str | None = None, data: Mapping[str, Any] | None = None
) -> str:
    """Say something as a project's own code does, for a person's user."""
    return post(room, User.objects.get(roomlog_person=person), text, uuid=uuid, data=data)


def write(*commands: tuple[RoomWrite, int], staff: bool = False, data: str = "") -> list[Result]:
    """Do what a worker does in one transaction; returns an event or an error code for each command."""
    with transaction.atomic():
        batch = open_batch([rules.wanted_by(command, user) for command, user in commands], timezone.now())
        results = [_carry_out(batch, command, user, staff, data) for command, user in commands]
        batch.store()
    return results


def write_one(command: RoomWrite, user: int, *, staff: bool = False, data: str = "") -> Result:
    """Write a batch of one."""
    return write((command, user), staff=staff, data=data)[0]


def written(command: RoomWrite, user: int, *, staff: bool = False, data: str = "") -> Recorded:
    """Write a command that must succeed."""
    result = write_one(command, user, staff=staff, data=data)
    assert isinstance(result, Recorded), result
    return result


def make_room(owner: int, members: Sequence[int] = ()) -> UUID:
    """Return a group that was made by a command, by staff: no limit of the wire counts for it."""
    command = CreateRoom(uuid=f"make-{next(_numbers)}", name="lobby", members=list(members))
    written(command, owner, staff=True)
    return room_of(command, owner)


def work_off() -> None:
    """Do a worker's step with the commands that wait; all of them must succeed."""
    for row in PendingCommand.objects.order_by("id"):
        envelope = decode_envelope(bytes(row.envelope))
        assert isinstance(envelope.command, RoomWrite)
        written(envelope.command, envelope.user, staff=envelope.staff, data=envelope.data)
        row.delete()


def message(
    room: UUID, text: str = "hi", *, uuid: str | None = None, reply_to: int | None = None
) -> NewMessage:
    """Return a command, with a uuid of its own unless one is given."""
    return NewMessage(uuid=uuid or f"message-{next(_numbers)}", room=room, text=text, reply_to=reply_to)


def _carry_out(batch: Batch, command: RoomWrite, user: int, staff: bool, data: str) -> Result:
    try:
        return rules.carry_out(batch, command, user, staff=staff, data=data)
    except RefusedWrite as refused:
        return refused.code
