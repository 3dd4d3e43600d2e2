"""The statements that each message pays for, in plain SQL: what a batch locks, reads, inserts and moves.

All else is the ORM's, which takes several times the CPU for these (docs/decisions.md). What varies in
length travels as one JSON text, so that a statement's words never change: PostgreSQL plans it once, and
nobody quotes values one by one. Knows rows and no rules; for use inside the caller's transaction.
"""
# ruff: noqa: S608 - what is put into the texts are the constants of this file

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError, connection
from psycopg.errors import LockNotAvailable

from roomlog.new_event import NewEvent

from .pg_roundtrip import Call, Exchange, Rows, Statement

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
    name: str | None
    """None: there is no such person."""
    role: str | None
    """None: the user is no member."""
    is_muted: bool
    event: int | None
    """The id of the event that it is."""


class Opened(NamedTuple):
    """What a batch is decided on; leases and heads are locked until the transaction ends."""

    leases: list[LeaseRow]
    heads: list[HeadRow]
    """In id order; what others hold is left out."""
    commands: list[CommandRow]


def lock_leases(shards: Iterable[int]) -> list[LeaseRow]:
    """Lock the shards' leases, in shard order, until the transaction ends."""
    (leases,) = _exchange.ask(Call(_LEASES, (_json(shards),)))
    return _leases_of(leases)


def open_rooms(shards: Iterable[int], rooms: Iterable[UUID], keys: Iterable[Key], now: datetime) -> Opened:
    """Lock the leases of shards, then the heads of rooms; then read what is known of the commands."""
    asked = [{"uuid": uuid, "room": room.hex, "person": user} for uuid, room, user in keys]
    leases, heads, commands = _exchange.ask(
        Call(_LEASES, (_json(shards),)),
        Call(_HEADS, (_json(room.hex for room in rooms),)),
        Call(_COMMANDS, (now, _json(asked))),
    )
    return Opened(
        _leases_of(leases),
        [
            HeadRow(_uuid(room), epoch, seq, messages, kind, bool(is_archived))
            for room, epoch, seq, messages, kind, is_archived in heads
        ],
        [
            CommandRow(_uuid(room), user, name, role, bool(is_muted), event)
            for room, user, name, role, is_muted, event in commands
        ],
    )


def append_events(
    events: Sequence[NewEvent],
    heads: Iterable[tuple[UUID, int, int]],
    now: datetime,
    *,
    commits: bool = False,
) -> list[tuple[UUID, int, int]]:
    """Insert events of one moment and set each room's last seq and messages; returns room, seq and id."""
    inserted, _ = _exchange.ask(
        Call(_EVENTS, (now, _json(_values_of(event) for event in events))),
        Call(
            _MOVES,
            (_json({"room": room.hex, "seq": seq, "messages": messages} for room, seq, messages in heads),),
        ),
        commits=commits,
    )
    return [(_uuid(room), seq, number) for room, seq, number in inserted]


def append_single(lease: LeaseRow, epoch: str, event: NewEvent, meanwhile: Callable[[], None]) -> bool:
    """Insert one message with its id and move its head, as a transaction of its own; PostgreSQL only.

    False, and nothing is stored: something is not as assumed. The lease is another's, the head is elsewhere,
    the room is archived or locked by somebody, the sender is no member or muted, or the command is an event.
    """
    values = (
        event.date_created,
        lease.shard,
        str(lease.owner),
        lease.epoch,
        event.room_id.hex,
        epoch,
        event.seq,
        event.number or 0,
        event.user_id,
        event.id,
        event.uuid,
        event.body_hash,
        event.text,
    )
    try:
        return _exchange.ask_single(Call(_SINGLE, values), meanwhile) == 1
    except IntegrityError:
        return False
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise


