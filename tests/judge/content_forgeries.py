"""A room of a good history that was archived and has messages with data, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks I17 alone.
"""

from collections.abc import Callable
from typing import Any, Final

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


def _change_row(history: History, seq: int, **facts: Any) -> None:
    index = next(index for index, row in enumerate(history.rows) if (row.room, row.seq) == (ROOM, seq))
    history.rows[index] = history.rows[index]._replace(**facts)


def write_to_an_archived_room(history: History) -> None:
    """The event in which a room is restored does something else."""
    _change_row(history, 5, kind="rename_room")


def archive_a_room_twice(history: History) -> None:
    """An archived room is archived."""
    _change_row(history, 5, kind="archive_room")


def let_a_member_leave_an_archived_room(history: History) -> None:
    """Somebody is removed from an archived room whose account is not deleted."""
    history.departures = []


def store_other_data(history: History) -> None:
    """A message is stored with other data than was sent."""
    _change_row(history, 2, data='{"order":8}')


def store_without_data(history: History) -> None:
    """A message has lost its data."""
    _change_row(history, 6, data="")


def hand_on_other_data(history: History) -> None:
    """A reader is handed data that nobody sent."""
    reading = history.readings[-1]
    events = (reading.events[0]._replace(data=DATA), *reading.events[1:])
    history.readings[-1] = reading._replace(events=events)


def show_no_data(history: History) -> None:
    """A history is without the data that went with its message."""
    history.shown[-1] = history.shown[-1]._replace(data="")


def show_a_message_as_erased(history: History) -> None:
    """A history is without a text that the log still has."""
    history.shown[0] = history.shown[0]._replace(text="")


CONTENT_FORGERIES: Final[list[Callable[[History], None]]] = [
    write_to_an_archived_room,
    archive_a_room_twice,
    let_a_member_leave_an_archived_room,
    store_other_data,
    store_without_data,
    hand_on_other_data,
    show_no_data,
    show_a_message_as_erased,
]
"""What I17 alone must flag."""
