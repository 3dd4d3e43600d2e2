"""Finds messages in one's own rooms, the newest first, in a bounded number of bounded queries.

A read for the api; nothing here writes or locks. The index says where to look; whether a message is deleted,
and what it says now, the log says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import DEFAULT_DB_ALIAS, connection, connections

from roomlog_contract.events import Message

from ..configuration import configuration
from ..models import ChatMessage, Membership
from ..replica import Replica, beats, is_fresh
from ..selectors import Place, in_present_state
from .entry import place_in_time
from .words import Phrase, as_fts5, as_tsquery, phrases_of, words_apart, words_of

FIRST_WINDOW: Final = 4_000
"""Entries of the newest time, in which a common word is found without its whole list."""
WINDOW: Final = 20_000
"""Entries of each further one."""
WINDOWS: Final = 4
MOST_CANDIDATES: Final = 5_000
"""Hits of a word that are sorted by time; with more, they are looked for window by window."""
THREADS: Final = 4
"""Searches of a process that the replica looks through at a time; the primary takes the others."""
ROOMS_BY_WORD: Final = 50
"""SQLite looks for those of few rooms as it looks for words."""
_END: Final = 1 << 62
"""Above every place."""


_EVENTS_GIVEN: Final = """
SELECT event.* FROM {given} AS given
JOIN roomlog_roomevent AS event ON event.room_id = given.room AND event.seq = given.seq
WHERE given.seq BETWEEN 1 AND 9223372036854775806
"""
_EVENTS: Final = {
    "postgresql": _EVENTS_GIVEN.format(
        given="(SELECT * FROM json_to_recordset(%s::json) AS one (room uuid, seq bigint))"
    ),
    "sqlite": _EVENTS_GIVEN.format(
        given="""(SELECT json_extract(value, '$.room') AS room, json_extract(value, '$.seq') AS seq
                  FROM json_each(%s))"""
    ),
}
"""By room and seq; in SQL, because the ORM takes longer for 25 pairs than the database.

Index: seq_once. Every seq is between the bounds: with them PostgreSQL expects one row and descends the index,
also where the log is in partitions, whose scan seems cheaper than a hundred look-ups in each.
"""


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for; all of it must be so."""

    text: str = ""
    """Words, `begin*` and `"words side by side"`."""
    room: UUID | None = None
    author: int | None = None
    """A person."""
    after: int | None = None
    """Epoch seconds; at or after."""
    before: int | None = None
    """Epoch seconds; before."""
    cursor: int | None = None
    """`Hits.next` of the page before."""
    limit: int = 25


@dataclass(frozen=True, slots=True)
class Hits:
    """A page of what was found."""

    messages: list[Message]
    """In their present state, the newest first."""
    next: int | None
    """Where the next page goes on; None: this was the last. A page may have fewer than `limit`, even none,
    and still not be the last: a search looks at a bounded number of messages."""


_Row = tuple[int, UUID, int]
"""Place in time, room, seq."""
_Page = tuple[list[_Row], int | None]
"""The entries of a page, and where the next one goes on."""
_replica: Final = Replica(THREADS)


def search(asker: int, wanted: Search) -> Hits:
    """Return a page of the messages found in rooms that the asker is in now.

    A text without a letter or digit is in none.
    """
    phrases = phrases_of(wanted.text)
    rooms = _rooms_of(asker, wanted.room)
    if not rooms or (wanted.text.strip() and not phrases):
        return Hits([], None)
    rows, following = _at_replica(rooms, phrases, wanted) or _Look(rooms, phrases, wanted).rows()
    return Hits(_present(rows, phrases, asker), following)


def _at_replica(rooms: Sequence[UUID], phrases: Sequence[Phrase], wanted: Search) -> _Page | None:
    """Return what the replica finds; None where there is none that is fresh enough.

    Only where messages are comes from it. What they say, and whether they are deleted, the primary says.
    """
    if configuration().read_replica is None:
        return None
    known = beats()
    return _replica.ask(
        lambda alias: _Look(rooms, phrases, wanted, alias).rows() if is_fresh(alias, known) else None
    )


def _rooms_of(asker: int, room: UUID | None) -> list[UUID]:
    mine = Membership.objects.filter(user=asker)
    if room is not None:
        mine = mine.filter(room=room)
    return list(mine.values_list("room", flat=True))


def _present(rows: Sequence[_Row], phrases: Sequence[Phrase], asker: int) -> list[Message]:
    """Return the messages as they are now, without those that were deleted or say something else since."""
    if not rows:
        return []
    places = [{"room": room.hex, "seq": seq} for _, room, seq in rows]
    events = ChatMessage.objects.raw(_EVENTS[connection.vendor], [msgspec.json.encode(places).decode()])
    messages = in_present_state(list(events), asker)
    found: dict[Place, Message] = {}
    for message in messages:
        words = words_of(message.text)
        if not message.deleted and all(phrase.is_in(words) for phrase in phrases):
            found[message.room, message.seq] = message
    return [found[room, seq] for _, room, seq in rows if (room, seq) in found]


