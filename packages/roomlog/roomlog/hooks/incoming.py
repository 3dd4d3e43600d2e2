"""What an incoming hook says in its room: a message of code, as `rooms.post_as` writes one.

Before the message's way: the command takes the way of every other. It happens once for each uuid that the
sender gives, and the uuids of two hooks have nothing to do with each other.
"""

import hmac
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec

from roomlog.models import IncomingHook
from roomlog.pending import request_command
from roomlog.people import person_of_code
from roomlog.shown_once import digest_of, new_secret
from roomlog_contract.commands import NewMessage
from roomlog_contract.errors import ErrorCode, RefusedCommand

NOBODYS: Final = digest_of("")
"""Compared with where there is no such hook, so that the answer takes as long."""


def make_hook(hook: IncomingHook, name: str) -> str:
    """Store a new hook, which posts under this name; return its secret, which nobody can read again."""
    secret = new_secret()
    hook.person, hook.digest = person_of_code(name), digest_of(secret)
    hook.save(force_insert=True)
    return secret


def hook_of(number: UUID, secret: str) -> IncomingHook | None:
    """Return the hook of this address; None if it is unknown, revoked, or the secret is wrong."""
    hook = IncomingHook.objects.select_related("room").filter(pk=number).first()
    expected = NOBODYS if hook is None else hook.digest
    return hook if hmac.compare_digest(expected, digest_of(secret)) else None


def say(hook: IncomingHook, message: NewMessage) -> str:
    """Ask for the message in the hook's room and return its uuid in the log.

    Raises:
        RefusedCommand: as `pending.request_command`; the room is archived.
    """
    if hook.room.archived_at is not None:
        raise RefusedCommand(ErrorCode.ARCHIVED, uuid=message.uuid)
    uuid = blake2b(hook.pk.bytes + message.uuid.encode(), digest_size=16).hexdigest()
    return request_command(msgspec.structs.replace(message, uuid=uuid), hook.person_id, staff=True)
