"""Shared reads: what services, the api and workers ask of the database. Nothing here writes or locks."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import (
    BooleanField,
    Case,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Least, Now

from roomlog_contract.events import Message, RoomSummary, User
from roomlog_contract.limits import PINS_PER_ROOM, UNREAD_COUNTED, UNREAD_LOOKED_AT

from .ban import Ban, lasting
from .compiled import CompiledQuery, among
from .frames import Event, Reacted, message_of, named_in
from .models import ChatMessage, Install, Membership, Person, RoomEvent, RoomHead
from .people import is_active
from .reactions import reactions_to

Place = tuple[UUID, int]
"""A room and a seq."""


def database_seconds() -> float:
    """Return the database's clock in seconds since 1970: the one clock that all processes share."""
    now: datetime = Install.objects.values_list(Now(), flat=True).get()
    return now.timestamp()


def users_by_id(ids: Collection[int], using: str = DEFAULT_DB_ALIAS) -> dict[int, User]:
    """Return id and name of those people that exist, active or not."""
    rows = Person.objects.using(using).filter(pk__in=ids).values_list("pk", "name")
    return {pk: User(pk, name) for pk, name in rows}


def active_user_ids(ids: Collection[int]) -> set[int]:
    """Return those of `ids` that are people who may take part."""
    rows = Person.objects.filter(is_active("user"), pk__in=ids)
    return set(rows.values_list("pk", flat=True))


def is_code(person: int) -> bool:
    """Tell whether the person speaks for code: it never had a user."""
    return Person.objects.filter(pk=person, user=None, deleted_at=None).exists()


def has_account(person: int) -> bool:
    """Tell whether the person is a user of the project, active or not."""
    return Person.objects.filter(pk=person, user__isnull=False).exists()


def is_banned(room: UUID, person: int, now: datetime) -> bool:
    """Tell whether a ban keeps the person out of the room."""
    return Ban.objects.filter(lasting(now), room=room, user=person).exists()


def banned_from(room: UUID, now: datetime) -> set[int]:
    """Return all whom bans keep out of the room."""
    return set(Ban.objects.filter(lasting(now), room=room).values_list("user_id", flat=True))


def bans_of(room: UUID, now: datetime, after: int, limit: int) -> list[Ban]:
    """Return the room's bans that last, with their people, by the people's ids, those behind `after`."""
    bans = Ban.objects.filter(lasting(now), room=room, user__gt=after).select_related("user")
    return list(bans.order_by("user")[:limit])


def may_moderate(room: UUID, user: int) -> bool:
    """Tell whether the user is an admin or owner of the room."""
    roles = (Membership.Role.ADMIN, Membership.Role.OWNER)
    return Membership.objects.filter(room=room, user=user, role__in=roles).exists()


def is_deleted(person: int) -> bool:
    """Tell whether the person's account was deleted."""
    return Person.objects.filter(pk=person, deleted_at__isnull=False).exists()


@dataclass(slots=True)
class Rooms:
    """The rooms of a user, oldest membership first, and those in which the user may not write."""

    summaries: list[RoomSummary] = field(default_factory=list)
    readers: list[UUID] = field(default_factory=list)
    """Rooms in which the user is a reader."""
    muted: list[UUID] = field(default_factory=list)
    """Rooms in which the user is muted by the database's clock."""


def rooms_by_user(user_ids: Collection[int]) -> dict[int, Rooms]:
    """Return each user's rooms, in one query."""
    found = {user_id: Rooms() for user_id in user_ids}
    for user_id, *columns, role, is_muted in _ROOMS.rows(user_ids):
        rooms, summary = found[user_id], RoomSummary(*columns)
        rooms.summaries.append(summary)
        if role == Membership.Role.READER:
            rooms.readers.append(summary.id)
        if is_muted:
            rooms.muted.append(summary.id)
    return found


def summaries_by_user(user_ids: Collection[int]) -> dict[int, list[RoomSummary]]:
    """Return each user's rooms with heads, oldest membership first, in one query."""
    return {user_id: rooms.summaries for user_id, rooms in rooms_by_user(user_ids).items()}


def summaries_after(user_id: int, after: UUID | None, limit: int) -> list[RoomSummary]:
    """Return a user's rooms with heads, in the order of their ids, those behind `after` or the first."""
    rows = Membership.objects.filter(user_id=user_id)
    if after is not None:
        rows = rows.filter(room_id__gt=after)
    return [RoomSummary(*columns) for _, *columns in _summaries(rows.order_by("room_id")[:limit])]


def summaries_of(pairs: Collection[tuple[UUID, int]]) -> dict[tuple[UUID, int], RoomSummary]:
    """Return the rooms as those users see them who are members now, of the pairs of room and user."""
    rows = _summaries(Membership.objects.filter(in_pairs(pairs))) if pairs else ()
    return {(columns[0], user): RoomSummary(*columns) for user, *columns in rows}


