"""The rooms of one transaction, their heads locked: where commands become events with a seq.

Group commit: whatever arrives together is read, checked and written with a handful of statements,
however many commands there are. Must be used inside `transaction.atomic()`, which the caller owns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

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
    reply_to: int | None = None
    """The message that it answers."""

    @property
    def key(self) -> CommandKey:
        """Return what names the command for ever."""
        return (self.uuid, self.room, self.user)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member may do in a room: the part of a Membership that decides commands."""

    role: str
    muted_until: datetime | None = None


@dataclass(slots=True)
class LockedRoom:
    """A room whose head this transaction holds."""

    room: ChatRoom
    head: RoomHead
    members: dict[int, Standing] = field(default_factory=dict)
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
    messages: set[tuple[int, UUID]]
    """Ids and rooms of the messages that commands answer."""
    events: list[RoomEvent] = field(default_factory=list)
    """New events, in the order of their commands."""

    def append(
        self,
        room: LockedRoom,
        kind: RoomEvent.Kind,
        key: CommandKey,
        body_hash: str,
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

    def first_event(self, room: UUID) -> RoomEvent:
        """Return the event that made the room, perhaps in this very batch."""
        for event in self.events:
            if event.room_id == room and event.seq == 1:
                return event
        return RoomEvent.objects.get(room_id=room, seq=1)

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


def open_batch(wanted: Sequence[Wanted], now: datetime) -> Batch:
    """Lock the heads of the wanted rooms in id order and read what their commands need.

    Heads that others hold are skipped, not awaited: one locked room must not stop a shard.
    """
    if not wanted:
        return Batch(now, rooms={}, known={}, held_by_others=frozenset(), messages=set())
    room_ids = {want.room for want in wanted}
    heads = (
        RoomHead.objects.select_related("room")
        .filter(room_id__in=room_ids)
        .order_by("room_id")
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
    )
    rooms = {head.room_id: LockedRoom(head.room, head) for head in heads}
    _read_members(wanted, rooms)
    return Batch(
        now=now,
        rooms=rooms,
        known=_known(wanted),
        held_by_others=_held_by_others(room_ids - rooms.keys()),
        messages=_messages({want.reply_to for want in wanted if want.reply_to is not None}),
    )


def _read_members(wanted: Iterable[Wanted], rooms: dict[UUID, LockedRoom]) -> None:
    pairs = {(want.room, want.user) for want in wanted}
    pairs |= {(want.room, want.member) for want in wanted if want.member is not None}
    found = Membership.objects.filter(
        _one_of("room_id, user_id", [(_stored(room), user) for room, user in pairs])
    )
    for room, user, role, muted_until in found.values_list("room_id", "user_id", "role", "muted_until"):
        if room in rooms:
            rooms[room].members[user] = Standing(role, muted_until)


def _known(wanted: Iterable[Wanted]) -> dict[CommandKey, RoomEvent]:
    keys = {(want.uuid, _stored(want.room), want.user) for want in wanted}
    rows = RoomEvent.objects.filter(_one_of("uuid, room_id, user_id", list(keys))).order_by()
    return {(row.uuid, row.room_id, row.user_id): row for row in rows}


def _messages(ids: set[int]) -> set[tuple[int, UUID]]:
    if not ids:
        return set()
    rows = RoomEvent.objects.filter(pk__in=ids, kind=RoomEvent.Kind.NEW_MESSAGE)
    return set(rows.values_list("pk", "room_id"))


def _held_by_others(missing: set[UUID]) -> frozenset[UUID]:
    if not missing:
        return frozenset()
    return frozenset(RoomHead.objects.filter(room_id__in=missing).values_list("room_id", flat=True))


def _one_of(columns: str, rows: Sequence[tuple[object, ...]]) -> RawSQL:
    """Return the condition that the columns together are one of the rows.

    An `IN` for each column would find their product: all the thousands of commands that were called "1" by
    somebody somewhere, or everybody who is in any of the rooms.
    """
    row = f"({', '.join(['%s'] * len(rows[0]))})"
    condition = f"({columns}) IN (VALUES {', '.join([row] * len(rows))})"
    return RawSQL(condition, list(chain.from_iterable(rows)), BooleanField())  # noqa: S611 - names are ours


def _stored(room: UUID) -> object:
    """Return the id as the database keeps it: SQLite has no type for it."""
    return room if connection.features.has_native_uuid_field else room.hex
