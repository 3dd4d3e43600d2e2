"""The fast path of a single message, in SQLite's words: the product has it for PostgreSQL only.

Below the real writer with its room cache. It compares under the lock what the product's statement compares,
and stores nothing if something differs.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from django.db import IntegrityError, OperationalError, connection, transaction

from roomlog.new_event import NewEvent
from roomlog_worker.errors import sqlstate_of
from roomlog_worker.log import statements
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.statements import LeaseRow
from roomlog_worker.writer import Writer

_MOVE: Final = """
    UPDATE roomlog_roomhead SET last_seq = %(seq)s, messages = %(number)s
    WHERE room_id = %(room)s AND epoch = %(epoch)s AND last_seq = %(seq)s - 1
    AND EXISTS (SELECT 1 FROM roomlog_shardlease
                WHERE shard = %(shard)s AND owner = %(owner)s AND roomlog_shardlease.epoch = %(lease_epoch)s)
    AND EXISTS (SELECT 1 FROM roomlog_chatroom WHERE id = %(room)s AND archived_at IS NULL
                AND (kind <> 'direct' OR NOT EXISTS (
                    SELECT 1 FROM roomlog_membership AS other JOIN roomlog_block AS block
                    ON (block.blocker_id = other.user_id AND block.blocked_id = %(user)s)
                    OR (block.blocker_id = %(user)s AND block.blocked_id = other.user_id)
                    WHERE other.room_id = %(room)s)))
    AND EXISTS (SELECT 1 FROM roomlog_membership WHERE roomlog_membership.room_id = %(room)s
                AND user_id = %(user)s AND role <> 'reader' AND coalesce(muted_until <= %(now)s, true))
"""
_INSERT: Final = """
    INSERT INTO roomlog_roomevent
    (id, room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created)
    VALUES (%(id)s, %(room)s, %(seq)s, %(number)s, 'new_message', %(user)s,
            %(uuid)s, %(hash)s, %(text)s, %(now)s)
"""
_RESERVE: Final = "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'roomlog_roomevent' RETURNING seq"


@contextmanager
def on_sqlite(stored: Callable[[], None]) -> Iterator[None]:
    """Let the writer use its cache; call `stored` for each message that took the fast path."""

    def append(lease: LeaseRow, epoch: str, event: NewEvent, meanwhile: Callable[[], None]) -> bool:
        is_stored = _append_single(lease, epoch, event, meanwhile)
        if is_stored:
            stored()
        return is_stored

    with ExitStack() as patches:
        patches.enter_context(patch.object(statements, "append_single", append))
        patches.enter_context(patch.object(statements, "reserve_ids", _reserve_ids))
        patches.enter_context(patch.object(Writer, "_update_cache", _update_cache))
        yield


def _append_single(lease: LeaseRow, epoch: str, event: NewEvent, meanwhile: Callable[[], None]) -> bool:
    """Insert one message and move its head, if all is as assumed."""
    assert lease.owner is not None
    facts: dict[str, Any] = {
        "now": connection.ops.adapt_datetimefield_value(event.date_created),
        "shard": lease.shard,
        "owner": lease.owner.hex,
        "lease_epoch": lease.epoch,
        "room": event.room_id.hex,
        "epoch": epoch,
        "seq": event.seq,
        "number": event.number,
        "user": event.user_id,
        "id": event.id,
        "uuid": event.uuid,
        "hash": event.body_hash,
        "text": event.text,
    }
    meanwhile()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if cursor.execute(_MOVE, facts).rowcount != 1:
                return False
            cursor.execute(_INSERT, facts)
            return True
    except IntegrityError:
        return False
    except OperationalError as error:
        if sqlstate_of(error) == "SQLITE_BUSY":
            return False
        raise


def _reserve_ids(count: int) -> list[int]:
    with connection.cursor() as cursor:
        ((last,),) = cursor.execute(_RESERVE, [count]).fetchall()
    return list(range(last - count + 1, last + 1))


def _update_cache(writer: Writer, batch: Batch) -> None:
    """Keep what a batch left, as with PostgreSQL."""
    writer._forget_other_sessions()
    writer._cache.update(batch)
