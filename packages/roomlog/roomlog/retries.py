"""Gives the command of a dead letter back to its room's worker, once people have removed what it failed by.

Beside the message's way, for moderators. The command waits as one of the api's does (`pending`), with the
uuid that it had: where it is an event all the same, the worker finds a repeat. Its place is behind what was
written since. If it fails again, it becomes a dead letter again.
"""

from typing import Final

import msgspec
from django.db import transaction

from roomlog_contract.commands import RoomWrite
from roomlog_contract.envelope import Envelope, EraseMessages, decode_envelope
from roomlog_contract.errors import RefusedCommand

from .models import DeadLetter
from .pending import request_command, store

UNREADABLE: Final = "unreadable"
NO_WRITE: Final = "not a write"


def retry(letter: DeadLetter) -> str | None:
    """Let the letter's command wait for a worker in place of the letter, in one transaction.

    Return why the letter stays: the code of a refusal, or that it has no command for a room's log. None if
    the command waits, or somebody else has retried or deleted the letter meanwhile.
    """
    try:
        envelope = decode_envelope(bytes(letter.envelope))
    except msgspec.DecodeError:
        return UNREADABLE
    if not isinstance(envelope.command, RoomWrite | EraseMessages):
        return NO_WRITE  # nobody waits for the answer of a read any more
    try:
        with transaction.atomic():
            deleted, _ = DeadLetter.objects.filter(pk=letter.pk).delete()
            if deleted:
                _request(envelope)
    except RefusedCommand as refusal:
        return refusal.code.value
    return None


def _request(envelope: Envelope) -> None:
    command = envelope.command
    if isinstance(command, EraseMessages):
        store(command.room, Envelope(command=command, user=envelope.user, staff=envelope.staff))
    elif isinstance(command, RoomWrite):
        request_command(command, envelope.user, staff=envelope.staff, data=envelope.data)
