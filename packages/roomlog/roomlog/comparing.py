"""What gateways know, against what the database has: for any number of rooms or people by one statement.

Beside `selectors`, for what connected people cost while nothing happens. What varies in length goes in as one
JSON text, and out comes what differs, or one text for each person: parameters, rows and the ORM's compiling
would cost most.
"""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from .compiled import plan_kept

_MOVED: Final = {
    # Index: roomlog_roomhead_pkey
    "postgresql": """
        SELECT head.room_id, head.epoch, head.last_seq
        FROM json_each_text(%s::json) AS known
        JOIN roomlog_roomhead AS head ON head.room_id = known.key::uuid
        WHERE head.last_seq <> known.value::bigint OR head.epoch <> %s""",
    # Index: the primary key
    "sqlite": """
        SELECT head.room_id, head.epoch, head.last_seq
        FROM json_each(%s) AS known
        JOIN roomlog_roomhead AS head ON head.room_id = known.key
        WHERE head.last_seq <> known.value OR head.epoch <> %s""",
}
_MEMBERSHIPS: Final = {  # the letters and what follows them are those of roomlog_contract.fingerprint
    # Index: that of roomlog_membership on user_id, roomlog_chatroom_pkey, roomlog_roomhead_pkey
    "postgresql": """
        SELECT member.user_id, string_agg(
            replace(member.room_id::text, '-', '')
            || CASE WHEN member.role = 'reader' THEN 'r' ELSE '' END
            || CASE WHEN member.muted_until > statement_timestamp() THEN 'm' ELSE '' END
            || CASE WHEN room.archived_at IS NOT NULL THEN 'a' ELSE '' END{head}, ',')
        FROM roomlog_membership AS member
        JOIN roomlog_chatroom AS room ON room.id = member.room_id{join}
        WHERE member.user_id = ANY (ARRAY(SELECT json_array_elements_text(%s::json)::bigint))
        GROUP BY member.user_id""",
    # Index: that of roomlog_membership on user_id, the primary keys of roomlog_chatroom and roomlog_roomhead
    "sqlite": """
        SELECT member.user_id, group_concat(
            member.room_id
            || CASE WHEN member.role = 'reader' THEN 'r' ELSE '' END
            || CASE WHEN member.muted_until > strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now') THEN 'm' ELSE '' END
            || CASE WHEN room.archived_at IS NOT NULL THEN 'a' ELSE '' END{head}, ',')
        FROM roomlog_membership AS member
        JOIN roomlog_chatroom AS room ON room.id = member.room_id{join}
        WHERE member.user_id IN (SELECT value FROM json_each(%s))
        GROUP BY member.user_id""",
}
_HEAD: Final = """
            || ':' || head.epoch || ':' || head.last_seq || ':' || member.read_seq || ':' || member.notify"""
_JOIN_HEAD: Final = """
        JOIN roomlog_roomhead AS head ON head.room_id = member.room_id"""


class Moved(NamedTuple):
    """A head that is not the one that was known."""

    room: UUID
    epoch: str
    seq: int


def moved_heads(rooms: Sequence[UUID], seqs: Sequence[int], epoch: str) -> list[Moved]:
    """Return the heads of those rooms that have not the seq beside them, or another epoch, in one query."""
    heads = msgspec.json.encode({room.hex: seq for room, seq in zip(rooms, seqs, strict=False)}).decode()
    with connection.cursor() as cursor:
        cursor.execute(_MOVED[connection.vendor], (heads, epoch))
        return [Moved(_as_uuid(room), *others) for room, *others in cursor.fetchall()]


def memberships_of(people: Collection[int], *, with_heads: bool = False) -> dict[int, list[str]]:
    """Return each person's memberships as `fingerprint` takes them, in one query; none of who has none."""
    head, join = (_HEAD, _JOIN_HEAD) if with_heads else ("", "")
    query = _MEMBERSHIPS[connection.vendor].format(head=head, join=join)
    with connection.cursor() as cursor, plan_kept():
        cursor.execute(query, (msgspec.json.encode(list(people)).decode(),))
        return {user: text.split(",") for user, text in cursor.fetchall()}


def _as_uuid(value: UUID | str) -> UUID:
    """Return a room's id, which is text on SQLite."""
    return value if isinstance(value, UUID) else UUID(value)