def in_pairs(pairs: Iterable[tuple[UUID, int]]) -> Q:
    """Return the condition of the memberships of these rooms and users, and of no other of either."""
    by_room: defaultdict[UUID, set[int]] = defaultdict(set)
    for room, user in pairs:
        by_room[room].add(user)
    conditions = (Q(room_id=room, user_id__in=users) for room, users in by_room.items())
    return Q(*conditions, _connector=Q.OR)


def heads_of(rooms: Collection[UUID], using: str = DEFAULT_DB_ALIAS) -> dict[UUID, RoomHead]:
    """Return the heads of those rooms that exist."""
    return RoomHead.objects.using(using).in_bulk(list(rooms))


def is_member(room: UUID, user: int) -> bool:
    """Tell whether the user is in the room now."""
    return Membership.objects.filter(room_id=room, user_id=user).exists()


def memberships(pairs: Collection[tuple[UUID, int]]) -> set[tuple[UUID, int]]:
    """Return those pairs of room and user that are memberships now."""
    rows = Membership.objects.filter(
        room_id__in={room for room, _ in pairs}, user_id__in={user for _, user in pairs}
    )
    return set(rows.values_list("room_id", "user_id")) & set(pairs)


def events_after(room: UUID, after: int, up_to: int, limit: int) -> Sequence[RoomEvent]:
    """Return at most `limit` events with after < seq ≤ up_to, in order of seq."""
    rows = RoomEvent.objects.filter(room_id=room, seq__gt=after, seq__lte=up_to)
    return list(rows.order_by("seq")[:limit])


def is_cut(events: Sequence[RoomEvent], after: int, up_to: int) -> bool:
    """Tell whether events between these seqs were pruned, by what `events_after` has found there."""
    return events[-1].seq - after != len(events) if events else up_to > after


def last_messages(room: UUID, up_to: int, limit: int, using: str = DEFAULT_DB_ALIAS) -> list[ChatMessage]:
    """Return the last messages with seq ≤ up_to, oldest first, in their present state."""
    rows = _messages(room).using(using).filter(seq__lte=up_to).order_by("-seq")[:limit]
    return list(reversed(rows))


def messages_after(room: UUID, after: int, limit: int, using: str = DEFAULT_DB_ALIAS) -> list[ChatMessage]:
    """Return the first messages with seq > after, oldest first, in their present state."""
    return list(_messages(room).using(using).filter(seq__gt=after).order_by("seq")[:limit])


def pinned_messages(room: UUID, limit: int) -> list[ChatMessage]:
    """Return a room's pinned messages, those that were pinned last first."""
    rows = ChatMessage.objects.filter(room_id=room, pinned_seq__isnull=False)
    return list(rows.order_by("-pinned_seq")[:limit])


def pins_of(room: UUID, asker: int) -> list[Message]:
    """Return a room's pinned messages as they are now, those that were pinned last first.

    One that is unpinned while they are read is left out.
    """
    rows = pinned_messages(room, PINS_PER_ROOM)
    return [message for message in in_present_state(rows, asker) if message.pinned is not None]


def in_present_state(
    rows: Sequence[ChatMessage], asker: int | None = None, using: str = DEFAULT_DB_ALIAS
) -> list[Message]:
    """Return the messages as they are now, reactions as `asker` sees them.

    Besides the query for their authors it takes one if any was edited or is pinned, and one for each room in
    which any was reacted to.
    """
    users, changes = users_of(rows, using), _last_changes(rows, using)
    reacted = _reacted(rows, asker, using)
    return [
        message_of(
            row,
            users,
            changes.get((row.room_id, row.edited_seq or 0)),
            reacted.get((row.room_id, row.seq)),
            changes.get((row.room_id, row.pinned_seq or 0)),
        )
        for row in rows
    ]


def users_of(events: Iterable[Event], using: str = DEFAULT_DB_ALIAS) -> dict[int, User]:
    """Return everybody whom the events name, for `frames`."""
    return users_by_id({user_id for event in events for user_id in named_in(event)}, using)


def _last_changes(rows: Iterable[ChatMessage], using: str) -> dict[Place, RoomEvent]:
    """Return the last edits of the messages that were edited, and the pins that stand."""
    places = ((row.room_id, seq) for row in rows for seq in (row.edited_seq, row.pinned_seq))
    return events_at([(room, seq) for room, seq in places if seq is not None], using)


def events_at(places: Collection[Place], using: str = DEFAULT_DB_ALIAS) -> dict[Place, RoomEvent]:
    """Return the events at these places."""
    found = RoomEvent.objects.using(using).filter(at_places(places)) if places else ()
    return {(one.room_id, one.seq): one for one in found}


def at_places(places: Iterable[Place]) -> Q:
    """Return the condition that a row with room and seq is at one of these places; not for none."""
    by_room: defaultdict[UUID, list[int]] = defaultdict(list)
    for room, seq in places:
        by_room[room].append(seq)
    return Q(*(Q(room=room, seq__in=seqs) for room, seqs in by_room.items()), _connector=Q.OR)


