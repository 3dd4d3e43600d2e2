"""Tells the project of a room's messages, for those members who are away: sends `message_missed`.

After the message's way. The room's cursor moves when the project's receivers have returned: at least once, in
the order of the log. Whatever is raised here is tried again later, for this room alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from roomlog.blocking import blocks_against
from roomlog.configuration import configuration
from roomlog.frames import parsed
from roomlog.models import ChatMessage, Membership, RoomHead, RoomTold
from roomlog.people import is_active
from roomlog.presence import present
from roomlog.selectors import in_present_state, messages_after
from roomlog.signals import message_missed
from roomlog_contract.events import Message

from . import metrics

AT_ONCE: Final = 20
"""Messages for which members and connections are looked up together."""


def tell(room: UUID, may_go_on: Callable[[], bool]) -> float | None:
    """Tell of the room's next messages that are old enough; return after how many seconds there may be more.

    None if nothing is left, `may_go_on` says no, or another process has moved the cursor.

    Raises whatever the project's receivers, the database and Redis raise.
    """
    cursor = _Cursor.of(room)
    last: int = RoomHead.objects.values_list("last_seq", flat=True).get(pk=room)
    messages = messages_after(room, cursor.seq, AT_ONCE)
    oldest = timezone.now() - timedelta(seconds=configuration().away_seconds)
    ripe = [message for message in messages if message.date_created <= oldest]
    for message, users in _for_whom(room, ripe):
        if not may_go_on():
            return None
        message_missed.send(ChatMessage, room=room, message=message, users=users)
        ripe_at = message.timestamp_ms / 1_000 + configuration().away_seconds
        metrics.LATE_SECONDS.observe(max(0.0, timezone.now().timestamp() - ripe_at))
        if not cursor.move(message.seq):
            return None
    if young := messages[len(ripe) :]:
        cursor.move(young[0].seq - 1)
        return (young[0].date_created - oldest).total_seconds()
    is_all = len(messages) < AT_ONCE
    cursor.move(last if is_all else messages[-1].seq)
    return None if is_all else 0.0


@dataclass(slots=True)
class _Cursor:
    """How far the project was told of a room."""

    room: UUID
    seq: int

    @classmethod
    def of(cls, room: UUID) -> "_Cursor":
        row, _ = RoomTold.objects.get_or_create(room_id=room)
        return cls(room, row.seq)

    def move(self, seq: int) -> bool:
        """Move on to this seq; False if another process has moved the cursor."""
        if seq <= self.seq:
            return True
        is_moved = RoomTold.objects.filter(room=self.room, seq=self.seq).update(seq=seq) == 1
        self.seq = seq
        return is_moved


def _for_whom(room: UUID, rows: list[ChatMessage]) -> list[tuple[Message, list[Any]]]:
    """Return those messages of which somebody who is away wants to be told, with the keys of these users.

    That is nobody who has read it, nobody who has blocked its author, and by their level of notifications.
    """
    if not rows:
        return []
    members = Membership.objects.filter(is_active("user__user"), room=room)
    members = members.exclude(notify=Membership.Notify.NONE).order_by("id")
    found_members = list(members.values_list("user_id", "user__user_id", "read_seq", "notify"))
    here = present([person for person, *_ in found_members])
    messages = [message for message in in_present_state(rows) if not message.deleted]
    blocks = blocks_against({one.user.id for one in messages}, {person for person, *_ in found_members})
    away = [member for member in found_members if member[0] not in here]
    found = (
        (
            parsed(message),
            [
                key
                for person, key, read_seq, notify in away
                if person != message.user.id
                and (person, message.user.id) not in blocks
                and read_seq < message.seq
                and (notify == Membership.Notify.ALL or _is_meant(person, message))
            ],
        )
        for message in messages
    )
    return [(message, users) for message, users in found if users]


def _is_meant(person: int, message: Message) -> bool:
    return person in message.mentions or message.mentions_room is True
