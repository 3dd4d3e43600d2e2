"""The statements that each message pays for, in plain SQL: what a batch locks, reads, inserts and moves.

All else is the ORM's, which takes several times the CPU for these (docs/decisions.md). What varies in
length travels as one JSON text, so that a statement's words never change: PostgreSQL plans it once, and
nobody quotes values one by one. Each waits for its answer: in a pipeline a paused worker would keep its
locks, because PostgreSQL's idle time-out begins only where it has answered. Knows rows and no rules; for
use inside the caller's transaction.
"""
# ruff: noqa: S608 - what is put into the texts are the constants of this file

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.contrib.auth import get_user_model
from django.db import connection

from .models import RoomEvent

Key = tuple[str, UUID, int]
"""uuid, room, user."""


class LeaseRow(NamedTuple):
    """Who may write a shard's rooms."""

    shard: int
    owner: UUID | None
    epoch: int


class HeadRow(NamedTuple):
    """A room and how far its log is."""

    room: UUID
    epoch: str
    last_seq: int
    messages: int
    kind: str
    is_archived: bool


class CommandRow(NamedTuple):
    """What the database knows of a command."""

    room: UUID
    user: int
    username: str | None
    """None: there is no such user."""
    role: str | None
    """None: the user is no member."""
    is_muted: bool
    event: int | None
    """The id of the event that it is."""


def lock_leases(shards: Iterable[int]) -> list[LeaseRow]:
    """Lock the shards' leases, in shard order, until the transaction ends."""
    rows = _rows(
        "SELECT shard, owner, epoch FROM roomlog_store_shardlease"
        f" WHERE {_among('shard', 'integer')} ORDER BY shard {_lock('')}",
        _json(shards),
    )
    return [LeaseRow(shard, owner and _uuid(owner), epoch) for shard, owner, epoch in rows]


def lock_heads(rooms: Iterable[UUID]) -> list[HeadRow]:
    """Lock the rooms' heads, in id order, until the transaction ends; what others hold is left out."""
    rows = _rows(
        "SELECT head.room_id, epoch, last_seq, messages, kind, archived_at IS NOT NULL"
        " FROM roomlog_store_roomhead head JOIN roomlog_store_chatroom room ON room.id = head.room_id"
        f" WHERE {_among('head.room_id', 'uuid')} ORDER BY head.room_id {_lock('OF head SKIP LOCKED')}",
        _json(room.hex for room in rooms),
    )
    return [
        HeadRow(_uuid(room), epoch, seq, messages, kind, bool(is_archived))
        for room, epoch, seq, messages, kind, is_archived in rows
    ]


def read_commands(keys: Iterable[Key], now: datetime) -> list[CommandRow]:
    """Return, for each key, what its user may do in the room and the event that it may already be.

    By sub-queries for each key, because those can only descend indexes: a join's plan is for as many rows as
    there were when it was made.
    """
    given = _given("uuid text, room uuid, person bigint")
    rows = _rows(
        f"SELECT room, person, (SELECT username FROM {_users()} WHERE id = person),"
        " (SELECT role FROM roomlog_store_membership WHERE room_id = room AND user_id = person),"
        " (SELECT muted_until > %s FROM roomlog_store_membership WHERE room_id = room AND user_id = person),"
        " (SELECT event.id FROM roomlog_store_roomevent event"
        "  WHERE event.uuid = given.uuid AND room_id = room AND user_id = person)"
        f" FROM {given}",
        connection.ops.adapt_datetimefield_value(now),
        _json({"uuid": uuid, "room": room.hex, "person": user} for uuid, room, user in keys),
    )
    return [
        CommandRow(_uuid(room), user, name, role, bool(is_muted), event)
        for room, user, name, role, is_muted, event in rows
    ]


def insert_events(events: Sequence[RoomEvent], now: datetime) -> list[tuple[UUID, int, int]]:
    """Insert events of one moment; returns room, seq and id of each."""
    given = _given(
        "room uuid, seq bigint, number bigint, kind text, person bigint, uuid text, hash text,"
        " body text, data jsonb"
    )
    rows = _rows(
        "INSERT INTO roomlog_store_roomevent"
        " (room_id, seq, number, kind, user_id, uuid, body_hash, text, data, date_created)"
        f" SELECT room, seq, number, kind, person, uuid, hash, body, data, %s FROM {given}"
        " RETURNING room_id, seq, id",
        connection.ops.adapt_datetimefield_value(now),
        _json(
            {
                "room": event.room_id.hex,
                "seq": event.seq,
                "number": event.number,
                "kind": event.kind,
                "person": event.user_id,
                "uuid": event.uuid,
                "hash": event.body_hash,
                "body": event.text,
                "data": event.data,
            }
            for event in events
        ),
    )
    return [(_uuid(room), seq, number) for room, seq, number in rows]


def move_heads(heads: Iterable[tuple[UUID, int, int]]) -> None:
    """Set each room's last seq and number of messages."""
    given = _given("room uuid, seq bigint, messages bigint")
    _rows(
        "UPDATE roomlog_store_roomhead SET last_seq = given.seq, messages = given.messages"
        f" FROM {given} WHERE room_id = given.room",
        _json({"room": room.hex, "seq": seq, "messages": messages} for room, seq, messages in heads),
    )


def _rows(sql: str, *parameters: str | datetime | None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def _json(rows: Iterable[object]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _among(column: str, kind: str) -> str:
    """Return the condition that the column is one of a parameter of `_json`; an index finds them."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(%s::json)::{kind}))"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def _given(columns: str) -> str:
    """Return what a FROM says of a parameter of `_json`: `columns` as in `room uuid, seq bigint`."""
    return _given_as(connection.vendor, columns)


@cache
def _given_as(vendor: str, columns: str) -> str:
    if vendor == "postgresql":
        return f"json_to_recordset(%s::json) AS given({columns})"
    names = [column.split()[0] for column in columns.split(", ")]
    read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {read} FROM json_each(%s)) AS given"


@cache
def _users() -> str:
    return connection.ops.quote_name(get_user_model()._meta.db_table)


def _lock(how: str) -> str:
    """Readers pass such a lock. SQLite has one writer at a time and needs none."""
    return f"FOR NO KEY UPDATE {how}" if connection.vendor == "postgresql" else ""


def _uuid(value: UUID | str) -> UUID:
    """Return an id as either database hands it out."""
    return value if isinstance(value, UUID) else UUID(value)
