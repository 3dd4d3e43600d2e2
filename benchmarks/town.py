"""Rooms of ten members who said something in each, as many as wanted, written by the database itself.

Around the questions of `sizes_stored`. Each resident is in 20 rooms; users who are to ask move in afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from benchmarks import search as seeding  # first: it sets Django up
from roomlog.models import Install
from tests.harness.people import add_user, make_token

MEMBERS: Final = 10
SAID: Final = 10
"""Messages of each room."""
ROOMS_EACH: Final = 20
"""Of each resident."""
_ROOM: Final = "md5('room ' || n)::uuid"
_SEED: Final = (
    f"""
    INSERT INTO roomlog_chatroom (id, name, kind, date_created)
    SELECT {_ROOM}, 'room ' || n, 'group', now() FROM generate_series(0, %(rooms)s - 1) AS n
    """,
    f"""
    INSERT INTO roomlog_roomhead (room_id, epoch, last_seq, messages)
    SELECT {_ROOM}, %(epoch)s, %(said)s, %(said)s FROM generate_series(0, %(rooms)s - 1) AS n
    """,
    f"""
    INSERT INTO roomlog_membership (room_id, user_id, role, read_seq, read_number)
    SELECT {_ROOM}, %(first)s + (n * %(members)s + member) %% %(people)s, 'member', %(said)s, %(said)s
    FROM generate_series(0, %(rooms)s - 1) AS n, generate_series(0, %(members)s - 1) AS member
    """,
    f"""
    INSERT INTO roomlog_roomevent
        (room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created)
    SELECT {_ROOM}, seq, seq, 'new_message', %(first)s + (n * %(members)s + seq %% %(members)s) %% %(people)s,
        n || '-' || seq, '', 'w' || (hashint4(n * 10 + seq) & 15) || ' is said in room ' || n,
        TIMESTAMPTZ '2024-01-01 00:00Z' + (seq * %(rooms)s + n) * INTERVAL '1 second'
    FROM generate_series(1, %(said)s) AS seq, generate_series(0, %(rooms)s - 1) AS n
    """,
)
_PEOPLE: Final = """
    WITH made AS (
        INSERT INTO roomlog_person (name, avatar) SELECT 'resident ' || n, '' FROM generate_series(1, %s) AS n
        RETURNING id)
    SELECT min(id) FROM made
"""
_JOIN: Final = f"""
    INSERT INTO roomlog_membership (room_id, user_id, role, read_seq, read_number)
    SELECT {_ROOM}, %(person)s, 'member', seq, seq
    FROM generate_series(0, %(rooms)s - 1, %(every)s) AS n,
        LATERAL (SELECT CASE WHEN n / %(every)s %% 10 = 0 THEN 0 ELSE %(said)s END AS seq) AS mark
    RETURNING room_id
"""


@dataclass(frozen=True)
class Somebody:
    """A user and their rooms."""

    person: int
    token: str
    rooms: Sequence[UUID]


@dataclass(frozen=True)
class Town:
    """What was written."""

    rooms: int
    first: int
    """The first of the residents' ids."""
    epoch: str

    @classmethod
    def make(cls, rooms: int) -> Town:
        """Write so many rooms, and index what is said in them."""
        people, epoch = rooms * MEMBERS // ROOMS_EACH, Install.objects.get().epoch
        with connection.cursor() as cursor:
            cursor.execute(_PEOPLE, [people])
            (first,) = cursor.fetchone()
            facts = {"rooms": rooms, "members": MEMBERS, "said": SAID, "first": first}
            for statement in _SEED:
                cursor.execute(statement, facts | {"people": people, "epoch": epoch})
        seeding.index_all()
        return cls(rooms, first, epoch)

    def somebody(self, rooms: int) -> Somebody:
        """Make a user who is in so many of the rooms; one of ten has unread messages."""
        person = add_user(f"in {rooms} rooms")
        facts = {"person": person, "rooms": self.rooms, "every": self.rooms // rooms, "said": SAID}
        with connection.cursor() as cursor:
            cursor.execute(_JOIN, facts)
            mine = [room for (room,) in cursor.fetchall()]
            cursor.execute("VACUUM ANALYZE roomlog_membership")
        assert len(mine) == rooms
        return Somebody(person, make_token(person).key, mine)

    def member_of(self, room: int) -> int:
        """Return a resident who is in this room."""
        return self.first + room * MEMBERS % (self.rooms * MEMBERS // ROOMS_EACH)

    @staticmethod
    def room(number: int) -> UUID:
        """Return the id of a room: 0, 1, 2 …"""
        return UUID(hashlib.md5(f"room {number}".encode(), usedforsecurity=False).hexdigest())
