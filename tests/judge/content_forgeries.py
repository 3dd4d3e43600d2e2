"""A room of a good history that was archived and has messages with data, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks I17 alone.
"""

from typing import Final

from tests.judge.history import (
    MESSAGE_KIND,
    Applied,
    Attempt,
    History,
    Operation,
    Outcome,
    Reading,
    Row,
    Shown,
)
from tests.judge.moderation import Membership

from .spoiling import Table, entry, forgeries, handed, stored

ROOM: Final = "e" * 32
DATA: Final = '{"order":7}'
CLIENT: Final = "reader-e"
BEGAN_AT: Final = 50.0
"""After everything else of the history."""


def with_archived_room(history: History, user: int, deleted: int) -> History:
    """Return it with one more room: two messages, archived, a deleted account left, restored, a message."""
    log = (MESSAGE_KIND, MESSAGE_KIND, "archive_room", "remove_user", "restore_room", MESSAGE_KIND)
    rows = [_row(seq, user, kind) for seq, kind in enumerate(log, start=1)]
    history.rows += rows
    history.operations += [_sent(row) for row in rows if row.kind == MESSAGE_KIND]
    read = (Applied(row.seq, user, row.uuid, row.text, BEGAN_AT + row.seq, row.data) for row in rows)
    history.readings.append(Reading(CLIENT, user, ROOM, 0, tuple(read)))
    history.shown = [
        Shown(CLIENT, ROOM, row.seq, user, row.text, row.data, BEGAN_AT + 9.0)
        for row in rows
        if row.kind == MESSAGE_KIND
    ]
    history.memberships[:0] = [Membership(ROOM, user), Membership(ROOM, deleted, 0, 4)]
    return history


def _row(seq: int, user: int, kind: str) -> Row:
    text, data = (f"text {seq}", DATA if seq > 1 else "") if kind == MESSAGE_KIND else ("", "")
    return Row(ROOM, seq, user, f"e-{seq}", kind, text, data)


def _sent(row: Row) -> Operation:
    """Return the message of a row, answered at once."""
    at = BEGAN_AT + row.seq
    attempts = (Attempt(0, row.seq, at, at + 0.1, Outcome.SUCCESS),)
    return Operation("api", row.user, ROOM, row.uuid, row.text, attempts, (row.seq,), at + 0.1, row.data)


_WAYS: Final[Table] = {
    "I17": {
        "The event in which a room is restored does something else": stored(ROOM, 5, kind="leave_room"),
        "An archived room is archived": stored(ROOM, 5, kind="archive_room"),
        "Somebody is removed from an archived room whose account is not deleted": lambda history: (
            history.departures.clear()
        ),
        "A message is stored with other data than was sent": stored(ROOM, 2, data='{"order":8}'),
        "A message has lost its data": stored(ROOM, 6, data=""),
        "A reader is handed data that nobody sent": handed(ROOM, 1, data=DATA),
        "A history is without the data of its message": entry("shown", -1, data=""),
        "A history is without a text that the log still has": entry("shown", 0, text=""),
    },
}
CONTENT_FORGERIES: Final = forgeries(_WAYS)
