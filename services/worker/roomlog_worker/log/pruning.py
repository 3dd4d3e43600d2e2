"""Removes the beginning of a room's log, with all that hangs on it: what is kept no longer.

Beside the rules, under the same locks. An event refers to earlier ones alone, so what stays needs nothing of
what goes. The event that made the room stays: it answers whoever makes the room again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final
from uuid import UUID

from roomlog.models import Mention, MessageReport, Reaction, RoomEvent, RoomHead, RoomMention
from roomlog.retention import retention_of
from roomlog.search.index import forget

EVENTS_AT_ONCE: Final = 500
"""In one transaction: tens of milliseconds, for which the writer waits."""
MAKING: Final = 1
"""The seq of the event that made the room."""
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one transaction removed."""

    events: int
    has_more: bool
    """There may be more that is kept no longer."""


def prune(room: UUID, now: datetime) -> Pruned:
    """Remove the oldest events of a room whose head the caller has locked, and move its horizon."""
    days = retention_of(room).days_kept
    if days is None:
        return Pruned(0, has_more=False)
    oldest = _oldest_events(room)
    due = list(takewhile(lambda event: event.date_created < now - days * DAY, oldest))
    if due:
        _remove(room, due)
    return Pruned(len(due), has_more=len(due) == EVENTS_AT_ONCE)


def _oldest_events(room: UUID) -> list[RoomEvent]:
    first_seq = RoomHead.objects.values_list("first_seq", flat=True).get(room=room)
    events = RoomEvent.objects.filter(room=room, seq__gte=first_seq).order_by("seq")
    return list(events.only("seq", "number", "date_created")[:EVENTS_AT_ONCE])


def _remove(room: UUID, due: list[RoomEvent]) -> None:
    last, numbers = due[-1].seq, [event.number for event in due if event.number is not None]
    forget(room, [event.seq for event in due if event.number is not None])
    for beside in (Reaction, Mention, RoomMention, MessageReport):
        beside.objects.filter(room=room, target__lte=last).delete()
    RoomEvent.objects.filter(room=room, seq__gt=MAKING, seq__lte=last).delete()
    pruned = {"pruned_messages": numbers[-1]} if numbers else {}
    RoomHead.objects.filter(room=room).update(first_seq=last + 1, **pruned)
