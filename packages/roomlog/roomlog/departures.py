"""Accounts that are deleted: the person stays in the log without a name and a ban, and leaves every room.

Before the message's way. What happens is part of the deletion's transaction: it waits as commands for the
rooms' workers, which end each membership by an event of its log.
"""

from typing import Any, Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models.signals import pre_delete
from django.utils import timezone

from roomlog_contract.commands import RemoveUser
from roomlog_contract.envelope import Envelope

from .blocking import forget_blocks
from .models import Ban, Invitation, Membership, PendingCommand, Person
from .pending import row_of
from .people import system_person, user_models

DELETED_NAME: Final = "deleted account"


def connect() -> None:
    """Listen to the deletion of users; again is harmless."""
    for model in user_models():
        pre_delete.connect(on_user_deleted, sender=model, dispatch_uid="roomlog.user_deleted")


def on_user_deleted(instance: AbstractBaseUser, **_: Any) -> None:
    """Keep what the person said, without the name; who gets the same key later is somebody else.

    The person's row is locked as for a deletion: a worker that makes this person a member either has
    committed, so that the membership is seen here, or waits and finds no account any more.
    """
    key: Any = instance.pk
    mine = Person.objects.filter(user_id=key)
    with transaction.atomic():
        # First of all a write: SQLite refuses to write after a read that others have overtaken.
        mine.update(name=DELETED_NAME, avatar="", deleted_at=timezone.now())
        for person in mine.select_for_update().values_list("pk", flat=True):
            Ban.objects.filter(user=person).delete()
            Invitation.objects.filter(creator=person, revoked_at=None).update(revoked_at=timezone.now())
            forget_blocks(person)
            _leave_all_rooms(person)


def is_leaving(person: int) -> bool:
    """Tell whether workers have yet to end memberships of a deleted account."""
    return PendingCommand.objects.filter(uuid=_uuid_of(person)).exists()


def _leave_all_rooms(person: int) -> None:
    """Let the workers end the person's memberships; a sweep finds the rows, nobody is woken for each."""
    rooms = list(Membership.objects.filter(user=person).values_list("room_id", flat=True))
    if not rooms:
        return
    code = system_person().pk
    commands = (RemoveUser(uuid=_uuid_of(person), room=room, user=person) for room in rooms)
    PendingCommand.objects.bulk_create(
        row_of(command.room, Envelope(command=command, user=code, staff=True)) for command in commands
    )


def _uuid_of(person: int) -> str:
    """Return the uuid of all removals of a person: an account is deleted once, and a room is left once."""
    return f"deleted-{person}"
