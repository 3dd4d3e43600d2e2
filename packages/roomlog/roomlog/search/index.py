"""Brings the index up to the logs, in pieces that take milliseconds, and takes out what is deleted.

Beside the log: nothing here locks a head or a message. Changing a room's entries needs its RoomIndexed row
locked, so a message deleted while it is being indexed does not come back. Each piece is one transaction, and
after a crash the next one begins where the last one ended.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import Q

from ..frames import milliseconds
from ..kinds import EDIT, MESSAGE
from ..models import RoomEvent, RoomHead, RoomIndexed, SearchEntry
from ..selectors import Place, at_places, events_at
from .entry import place_in_time
from .words import as_tsvector, words_of

ROOMS_AT_ONCE: Final = 50
EVENTS_AT_ONCE: Final = 200
"""Of a piece: SQLite's writer waits for it."""
Span = tuple[int, int]
"""Behind a seq, up to another."""
_EVENTS: Final = """
SELECT event.*
FROM json_to_recordset(%s::json) AS given (room uuid, after bigint, up_to bigint)
CROSS JOIN LATERAL (
    SELECT room_id, seq, id, kind, target, user_id, text, date_created, edited_seq, deleted_at
    FROM roomlog_roomevent
    WHERE room_id = given.room AND seq > given.after AND seq <= given.up_to AND kind = ANY (%s)
    OFFSET 0
) AS event
"""
"""For PostgreSQL. OFFSET keeps it from anything but a look at the index for each room."""
_INSERT: Final = """
INSERT INTO roomlog_searchentry AS entry (id, room, seq, author, vector)
SELECT given.id, given.room, given.seq, given.author, given.vector::tsvector
FROM json_to_recordset(%s::json) AS given (id bigint, room uuid, seq bigint, author bigint, vector text)
ON CONFLICT (id) DO UPDATE SET vector = excluded.vector
WHERE entry.room = excluded.room AND entry.seq = excluded.seq
"""
"""Of two messages of one millisecond whose ids are a multiple of two million apart, one can't be found."""
_INSERT_ENTRY: Final = "INSERT INTO roomlog_searchentry (id, room, seq, author) VALUES (%s, %s, %s, %s)"
_INSERT_WORDS: Final = "INSERT INTO roomlog_searchtext (rowid, room, words) VALUES (%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a piece of work came to."""

    messages: int
    behind: set[UUID]
    """Those of the rooms that have more to be indexed, or that somebody else holds."""


class _Event(NamedTuple):
    """What the index needs of an event: a model's instance takes several times as long to make."""

    room_id: UUID
    seq: int
    id: int
    kind: str
    target: int | None
    user_id: int
    text: str
    date_created: datetime
    edited_seq: int | None
    deleted_at: datetime | None


def behind_after(after: UUID, limit: int) -> tuple[list[UUID], UUID | None]:
    """Look at so many rooms behind `after`; return those with something to index, and the last one looked at.

    None: these were the last rooms.
    """
    heads = RoomHead.objects.filter(pk__gt=after).order_by("pk")
    page = list(heads.values_list("pk", "last_seq", "room__indexed__seq")[:limit])
    last = page[-1][0] if len(page) == limit else None
    return [room for room, last_seq, seq in page if last_seq > (seq or 0)], last


def index(rooms: Collection[UUID]) -> Indexed:
    """Index the next EVENTS_AT_ONCE events of these rooms, at most ROOMS_AT_ONCE; committed on return.

    A room that was never made is passed over.

    Raises django.db errors; nothing was changed then.
    """
    known = RoomHead.objects.filter(room__in=rooms).values_list("room", "last_seq", "room__indexed__seq")
    heads = {room: last_seq for room, last_seq, _ in known}
    if new := [room for room, _, seq in known if seq is None]:
        _begin(new)
    with transaction.atomic():
        held = RoomIndexed.objects.select_for_update(skip_locked=True).filter(room__in=heads)
        reached = dict(held.values_list("room", "seq"))
        spans = _spans(reached, heads)
        messages = _index_spans(spans) if spans else 0
        _note(spans)
    done = {room for room, seq in reached.items() if spans.get(room, (0, seq))[1] >= heads[room]}
    return Indexed(messages, heads.keys() - done)


