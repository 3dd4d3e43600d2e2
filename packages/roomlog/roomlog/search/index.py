"""Brings the index up to the logs, in pieces that take milliseconds, and takes out what is deleted.

Beside the log: nothing here locks a head or a message. Changing a room's entries needs its RoomIndexed row
locked, so a message deleted while it is being indexed does not come back. Each piece is one transaction, and
after a crash the next one begins where the last one ended.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models import Q

from ..frames import milliseconds
from ..kinds import EDIT, MESSAGE
from ..models import RoomEvent, RoomHead, RoomIndexed, SearchEntry
from ..selectors import at_places, events_at
from .entry import place_in_time
from .words import as_tsvector, words_of

ROOMS_AT_ONCE: Final = 50
EVENTS_AT_ONCE: Final = 200
"""Of a piece: SQLite's writer waits for it."""
Span = tuple[int, int]
"""Behind a seq, up to another."""
_INSERT: Final = """
INSERT INTO roomlog_searchentry (id, room, seq, author, vector)
SELECT given.id, given.room, given.seq, given.author, given.vector::tsvector
FROM json_to_recordset(%s::json) AS given (id bigint, room uuid, seq bigint, author bigint, vector text)
ON CONFLICT (id) DO NOTHING
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
    known = set(RoomHead.objects.filter(room__in=rooms).values_list("room", flat=True))
    _begin(known)
    with transaction.atomic():
        held = RoomIndexed.objects.select_for_update(skip_locked=True).filter(room__in=known)
        reached = {row.room_id: row.seq for row in held}
        heads = dict(RoomHead.objects.filter(room__in=reached).values_list("room", "last_seq"))
        spans = _spans(reached, heads)
        messages = _index_spans(spans) if spans else 0
        rows = [RoomIndexed(room_id=room, seq=seq) for room, (_, seq) in spans.items()]
        RoomIndexed.objects.bulk_update(rows, ["seq"])
    done = {room for room, seq in reached.items() if spans.get(room, (0, seq))[1] >= heads.get(room, 0)}
    return Indexed(messages, known - done)


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
        take = min(heads.get(room, 0) - seq, left)
        if take > 0:
            spans[room] = seq, seq + take
            left -= take
    return spans


def _index_spans(spans: Mapping[UUID, Span]) -> int:
    """Write the entries of all messages that these events sent or edited, as the messages are now."""
    within = (Q(room=room, seq__gt=after, seq__lte=up_to) for room, (after, up_to) in spans.items())
    events = list(RoomEvent.objects.filter(reduce(or_, within), kind__in=(MESSAGE, EDIT)))
    messages = {(one.room_id, one.seq): one for one in events if one.kind == MESSAGE}
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
    if messages:
        SearchEntry.objects.filter(at_places(messages)).delete()
    if entries:
        _insert(entries)
    return len(entries)


def _entry(message: RoomEvent, text: str) -> tuple[int, str, int, int, list[str]]:
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