class _Look:
    """One search of the index."""

    def __init__(
        self,
        rooms: Sequence[UUID],
        phrases: Sequence[Phrase],
        wanted: Search,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        self._using = using
        self._rooms = rooms
        self._phrases = phrases
        self._wanted = wanted
        self._limit = wanted.limit
        self._first = _place_at(wanted.after or 0)

    def rows(self) -> _Page:
        """Return the entries of a page, and where the next page goes on."""
        below = _END if self._wanted.before is None else _place_at(self._wanted.before)
        if self._wanted.cursor is not None:
            below = min(below, self._wanted.cursor)
        found: list[_Row] = []
        for number in range(WINDOWS):
            floor = self._floor(below, WINDOW if number else FIRST_WINDOW)
            found += self._between(floor, below, self._limit + 1 - len(found))
            if len(found) > self._limit or floor == self._first:
                return self._page(found)
            if not number:
                older, count = self._candidates(floor, self._limit + 1 - len(found))
                if count <= MOST_CANDIDATES:
                    return self._page(found + older)
            below = floor
        return found, below

    def _page(self, found: Sequence[_Row]) -> _Page:
        page = list(found[: self._limit])
        return page, page[-1][0] if len(found) > self._limit else None

    def _floor(self, below: int, entries: int) -> int:
        """Return the place that has so many entries above it: of the room or else the author looked for."""
        conditions = ["id < %s AND id >= %s"]
        values: list[Any] = [below, self._first]
        if self._wanted.room is not None:
            conditions.append("room = %s")
            values.append(self._key(self._wanted.room))
        elif self._wanted.author is not None:
            conditions.append("author = %s")
            values.append(self._wanted.author)
        found = self._select(
            f"SELECT id FROM roomlog_searchentry WHERE {' AND '.join(conditions)}"  # noqa: S608 - no value in it
            f" ORDER BY id DESC LIMIT 1 OFFSET {entries - 1}",
            values,
        )
        return found[0][0] if found else self._first

    def _between(self, floor: int, below: int, limit: int) -> list[_Row]:
        """Return the newest hits with floor ≤ place < below."""
        query, values = self._query(floor, below, self._phrases)
        # SQLite's words come in this order and can stop.
        place = "found.rowid" if "found.rowid" in query else "entry.id"
        return [_row(*one) for one in self._select(f"{query} ORDER BY {place} DESC LIMIT {limit}", values)]

    def _candidates(self, below: int, limit: int) -> tuple[list[_Row], int]:
        """Return the newest of the older hits, and how many candidates there are; with too many some of both.

        On PostgreSQL a candidate has the words anywhere: to tell that they are side by side costs the most.
        """
        apart = words_apart(self._phrases) if connection.vendor == "postgresql" else self._phrases
        query, values = self._query(self._first, below, apart)
        fits = ""
        if apart != self._phrases:
            fits = "WHERE vector @@ %s::tsquery"
            values.append(as_tsquery(self._phrases))
        found = self._select(
            f"WITH candidates AS MATERIALIZED ({query} LIMIT {MOST_CANDIDATES + 1})"  # noqa: S608 - no value in it
            " SELECT found.id, found.room, found.seq, counted.number"
            " FROM (SELECT count(*) AS number FROM candidates) AS counted LEFT JOIN"
            f" (SELECT * FROM candidates {fits} ORDER BY id DESC LIMIT {limit}) AS found ON true"
            " ORDER BY found.id DESC",
            values,
        )
        return [_row(*one[:3]) for one in found if one[0] is not None], found[0][3]

    def _query(self, first: int, below: int, phrases: Sequence[Phrase]) -> tuple[str, list[Any]]:
        """Return the query for all entries with these phrases and first ≤ place < below, in no order."""
        if connection.vendor == "postgresql":
            return self._on_postgresql(first, below, phrases)
        return self._on_sqlite(first, below)

    def _on_postgresql(self, first: int, below: int, phrases: Sequence[Phrase]) -> tuple[str, list[Any]]:
        columns = "id, room, seq" if phrases == self._phrases else "id, room, seq, vector"
        conditions = ["id >= %s", "id < %s", "room = ANY(%s::uuid[])"]
        values: list[Any] = [first, below, list(self._rooms)]
        if phrases:
            conditions.append("vector @@ %s::tsquery")
            values.append(as_tsquery(phrases))
        if self._wanted.author is not None:
            conditions.append("author = %s")
            values.append(self._wanted.author)
        where = " AND ".join(conditions)
        return f"SELECT {columns} FROM roomlog_searchentry AS entry WHERE {where}", values  # noqa: S608

    def _on_sqlite(self, first: int, below: int) -> tuple[str, list[Any]]:
        tables, conditions = "roomlog_searchentry AS entry", ["entry.id >= %s", "entry.id < %s"]
        of_rooms = "entry.room IN (SELECT value FROM json_each(%s))"
        values: list[Any] = [first, below]
        if self._phrases:
            # In this order: the words first.
            tables = f"roomlog_searchtext AS found CROSS JOIN {tables} ON entry.id = found.rowid"
            conditions = ["roomlog_searchtext MATCH %s", "found.rowid >= %s", "found.rowid < %s"]
            values = [self._match(), *values]
            of_rooms = f"+{of_rooms}"  # compared, not looked up: that would be once for each room and hit
        conditions.append(of_rooms)
        values.append(msgspec.json.encode([room.hex for room in self._rooms]).decode())
        if self._wanted.author is not None:
            conditions.append("entry.author = %s")
            values.append(self._wanted.author)
        where = " AND ".join(conditions)
        return f"SELECT entry.id, entry.room, entry.seq FROM {tables} WHERE {where}", values  # noqa: S608

    def _match(self) -> str:
        words = f"words : ({as_fts5(self._phrases)})"
        if len(self._rooms) > ROOMS_BY_WORD:
            return words
        return f"room : ({' OR '.join(room.hex for room in self._rooms)}) AND {words}"

    def _select(self, sql: str, values: Sequence[Any]) -> list[Any]:
        with connections[self._using].cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def _key(self, room: UUID) -> UUID | str:
        return room if connection.vendor == "postgresql" else room.hex


def _place_at(seconds: int) -> int:
    return min(place_in_time(1_000 * seconds), _END)


def _row(place: int, room: UUID | str, seq: int) -> _Row:
    return place, room if isinstance(room, UUID) else UUID(room), seq
