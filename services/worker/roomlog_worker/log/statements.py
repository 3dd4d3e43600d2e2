"""Runs the statements of `sql/`, which every message pays for: a batch locks, reads, inserts and moves.

All else is the ORM's, which takes several times the CPU for these (docs/decisions.md). What varies in
length travels as one JSON text, so that a statement never changes: PostgreSQL plans it once, and no value is
quoted by itself. Knows rows and no rules. For use inside the caller's transaction, except `append_single`,
which is one, and `reserve_ids`, which needs none.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import IntegrityError, OperationalError
from psycopg.errors import LockNotAvailable

from roomlog.new_event import NewEvent

from .pg_roundtrip import Call, Exchange, Rows
from .sql import statement

Key = tuple[str, UUID, int]
"""uuid, room, user."""
ReactionKey = tuple[UUID, int, str, int]
"""room, seq of the message, emoji, user."""
Place = tuple[UUID, int]
"""room, seq of a message."""

_LOCK_LEASES: Final = statement("lock_leases")
_LOCK_HEADS: Final = statement("lock_heads")
_READ_COMMANDS: Final = statement("read_commands")
_HOLD_PEOPLE: Final = statement("hold_people", on_sqlite=False)
_INSERT_EVENTS: Final = statement("insert_events")
_MOVE_HEADS: Final = statement("move_heads")
_MARK_CHANGED: Final = statement("mark_changed")
_REMOVE_REACTIONS: Final = statement("remove_reactions")
_ADD_REACTIONS: Final = statement("add_reactions")
_REMOVE_MENTIONS: Final = statement("remove_mentions")
_ADD_MENTIONS: Final = statement("add_mentions")
_APPEND_SINGLE: Final = statement("append_single", on_sqlite=False)
_RESERVE_IDS: Final = statement("reserve_ids", on_sqlite=False)
_exchange: Final = Exchange(
    (
        _LOCK_LEASES,
        _LOCK_HEADS,
        _READ_COMMANDS,
        _HOLD_PEOPLE,
        _INSERT_EVENTS,
        _MOVE_HEADS,
        _MARK_CHANGED,
        _REMOVE_REACTIONS,
        _ADD_REACTIONS,
        _REMOVE_MENTIONS,
        _ADD_MENTIONS,
        _APPEND_SINGLE,
        _RESERVE_IDS,
    )
)


class LeaseRow(NamedTuple):
    """The worker that may write a shard's rooms."""

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
    """The state of the database that concerns one command."""

    room: UUID
    user: int
    name: str | None
    """None: there is no such person."""
    role: str | None
    """None: the user is no member."""
    is_muted: bool
    event: int | None
    """The id of the event that it is."""


class Changed(NamedTuple):
    """A message that new events concern, with their seqs; None: it is as it was."""

    room: UUID
    seq: int
    edit: int | None
    """Its last edit."""
    reaction: int | None
    """Its last event of a reaction."""
    pin: int | None
    """What pinned it; 0: it is not pinned any more."""


class Mentioned(NamedTuple):
    """Whom a message mentions."""

    author: int
    users: Sequence[int]
    """But for its author."""


class Opened(NamedTuple):
    """The rows on which a batch is decided; leases and heads are locked until the transaction ends."""

    leases: list[LeaseRow]
    heads: list[HeadRow]
    """In id order; what others hold is left out."""
    commands: list[CommandRow]


def lock_leases(shards: Iterable[int]) -> list[LeaseRow]:
    """Lock the shards' leases, in shard order, until the transaction ends."""
    (leases,) = _exchange.ask(Call(_LOCK_LEASES, (_json(shards),)))
    return _leases_of(leases)