def _reacted(rows: Iterable[ChatMessage], asker: int | None, using: str) -> dict[tuple[UUID, int], Reacted]:
    """Return the reactions to those messages that were reacted to, by room and seq."""
    by_room: defaultdict[UUID, list[int]] = defaultdict(list)
    for row in rows:
        if row.reacted_seq is not None:
            by_room[row.room_id].append(row.seq)
    return {
        (room, seq): reacted
        for room, seqs in by_room.items()
        for seq, reacted in reactions_to(room, seqs, asker, using).items()
    }


def _messages(room: UUID) -> QuerySet[ChatMessage]:
    """Return a room's messages, in the words of the index `messages_by_seq`: they alone are looked at."""
    return ChatMessage.objects.filter(room_id=room, number__isnull=False)


_READ_OR_PRUNED: Final = Greatest(F("read_number"), F("room__head__pruned_messages"))
_ABOVE_MARK: Final = ExpressionWrapper(
    F("room__head__messages") - _READ_OR_PRUNED, output_field=IntegerField()
)
_NOT_FOR_THEM: Final = RawSQL(
    """(SELECT count(*) FROM roomlog_roomevent AS event
        WHERE event.room_id = roomlog_membership.room_id AND event.number IS NOT NULL
          AND event.seq > roomlog_membership.read_seq AND event.seq <= %s +
              CASE WHEN roomlog_roomhead.first_seq > roomlog_membership.read_seq
                   THEN roomlog_roomhead.first_seq - 1 ELSE roomlog_membership.read_seq END
          AND (event.user_id = roomlog_membership.user_id OR event.deleted_at IS NOT NULL
               OR event.user_id IN (SELECT blocked_id FROM roomlog_block
                                    WHERE blocker_id = roomlog_membership.user_id)))""",
    (UNREAD_LOOKED_AT,),
    IntegerField(),
)
"""Messages above the mark that are the member's own, deleted, or of somebody whom the member has blocked.

A range of seqs, so no plan reads more. Index: seq_once or messages_by_seq; block_once, once for each room.
In SQL, because each login compiles it: the ORM's takes a millisecond.
"""
_UNREAD: Final = Case(
    When(room__head__messages__lte=_READ_OR_PRUNED, then=Value(0)),
    When(
        room__head__messages__gte=_READ_OR_PRUNED + UNREAD_COUNTED + UNREAD_LOOKED_AT,
        then=Value(UNREAD_COUNTED),
    ),
    default=Least(Value(UNREAD_COUNTED), _ABOVE_MARK - _NOT_FOR_THEM),
    output_field=IntegerField(),
)
"""A room of which everything was read, or very much was not, costs no look at its log."""


_MENTIONS: Final = RawSQL(
    """(SELECT count(*) FROM (
        SELECT 1 FROM roomlog_mention AS mention
        WHERE mention.room_id = roomlog_membership.room_id AND mention.user_id = roomlog_membership.user_id
          AND mention.target > roomlog_membership.read_seq
        UNION ALL
        SELECT 1 FROM (
            SELECT called.user_id FROM roomlog_roommention AS called
            WHERE called.room_id = roomlog_membership.room_id AND called.target > roomlog_membership.read_seq
            ORDER BY called.target LIMIT %s) AS everybody
        WHERE everybody.user_id <> roomlog_membership.user_id
          AND everybody.user_id NOT IN (SELECT blocked_id FROM roomlog_block
                                        WHERE blocker_id = roomlog_membership.user_id) LIMIT %s) AS above)""",
    (UNREAD_LOOKED_AT, UNREAD_COUNTED),
    IntegerField(),
)
"""Indexes: mentions_by_member and room_mention_once, from the mark on, and no further than is shown.

A message that mentions the room has no row in the first of them, so none is counted twice.
"""
_UNREAD_MENTIONS: Final = Case(
    When(room__head__messages__lte=F("read_number"), then=Value(0)),
    default=_MENTIONS,
    output_field=IntegerField(),
)


_IS_MUTED: Final = ExpressionWrapper(
    Q(muted_until__isnull=False, muted_until__gt=Now()), output_field=BooleanField()
)


def _summaries(rows: QuerySet[Membership], *further: Any) -> QuerySet[Membership, tuple[Any, ...]]:
    """Return each membership's user, the columns of its RoomSummary, and further ones."""
    return rows.values_list(
        "user_id",
        "room_id",
        "room__name",
        "room__kind",
        "room__head__epoch",
        "room__head__last_seq",
        "read_seq",
        _UNREAD,
        ExpressionWrapper(Q(room__archived_at__isnull=False), BooleanField()),
        _UNREAD_MENTIONS,
        "room__topic",
        "notify",
        "room__is_discoverable",
        "room__receipts",
        *further,
    )


def _rooms() -> QuerySet[Membership, tuple[Any, ...]]:
    rows = Membership.objects.filter(among(Membership, "user_id", "bigint"))
    return _summaries(rows.order_by("id"), "role", _IS_MUTED)


_ROOMS: Final = CompiledQuery(_rooms)
