"""Rules of messages."""

from typing import Any

from roomlog.new_event import NewEvent
from roomlog_contract.commands import NewMessage
from roomlog_contract.errors import ErrorCode

from ..asked import Asked
from ..batch import Batch
from ..errors import RefusedWrite
from .access import open_room


def new_message(batch: Batch, asked: Asked[NewMessage]) -> NewEvent:
    """Append a message. Members only; not while muted, not in an archived room."""
    command, room = asked.command, open_room(batch, asked)
    if not asked.is_staff and room.members[asked.user].is_muted:
        raise RefusedWrite(ErrorCode.MUTED)
    data: dict[str, Any] = {"data": asked.data} if asked.data else {}
    if command.reply_to is not None:
        answered = batch.answered.get((command.room, command.reply_to))
        if answered is None:
            raise RefusedWrite(ErrorCode.NOT_FOUND, "`reply_to` is not a message of this room.")
        data |= {"reply_to": answered, "reply_to_id": command.reply_to}
    return batch.append(room, asked, text=command.text, data=data or None)