def open_rooms(shards: Iterable[int], rooms: Iterable[UUID], keys: Iterable[Key], now: datetime) -> Opened:
    """Lock the leases of shards, then the heads of rooms; then read what is known of the commands."""
    asked = [{"uuid": uuid, "room": room.hex, "person": user} for uuid, room, user in keys]
    leases, heads, commands = _exchange.ask(
        Call(_LOCK_LEASES, (_json(shards),)),
        Call(_LOCK_HEADS, (_json(room.hex for room in rooms),)),
        Call(_READ_COMMANDS, (now, _json(asked))),
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


def hold_people(people: Iterable[int]) -> set[int]:
    """Keep these people's accounts until the transaction ends; return who is held. PostgreSQL only.

    Those whose accounts somebody is deleting just now are left out.
    """
    (rows,) = _exchange.ask(Call(_HOLD_PEOPLE, (_json(people),)))
    return {number for (number,) in rows}


def append_events(
    events: Sequence[NewEvent],
    heads: Iterable[tuple[UUID, int, int]],
    changed: Iterable[Changed],
    reactions: Mapping[ReactionKey, int | None],
    mentioned: Mapping[Place, Mentioned],
    now: datetime,
    *,
    commits: bool = False,
) -> list[tuple[UUID, int, int]]:
    """Insert events of one moment and set each room's last seq and messages; return room, seq and id.

    `changed` are those messages that the events concern; `reactions` those that come, with their seq, or go;
    `mentioned` all whom messages mention from here on; those who have blocked its author get no row.
    """
    calls = [
        Call(_INSERT_EVENTS, (now, _json(_values_of(event) for event in events))),
        Call(
            _MOVE_HEADS,
            (_json({"room": room.hex, "seq": seq, "messages": messages} for room, seq, messages in heads),),
        ),
    ]
    if marks := [one._asdict() | {"room": one.room.hex} for one in changed]:
        calls.append(Call(_MARK_CHANGED, (_json(marks),)))
    if reactions:
        calls += _calls_about(reactions)
    if mentioned:
        calls += _calls_to_mention(mentioned, {(event.room_id, event.seq) for event in events})
    inserted, *_ = _exchange.ask(*calls, commits=commits)
    return [(_uuid(room), seq, number) for room, seq, number in inserted]


def append_single(lease: LeaseRow, epoch: str, event: NewEvent, meanwhile: Callable[[], None]) -> bool:
    """Insert one message with its id and move its head, as a transaction of its own; PostgreSQL only.

    False if nothing is stored: the lease is another's, the head has moved, the room is archived or locked,
    the sender is no member, a reader, muted or blocked, or the command is an event already.
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
        return _exchange.ask_single(Call(_APPEND_SINGLE, values), meanwhile) == 1
    except IntegrityError:
        return False
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return False
        raise


def reserve_ids(count: int) -> list[int]:
    """Return ids for events that will be inserted with them; those that never are leave holes."""
    (rows,) = _exchange.ask(Call(_RESERVE_IDS, (count,)))
    return [number for (number,) in rows]


def _leases_of(rows: Rows) -> list[LeaseRow]:
    return [LeaseRow(shard, owner and _uuid(owner), epoch) for shard, owner, epoch in rows]


def _calls_about(reactions: Mapping[ReactionKey, int | None]) -> list[Call]:
    rows = [
        {"room": room.hex, "target": target, "emoji": emoji, "person": person, "seq": seq}
        for (room, target, emoji, person), seq in reactions.items()
    ]
    return [
        Call(_REMOVE_REACTIONS, (_json(row for row in rows if row["seq"] is None),)),
        Call(_ADD_REACTIONS, (_json(row for row in rows if row["seq"] is not None),)),
    ]


def _calls_to_mention(mentioned: Mapping[Place, Mentioned], new: Collection[Place]) -> Iterator[Call]:
    """Yield what leaves messages these mentions and no others; those of new ones have none before."""
    before = [{"room": room.hex, "target": seq} for room, seq in mentioned if (room, seq) not in new]
    after = [
        {"room": room.hex, "target": seq, "person": person, "author": one.author}
        for (room, seq), one in mentioned.items()
        for person in one.users
    ]
    if before:
        yield Call(_REMOVE_MENTIONS, (_json(before),))
    if after:
        yield Call(_ADD_MENTIONS, (_json(after),))


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
        "target": event.target,
    }


def _json(rows: Iterable[object]) -> str:
    return msgspec.json.encode(list(rows)).decode()


def _uuid(value: UUID | str) -> UUID:
    """Return an id as either database hands it out."""
    return value if isinstance(value, UUID) else UUID(value)
