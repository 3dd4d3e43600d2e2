"""Rules of messages."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from roomlog.configuration import configuration
from roomlog.models import Membership
from roomlog.new_event import NewEvent
from roomlog_contract.commands import AddReaction, DeleteMessage, EditMessage, NewMessage, RemoveReaction
from roomlog_contract.errors import (
    NO_ANSWERED_MESSAGE,
    NO_SUCH_ATTACHMENT,
    NO_SUCH_MENTIONED,
    NO_SUCH_REACTION,
    NOT_THE_AUTHOR,
    NOT_THE_WHOLE_ROOM,
    REACTED_ALREADY,
    ErrorCode,
)
from roomlog_contract.limits import REACTIONS_PER_MESSAGE, ROOM_MENTION_MEMBERS

from ..asked import Asked
from ..batch import Batch, LockedRoom
from ..erasure import scrub
from ..errors import RefusedWrite
from .access import may_pin, open_room, require_a_say, require_group, require_role, require_target

TOO_LATE: Final = "The message is too old to be edited."


def new_message(batch: Batch, asked: Asked[NewMessage]) -> NewEvent:
    """Append a message. Members but readers; not while muted, not in an archived room."""
    command, room = asked.command, open_room(batch, asked)
    require_a_say(room, asked)
    data: dict[str, Any] = {"data": asked.data} if asked.data else {}
    if command.reply_to is not None:
        answered = batch.answered.get((command.room, command.reply_to))
        if answered is None:
            raise RefusedWrite(ErrorCode.NOT_FOUND, NO_ANSWERED_MESSAGE)
        data |= {"reply_to": answered, "reply_to_id": command.reply_to}
    data |= _mentions(room, asked)
    if command.attachments:
        data["attachments"] = _attachments(batch, asked)
    event = batch.append(room, asked, text=command.text, data=data or None)
    batch.mention(room, asked, None, event.seq)
    batch.claim(asked, event)
    return event


def edit_message(batch: Batch, asked: Asked[EditMessage]) -> NewEvent:
    """Give a message another text and other mentions, within the window.

    The author only; no reader, not while muted.
    """
    command, room = asked.command, open_room(batch, asked)
    require_a_say(room, asked)
    target = require_target(batch, asked)
    if target.author != asked.user:
        raise RefusedWrite(ErrorCode.FORBIDDEN, NOT_THE_AUTHOR)
    window = configuration().edit_window_seconds
    is_late = window is not None and batch.now - target.date_created > timedelta(seconds=window)
    if is_late and not asked.is_staff:
        raise RefusedWrite(ErrorCode.FORBIDDEN, TOO_LATE)
    data = target.reference | _mentions(room, asked)
    event = batch.append(room, asked, text=command.text, data=data, target=target.seq)
    batch.edited[room.id, target.seq] = event.seq
    batch.mention(room, asked, target, target.seq)
    return event


def delete_message(batch: Batch, asked: Asked[DeleteMessage]) -> NewEvent:
    """Take the text out of a message, for good. The author, muted or not; in a group owners and admins.

    Raises:
        HeldElsewhere: this very batch edits the message.
    """
    room = open_room(batch, asked)
    target = require_target(batch, asked)
    if target.author != asked.user and not asked.is_staff:
        require_group(room)
        require_role(room, asked, "admin")
    scrub(batch, room.id, [target.seq])
    return batch.append(room, asked, data=target.reference, target=target.seq)


def add_reaction(batch: Batch, asked: Asked[AddReaction]) -> NewEvent:
    """Put an emoji below a message. Members but readers; not while muted, once with the same emoji."""
    room, emoji = open_room(batch, asked), asked.command.emoji
    require_a_say(room, asked)
    target = require_target(batch, asked)
    if (asked.user, emoji) in target.reactors:
        raise RefusedWrite(ErrorCode.BAD_VALUE, REACTED_ALREADY)
    if emoji not in target.reactions and len(target.reactions) >= REACTIONS_PER_MESSAGE:
        raise RefusedWrite(ErrorCode.TOO_MANY_REACTIONS)
    return batch.append_reaction(room, asked, target, is_added=True)


def remove_reaction(batch: Batch, asked: Asked[RemoveReaction]) -> NewEvent:
    """Take one's own emoji away from below a message. Members only, muted or not."""
    room = open_room(batch, asked)
    target = require_target(batch, asked)
    if (asked.user, asked.command.emoji) not in target.reactors:
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_REACTION)
    return batch.append_reaction(room, asked, target, is_added=False)


def _attachments(batch: Batch, asked: Asked[NewMessage]) -> list[tuple[str | int | None, ...]]:
    """Return what the log keeps of the message's files; refuse any that its sender may not claim."""
    files = [batch.unclaimed.get(file) for file in asked.command.attachments]
    if any(file is None or file.user_id != asked.user or file.room_id != asked.room for file in files):
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_ATTACHMENT)
    return [file.described for file in files if file is not None]


def _mentions(room: LockedRoom, asked: Asked[Any]) -> dict[str, Any]:
    """Return what the log keeps of the mentions; refuse to mention somebody who would not be told."""
    command, data = asked.command, dict[str, Any]()
    if command.mentions:
        _require_members(room, command.mentions)
        data["mentions"] = command.mentions
    if command.mentions_room:
        if not (may_pin(room, asked) or _is_small(room)):
            raise RefusedWrite(ErrorCode.FORBIDDEN, NOT_THE_WHOLE_ROOM)
        data["mentions_room"] = True
    return data


def _require_members(room: LockedRoom, mentions: Sequence[int]) -> None:
    if not room.members.keys() >= set(mentions):
        raise RefusedWrite(ErrorCode.NOT_FOUND, NO_SUCH_MENTIONED)


def _is_small(room: LockedRoom) -> bool:
    """Tell whether so few are in the room that all of them may mention all."""
    members = Membership.objects.filter(room=room.id).order_by()
    return members[: ROOM_MENTION_MEMBERS + 1].count() <= ROOM_MENTION_MEMBERS