def forget(room: UUID, seqs: Collection[int]) -> None:
    """Take messages out of the index; the caller's transaction takes out their texts."""
    if not seqs:  # an erasure of what never came; there may be no such room
        return
    _begin([room])
    list(RoomIndexed.objects.select_for_update().filter(room=room))
    SearchEntry.objects.filter(room=room, seq__in=seqs).delete()


def _begin(rooms: Collection[UUID]) -> None:
    """Make the missing rows one by one: nobody waits for one of them while holding another."""
    known = set(RoomIndexed.objects.filter(room__in=rooms).values_list("room", flat=True))
    for room in set(rooms) - known:
        RoomIndexed.objects.bulk_create([RoomIndexed(room_id=room)], ignore_conflicts=True)


def _spans(reached: Mapping[UUID, int], heads: Mapping[UUID, int]) -> dict[UUID, Span]:
    """Return what of each room is indexed now, so that it is EVENTS_AT_ONCE together."""
    left, spans = EVENTS_AT_ONCE, {}
    for room, seq in reached.items():
        take = min(heads[room] - seq, left)
        if take > 0:
            spans[room] = seq, seq + take
            left -= take
    return spans


def _index_spans(spans: Mapping[UUID, Span]) -> int:
    """Write the entries of all messages that these events sent or edited, as the messages are now."""
    events = _events_in(spans)
    messages: dict[Place, _Event | RoomEvent] = {
        (one.room_id, one.seq): one for one in events if one.kind == MESSAGE
    }
    edited = {(one.room_id, one.target or 0) for one in events if one.kind == EDIT} - messages.keys()
    messages |= events_at(edited)
    places = {
        (one.room_id, one.edited_seq)
        for one in messages.values()
        if one.deleted_at is None and one.edited_seq is not None
    }
    edits = events_at(places)
    entries = [
        _entry(one, edits.get((one.room_id, one.edited_seq or 0), one).text)
        for one in messages.values()
        if one.deleted_at is None
    ]
    if messages and connection.vendor == "sqlite":  # PostgreSQL replaces what is there
        SearchEntry.objects.filter(at_places(messages)).delete()
    if entries:
        _insert(entries)
    return len(entries)


def _events_in(spans: Mapping[UUID, Span]) -> list[_Event]:
    """Return the messages and edits of these spans."""
    kinds = [MESSAGE, EDIT]
    if connection.vendor == "postgresql":
        given = [{"room": room.hex, "after": after, "up_to": up_to} for room, (after, up_to) in spans.items()]
        with connection.cursor() as cursor:
            cursor.execute(_EVENTS, [msgspec.json.encode(given).decode(), kinds])
            return [_Event(*row) for row in cursor.fetchall()]
    within = (Q(room=room, seq__gt=after, seq__lte=up_to) for room, (after, up_to) in spans.items())
    rows = RoomEvent.objects.filter(Q(*within, _connector=Q.OR), kind__in=kinds)
    return [_Event(*row) for row in rows.values_list(*_Event._fields)]


def _note(spans: Mapping[UUID, Span]) -> None:
    """Note how far the rooms are indexed; the rows are there."""
    rows = [RoomIndexed(room_id=room, seq=seq) for room, (_, seq) in spans.items()]
    RoomIndexed.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["room"], update_fields=["seq"]
    )


def _entry(message: _Event | RoomEvent, text: str) -> tuple[int, str, int, int, list[str]]:
    place = place_in_time(milliseconds(message.date_created), message.id)
    return place, message.room_id.hex, message.seq, message.user_id, words_of(text)


def _insert(entries: list[tuple[int, str, int, int, list[str]]]) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            given: list[dict[str, Any]] = [
                {"id": place, "room": room, "seq": seq, "author": author, "vector": as_tsvector(words)}
                for place, room, seq, author, words in entries
            ]
            cursor.execute(_INSERT, [msgspec.json.encode(given).decode()])
            return
        cursor.executemany(_INSERT_ENTRY, [entry[:4] for entry in entries])
        cursor.executemany(_INSERT_WORDS, [(entry[0], entry[1], " ".join(entry[4])) for entry in entries])