def reserve_ids(count: int) -> list[int]:
    """Return ids for events that will be inserted with them; those that never are leave holes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('roomlog_roomevent', 'id')) FROM generate_series(1, %s)",
            [count],
        )
        return [number for (number,) in cursor.fetchall()]


def _leases_of(rows: Rows) -> list[LeaseRow]:
    return [LeaseRow(shard, owner and _uuid(owner), epoch) for shard, owner, epoch in rows]


def _values_of(event: NewEvent) -> dict[str, object]:
    return {
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


def _leases_in(is_postgres: bool) -> str:
    return (
        "SELECT shard, owner, epoch FROM roomlog_shardlease"
        f" WHERE {_among(is_postgres, 'shard', 'integer')} ORDER BY shard {_lock(is_postgres, '')}"
    )


def _heads_in(is_postgres: bool) -> str:
    return (
        "SELECT head.room_id, epoch, last_seq, messages, kind, archived_at IS NOT NULL"
        " FROM roomlog_roomhead head JOIN roomlog_chatroom room ON room.id = head.room_id"
        f" WHERE {_among(is_postgres, 'head.room_id', 'uuid')}"
        f" ORDER BY head.room_id {_lock(is_postgres, 'OF head SKIP LOCKED')}"
    )


def _commands_in(is_postgres: bool) -> str:
    """By sub-queries for each key, because those can only descend indexes.

    A join's plan is for as many rows as there were when it was made.
    """
    return (
        "SELECT room, person, (SELECT name FROM roomlog_person WHERE id = person),"
        " (SELECT role FROM roomlog_membership WHERE room_id = room AND user_id = person),"
        " (SELECT muted_until > %s FROM roomlog_membership WHERE room_id = room AND user_id = person),"
        " (SELECT event.id FROM roomlog_roomevent event"
        "  WHERE event.uuid = given.uuid AND room_id = room AND user_id = person)"
        f" FROM {_given(is_postgres, 'uuid text, room uuid, person bigint')}"
    )


def _events_in(is_postgres: bool) -> str:
    columns = (
        "room uuid, seq bigint, number bigint, kind text, person bigint, uuid text, hash text,"
        " body text, data jsonb"
    )
    return (
        "INSERT INTO roomlog_roomevent"
        " (room_id, seq, number, kind, user_id, uuid, body_hash, text, data, date_created)"
        " SELECT room, seq, number, kind, person, uuid, hash, body, data, %s"
        f" FROM {_given(is_postgres, columns)} RETURNING room_id, seq, id"
    )


def _moves_in(is_postgres: bool) -> str:
    return (
        "UPDATE roomlog_roomhead SET last_seq = given.seq, messages = given.messages"
        f" FROM {_given(is_postgres, 'room uuid, seq bigint, messages bigint')} WHERE room_id = given.room"
    )


def _single_in(_: bool) -> str:
    """Its snapshot is older than its locks, but lease and head are compared again as they are locked.

    Whatever changes who may write in a room is an event and moves the head. So nobody's membership can have
    ended in between; what no event changes (a name, a mute by hand) is as it was when the statement began.
    """
    return (
        "WITH moved AS (UPDATE roomlog_roomhead SET last_seq = $7, messages = $8"
        "  WHERE room_id = $5 AND epoch = $6 AND last_seq = $7 - 1"
        "  AND (SELECT true FROM roomlog_shardlease"
        "       WHERE shard = $2 AND owner = $3 AND epoch = $4 FOR NO KEY UPDATE)"
        "  AND (SELECT archived_at IS NULL FROM roomlog_chatroom WHERE id = $5)"
        "  AND (SELECT coalesce(muted_until <= $1, true) FROM roomlog_membership"
        "       WHERE room_id = $5 AND user_id = $9)"
        "  RETURNING 1)"
        " INSERT INTO roomlog_roomevent"
        " (id, room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created)"
        " SELECT $10, $5, $7, $8, 'new_message', $9, $11, $12, $13, $1 FROM moved RETURNING 1"
    )


_LEASES: Final = Statement("roomlog_leases", ("text",), _leases_in)
_HEADS: Final = Statement("roomlog_heads", ("text",), _heads_in)
_COMMANDS: Final = Statement("roomlog_commands", ("timestamptz", "text"), _commands_in)
_EVENTS: Final = Statement("roomlog_events", ("timestamptz", "text"), _events_in)
_MOVES: Final = Statement("roomlog_moves", ("text",), _moves_in)
_SINGLE: Final = Statement(
    "roomlog_single",
    (
        "timestamptz",
        *("integer", "uuid", "bigint"),
        *("uuid", "text", "bigint", "bigint"),
        *("bigint", "bigint", "text", "text", "text"),
    ),
    _single_in,
)
_exchange: Final = Exchange((_LEASES, _HEADS, _COMMANDS, _EVENTS, _MOVES, _SINGLE))


def _json(rows: Iterable[object]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _among(is_postgres: bool, column: str, kind: str) -> str:
    """Return the condition that the column is one of a parameter of `_json`; an index finds them."""
    if is_postgres:
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(%s::json)::{kind}))"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def _given(is_postgres: bool, columns: str) -> str:
    """Return what a FROM says of a parameter of `_json`: `columns` as in `room uuid, seq bigint`."""
    if is_postgres:
        return f"json_to_recordset(%s::json) AS given({columns})"
    names = [column.split()[0] for column in columns.split(", ")]
    read = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in names)
    return f"(SELECT {read} FROM json_each(%s)) AS given"


def _lock(is_postgres: bool, how: str) -> str:
    """Readers pass such a lock. SQLite has one writer at a time and needs none."""
    return f"FOR NO KEY UPDATE {how}" if is_postgres else ""


def _uuid(value: UUID | str) -> UUID:
    """Return an id as either database hands it out."""
    return value if isinstance(value, UUID) else UUID(value)
