"""Rules of pinned messages."""

from typing import Any

from roomlog.new_event import NewEvent
from roomlog_contract.commands import PinMessage, UnpinMessage
from roomlog_contract.errors import NO_SUCH_PIN, PINNED_ALREADY, ErrorCode
from roomlog_contract.limits import PINS_PER_ROOM

from ..asked import Asked
from ..batch import Batch, LockedRoom
from ..errors import RefusedWrite
from .access import may_pin, open_room, require_target, require_unblocked


def pin_message(batch: Batch, asked: Asked[PinMessage]) -> NewEvent:
    """Put a message among the room's pinned ones. For owners and admins; in a direct room for both."""
    room = _room(batch, asked)
    target = require_target(batch, asked)
    if target.is_pinned:
        raise RefusedWrite(ErrorCode.BAD_VALUE, PINNED_ALREADY)
    if room.pins >= PINS_PER_ROOM:
        raise RefusedWrite(ErrorCode.TOO_MANY_PINS)
    return batch.append_pin(room, asked, target, is_pinned=True)


def unpin_message(batch: Batch, asked: Asked[UnpinMessage]) -> NewEvent:
    """Take a message away from the room's pinned ones. For those who may pin."""
    room = _room(batch, asked)
    target = require_target(batch, asked)
    if not target.is_pinned:
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_PIN)
    return batch.append_pin(room, asked, target, is_pinned=False)


def _room(batch: Batch, asked: Asked[Any]) -> LockedRoom:
    room = open_room(batch, asked)
    if not may_pin(room, asked):
        raise RefusedWrite(ErrorCode.FORBIDDEN)
    require_unblocked(room, asked)
    return room
