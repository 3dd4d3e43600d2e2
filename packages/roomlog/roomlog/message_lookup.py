"""Where is my message? From a command's uuid to its place: in a log, waiting, or given up.

Beside the message's way, for people who ask. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import Any, Final
from uuid import UUID

import msgspec

from roomlog.models import DeadLetter, PendingCommand, RoomEvent
from roomlog_contract.envelope import decode_envelope

MAX_ROWS: Final = 20
"""Of each kind: a uuid is unique per sender and room, and nobody looks through more."""


class State(StrEnum):
    """What became of a command."""

    STORED = "stored"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Place:
    """One row that holds the command."""

    state: State
    row: int
    """The id of the event, the pending command or the dead letter."""
    action: str
    user: int
    """0 where a dead letter can't be read."""
    room: UUID | None
    seq: int | None = None
    """Of a stored one."""
    at: datetime | None = None
    """When it was stored, began to wait, or was given up."""
    error: str = ""
    """The class of the exception for which it was given up."""


def places_of(uuid: str, user: int | None = None) -> list[Place]:
    """Return every place of this uuid, stored ones first. Nowhere means refused, or not received yet.

    Args:
        user: whose commands; None for everybody's. Others may use the same uuid as often as they like.
    """
    if "\0" in uuid:  # no command's, and PostgreSQL refuses to look for it
        return []
    theirs: dict[str, Any] = {"uuid": uuid} if user is None else {"uuid": uuid, "user": user}
    failed = (place for place in _failed(uuid) if user in (None, place.user))
    return list(chain(_stored(theirs), _pending(theirs), failed))


def _stored(theirs: dict[str, Any]) -> Iterator[Place]:
    for event in RoomEvent.objects.filter(**theirs).order_by("id")[:MAX_ROWS]:
        yield Place(
            State.STORED, event.id, event.kind, event.user_id, event.room_id, event.seq, event.date_created
        )


def _pending(theirs: dict[str, Any]) -> Iterator[Place]:
    for row in PendingCommand.objects.filter(**theirs).order_by("id")[:MAX_ROWS]:
        yield Place(State.PENDING, row.id, "", row.user_id, row.room, at=row.date_created)


def _failed(uuid: str) -> Iterator[Place]:
    for row in DeadLetter.objects.filter(uuid=uuid).order_by("id")[:MAX_ROWS]:
        yield Place(
            State.FAILED, row.id, row.action, _sender(row), row.room, None, row.date_created, row.error
        )


def _sender(row: DeadLetter) -> int:
    try:
        return decode_envelope(bytes(row.envelope)).user
    except msgspec.DecodeError:
        return 0
