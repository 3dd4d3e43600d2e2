"""Reads the reactions to messages as people see them: counted, with the first names."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections

from roomlog_contract.events import Reactions, User
from roomlog_contract.limits import REACTORS_NAMED

from .frames import Reacted
from .models import RoomEvent

_READ: Final = """
SELECT event.seq, event.reacted_seq, shown.emoji, shown.total, shown.place, shown.user_id, person.name
FROM roomlog_roomevent AS event
LEFT JOIN (
    SELECT target, emoji, user_id, seq,
           count(*) OVER (PARTITION BY target, emoji) AS total,
           row_number() OVER (PARTITION BY target, emoji ORDER BY seq) AS place
    FROM roomlog_reaction WHERE room_id = %s AND target IN ({seqs})
) AS shown ON shown.target = event.seq AND (shown.place <= %s OR shown.user_id = %s)
LEFT JOIN roomlog_person AS person ON person.id = shown.user_id
WHERE event.room_id = %s AND event.seq IN ({seqs})
ORDER BY event.seq, shown.seq
"""
"""One statement, so that `reacted_seq` and the rows are of one moment. Indexes: seq_once, reaction_once."""


def reactions_to(
    room: UUID, seqs: Collection[int], asker: int | None, using: str = DEFAULT_DB_ALIAS
) -> dict[int, Reacted]:
    """Return the reactions to these messages of a room, by seq, each emoji in the order of its first one."""
    places = ", ".join(["%s"] * len(seqs))
    connection = connections[using]
    given = RoomEvent._meta.get_field("room").get_db_prep_value(room, connection)
    with connection.cursor() as cursor:
        cursor.execute(_READ.format(seqs=places), [given, *seqs, REACTORS_NAMED, asker or 0, given, *seqs])
        rows = cursor.fetchall()
    found: dict[int, Reacted] = {}
    for seq, reacted_seq, emoji, total, place, user, name in rows:
        reacted = found.setdefault(seq, Reacted(reacted_seq, {}))
        if emoji is None:
            continue
        known = reacted.by_emoji.get(emoji, Reactions(total, [], mine=False))
        users = [*known.users, User(user, name)] if place <= REACTORS_NAMED else known.users
        reacted.by_emoji[emoji] = Reactions(total, users, mine=known.mine or user == asker)
    return found
