"""The rooms of one transaction, their heads locked: where commands become events with a seq.

Group commit: whatever arrives together is read, checked and written with a handful of statements,
however many commands there are. Must be used inside `transaction.atomic()`, which the caller owns.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from .models import ChatRoom, Membership, RoomEvent, RoomHead

CommandKey = tuple[str, UUID, int]
"""uuid, room, user: what names a command for ever."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one command needs to see of the database before it can be decided."""

    uuid: str
    room: UUID
    user: int
    member: int | None = None
    """The user whom it concerns besides its sender."""

    @property
    def key(self) -> CommandKey:
        """Return what names the command for ever."""
        return (self.uuid, self.room, self.user)


@dataclass(slots=True)
class LockedRoom:
    """A room whose head this transaction holds."""

    room: ChatRoom
    head: RoomHead
    members: dict[int, Membership] = field(default_factory=dict)
    """Of the users that the batch's commands name; others were not read."""


@dataclass(slots=True)
class Batch:
    """The state of a transaction that writes events. Not for use by two threads."""

    now: datetime
    rooms: dict[UUID, LockedRoom]
    known: dict[CommandKey, RoomEvent]
    """Commands that already are events, of earlier transactions and of this one."""
    held_by_others: frozenset[UUID]
    """Rooms whose heads somebody else has locked: their commands wait for the next batch."""
    events: list[RoomEvent] = field(default_factory=list)
    """New events, in the order of their commands."""

    def append(
        self,
        room: LockedRoom,
        kind: RoomEvent.Kind,
        key: CommandKey,
        body_hash: bytes,
        *,
        text: str = "",
        data: dict[str, Any] | None = None,
    ) -> RoomEvent:
        """Give the command the next place in the room's log."""
        uuid, room_id, user = key
        room.head.last_seq += 1
        if is_message := kind == RoomEvent.Kind.NEW_MESSAGE:
            room.head.messages += 1
        event = RoomEvent(
            room_id=room_id,
            seq=room.head.last_seq,
            number=room.head.messages if is_message else None,
            kind=kind,
            user_id=user,
            uuid=uuid,
            body_hash=body_hash,
            text=text,
            data=data,
            date_created=self.now,
        )
        self.events.append(event)
        self.known[key] = event
        return event

    def store(self) -> None:
        """Insert the new events and move the heads; ids of the events are set from here on."""
        if not self.events:
            return
        RoomEvent.objects.bulk_create(self.events)
        moved = {event.room_id for event in self.events}
        RoomHead.objects.bulk_create(
            [self.rooms[room].head for room in sorted(moved)],
            update_conflicts=True,
            unique_fields=["room"],
            update_fields=["last_seq", "messages"],
        )


def open_batch(wanted: Iterable[Wanted], now: datetime) -> Batch:
    """Lock the heads of the wanted rooms in id order and read what their commands need.

    Heads that others hold are skipped, not awaited: one locked room must not stop a shard.
    """
    wanted = list(wanted)
    room_ids = {want.room for want in wanted}
    heads = (
        RoomHead.objects.select_related("room")
        .filter(room_id__in=room_ids)
        .order_by("room_id")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
    )
    rooms = {head.room_id: LockedRoom(head.room, head) for head in heads}
    for member in _memberships(wanted, rooms):
        rooms[member.room_id].members[member.user_id] = member
    return Batch(
        now=now, rooms=rooms, known=_known(wanted), held_by_others=_held_by_others(room_ids - rooms.keys())
    )


def _memberships(wanted: list[Wanted], rooms: Mapping[UUID, LockedRoom]) -> Iterable[Membership]:
    users = {want.user for want in wanted} | {want.member for want in wanted if want.member}
    return Membership.objects.filter(room_id__in=rooms.keys(), user_id__in=users)


def _known(wanted: list[Wanted]) -> dict[CommandKey, RoomEvent]:
    keys = {want.key for want in wanted}
    rows = RoomEvent.objects.filter(uuid__in={want.uuid for want in wanted})
    found = {(row.uuid, row.room_id, row.user_id): row for row in rows}
    return {key: row for key, row in found.items() if key in keys}


def _held_by_others(missing: set[UUID]) -> frozenset[UUID]:
    if not missing:
        return frozenset()
    return frozenset(RoomHead.objects.filter(room_id__in=missing).values_list("room_id", flat=True))


def first_event(room: UUID) -> RoomEvent:
    """Return the event that made the room."""
    return RoomEvent.objects.get(Q(room_id=room) & Q(seq=1))
