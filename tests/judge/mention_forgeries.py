"""Mentions in the good history's room of changes, and the ways to spoil them.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from typing import Final

from tests.judge.checker.mentions import SMALL
from tests.judge.history import History
from tests.judge.mentions import EVERYBODY
from tests.judge.moderation import Membership

from .change_forgeries import EARLY, GONE, KEPT, LATE, MARKS, OTHER, READER, ROOM
from .spoiling import (
    Table,
    believed,
    change_believed,
    change_entry,
    change_handed,
    change_operation,
    change_row,
    change_shown,
    entry,
    forgeries,
    handed_to,
    shown,
    spoils,
    stored,
)

LAST: Final = 7
"""A message that nobody changed."""


def with_mentions(history: History) -> History:
    """Have a message mention its reader, and its edits another member too."""
    both = (OTHER, READER)
    _mention(history, KEPT, (READER,))
    for seq in (3, 5):
        _mention(history, seq, both)
    change_row(history, ROOM, KEPT, mentioned=both)
    change_shown(history, ROOM, KEPT, 4, mentions=both)
    change_shown(history, ROOM, KEPT, 7, mentions=both)
    change_believed(history, ROOM, KEPT, 7, mentions=both)
    for place in MARKS:
        change_entry(history, "marks", place, unread_mentions=1)
    return history


def _mention(history: History, seq: int, users: tuple[int, ...]) -> None:
    """Have a message or an edit sent, stored and handed on with these mentions."""
    change_operation(history, ROOM, seq, mentions=users)
    change_row(history, ROOM, seq, mentions=users)
    for client in (EARLY, LATE):
        change_handed(history, client, seq, mentions=users)


def _called(history: History) -> None:
    """Have a message mention everybody, by one row, so that all others count it."""
    _mention(history, LAST, (EVERYBODY,))
    change_row(history, ROOM, LAST, mentioned=(EVERYBODY,))
    author = next(row.user for row in history.rows if (row.room, row.seq) == (ROOM, LAST))
    for change in (change_shown, change_believed):
        change(history, ROOM, LAST, 7, mentions=(EVERYBODY,))
    for place in MARKS:
        mark = history.marks[place]
        is_counted = mark.read_seq < LAST <= mark.head and mark.user != author
        change_entry(history, "marks", place, unread_mentions=mark.unread_mentions + is_counted)


def _not_counted(history: History) -> None:
    for place in MARKS:
        mark = history.marks[place]
        change_entry(history, "marks", place, unread_mentions=mark.unread_mentions - (mark.head >= LAST))


def _crowded(history: History) -> None:
    history.memberships += (Membership(ROOM, user) for user in range(1_000, 1_000 + SMALL))


_WAYS: Final[Table] = {
    "I19": {
        "A history has the edited text with the mentions before": shown(ROOM, KEPT, 7, mentions=(READER,)),
        "A client has had the edit and knows none of its mentions": believed(ROOM, KEPT, 7, mentions=()),
    },
    "I30": {
        "A message is stored with other mentions than were sent": stored(ROOM, LAST, mentions=(OTHER,)),
        "A deletion left whom the message mentioned": stored(ROOM, GONE, mentions=(OTHER,)),
        "A deletion left whom an edit mentioned": stored(ROOM, 4, mentions=(OTHER,)),
        "An edit left the rows as they were": stored(ROOM, KEPT, mentioned=(READER,)),
        "A deletion left the row of somebody whom the message mentioned": stored(
            ROOM, GONE, mentioned=(OTHER,)
        ),
        "Somebody is mentioned and has no row": stored(ROOM, KEPT, mentioned=()),
        "A message mentions somebody who was never a member": (
            spoils(_mention)(LAST, (99,)),
            stored(ROOM, LAST, mentioned=(99,)),
            shown(ROOM, LAST, 7, mentions=(99,)),
            believed(ROOM, LAST, 7, mentions=(99,)),
        ),
        "A reader is handed a message that mentions nobody with a mention": handed_to(
            EARLY, LAST, mentions=(OTHER,)
        ),
        "A history has a message that mentions nobody with a mention": shown(
            ROOM, LAST, 7, mentions=(OTHER,)
        ),
        "A mark counts a message that mentions nobody": entry("marks", MARKS[1], unread_mentions=2),
        "A mark leaves out a message that mentions its reader": entry("marks", MARKS[0], unread_mentions=0),
    },
    "I36": {
        "A message mentions everybody, and no row says so": (
            _called,
            stored(ROOM, LAST, mentioned=()),
        ),
        "A mark leaves out a message that mentions everybody": (_called, _not_counted),
        "A member mentions everybody in a room of more than fifty": (_called, _crowded),
    },
}
MENTION_FORGERIES: Final = forgeries(_WAYS)
