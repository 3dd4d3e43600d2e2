"""Read marks: how far somebody has read a room. They move forward, never back, and are no events.

Beside the log. One statement moves a mark and compares it with what is stored, so it needs no lock on the
room's head and no lease: of two at a time the greater stays. A mark that does not move writes no row.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.dispatch import Signal

from roomlog_contract.envelope import HaveRead
from roomlog_contract.events import RoomSummary

from .receipts import have_read
from .selectors import summaries_of

_MOVE_GIVEN: Final = """
UPDATE roomlog_membership
SET read_seq = given.seq, read_number = coalesce(
    (SELECT number FROM roomlog_roomevent AS event
     WHERE event.room_id = roomlog_membership.room_id AND event.seq <= given.seq AND event.number IS NOT NULL
     ORDER BY event.seq DESC LIMIT 1),
    0)
FROM {given} AS given
WHERE room_id = given.room AND user_id = given.person AND read_seq < given.seq
"""
"""Locks: the memberships. Two workers may move marks of the same members in a handover, in another order: the
time-out of a lane's locks is shorter than PostgreSQL's patience with a deadlock, and the next turn repeats.
Index: member_once, messages_by_seq."""
_MOVE: Final = {
    "postgresql": _MOVE_GIVEN.format(
        given="(SELECT * FROM json_to_recordset(%s::json) AS mark (room uuid, person bigint, seq bigint))"
    ),
    "sqlite": _MOVE_GIVEN.format(
        given="""(SELECT json_extract(value, '$.room') AS room, json_extract(value, '$.person') AS person,
                         json_extract(value, '$.seq') AS seq FROM json_each(%s))"""
    ),
}
Pair = tuple[UUID, int]
"""A room and one of its members."""
own_view_changed: Final = Signal()
"""Sent after the commit with `person` and `room`, a summary: the person's sockets are to hear of it.

With `told`, what the channels of rooms are to hear of it.
"""


def mark_read(room: UUID, person: int, seq: int) -> RoomSummary | None:
    """Move one mark in the caller's transaction; return the room as the person sees it then.

    None for a stranger, whether there is such a room or not.
    """
    marked = move_marks({(room, person): seq}).get((room, person))
    if marked is not None:
        tell_own_view(person, marked, have_read({(room, person): marked}))
    return marked


def tell_own_view(person: int, room: RoomSummary, told: Sequence[tuple[UUID, HaveRead]] = ()) -> None:
    """Have the person's sockets hear how they see the room now, and rooms of `told`, after the commit."""

    def tell() -> None:
        own_view_changed.send(None, person=person, room=room, told=told)

    transaction.on_commit(tell, robust=True)


def move_marks(wanted: Mapping[Pair, int]) -> dict[Pair, RoomSummary]:
    """Move marks to these seqs, or to the room's head where that is lower; committed on return in autocommit.

    Return how each member sees the room now; those who are no members are missing.
    """
    before = summaries_of(wanted.keys())
    moving = {
        pair: seq for pair, room in before.items() if (seq := min(wanted[pair], room.seq)) > room.read_seq
    }
    if not moving:
        return before
    _move(moving)
    staying = {pair: room for pair, room in before.items() if pair not in moving}
    return staying | summaries_of(moving.keys())  # who left meanwhile is in neither


def _move(marks: Mapping[Pair, int]) -> None:
    given = [{"room": room.hex, "person": person, "seq": seq} for (room, person), seq in marks.items()]
    with connection.cursor() as cursor:
        cursor.execute(_MOVE[connection.vendor], [msgspec.json.encode(given).decode()])
