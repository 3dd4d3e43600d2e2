"""A room of a good history in which messages were edited and deleted, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of edits and deletions alone.
"""

from collections.abc import Iterable
from typing import Final

from tests.judge.history import (
    DELETION_KIND,
    EDIT_KIND,
    MESSAGE_KIND,
    Applied,
    Attempt,
    Connection,
    History,
    Operation,
    Outcome,
    Reading,
    Row,
    Shown,
)
from tests.judge.marks import Mark
from tests.judge.moderation import Membership

from .spoiling import (
    Table,
    asked,
    believed,
    change_entry,
    change_handed,
    change_operation,
    change_row,
    entry,
    forgeries,
    forget_view,
    handed_to,
    shown,
    spoils,
    stored,
    unseen,
    without,
)

ROOM: Final = "f" * 32
BEGAN_AT: Final = 70.0
"""After everything else of the history."""
EARLY, LATE = "early-f", "late-f"
OTHER, READER = 2, 4
"""Members who say nothing."""
KEPT: Final = 1
GONE: Final = 2
LOG: Final = (
    (MESSAGE_KIND, 0),
    (MESSAGE_KIND, 0),
    (EDIT_KIND, KEPT),
    (EDIT_KIND, GONE),
    (EDIT_KIND, KEPT),
    (DELETION_KIND, GONE),
    (MESSAGE_KIND, 0),
)
"""Kind and target of each event, from seq 1 on."""
ERASED_SEQS: Final = (2, 4)
"""The deleted message and its edit."""
CHANGES: Final = len(LOG)
MARKS: Final = (3, 4)
"""Places of the room's marks: before and after the deletion."""


def with_changes(history: History, author: int) -> History:
    """Return it with one more room: a message edited twice, another edited and deleted, and one untouched."""
    sent = [
        Row(
            ROOM, seq, author, f"f-{seq}", kind, "" if kind == DELETION_KIND else f"text {seq}", target=target
        )
        for seq, (kind, target) in enumerate(LOG, start=1)
    ]
    rows = [row._replace(body_hash=f"hash {row.seq}", at_ms=1000 * row.seq) for row in sent]
    rows[KEPT - 1] = rows[KEPT - 1]._replace(edited_seq=5)
    rows[GONE - 1] = rows[GONE - 1]._replace(edited_seq=4, is_deleted=True)
    for seq in ERASED_SEQS:
        rows[seq - 1] = rows[seq - 1]._replace(text="", body_hash="")
    history.rows += rows
    history.operations += [_sent(row) for row in sent]
    history.readings[-1:-1] = [_read(EARLY, sent), _read(LATE, rows)]
    history.connections += [
        Connection(EARLY, 100, 0.0),
        Connection(LATE, 101, BEGAN_AT + 20.0),
    ]
    before = [_shown(4, KEPT, "text 3", 3000), _shown(4, GONE, "text 4", 4000)]
    after = [
        _shown(7, KEPT, "text 5", 5000),
        _shown(7, GONE, "", 4000)._replace(is_deleted=True),
        _shown(7, 7, "text 7", None),
    ]
    history.shown[1:1] = [*before, *after]
    history.believed = after
    history.memberships[:0] = [Membership(ROOM, user) for user in (author, OTHER, READER)]
    history.marks[3:3] = [
        Mark(EARLY, READER, ROOM, BEGAN_AT + 5.5, 5, 0, 2),
        Mark(EARLY, READER, ROOM, BEGAN_AT + 8.0, 7, 0, 2),
    ]
    return history


def _sent(row: Row) -> Operation:
    """Return what became a row, answered at once."""
    at = BEGAN_AT + row.seq
    attempts = (Attempt(99, row.seq, at, at + 0.1, Outcome.SUCCESS),)
    facts = (row.user, ROOM, row.uuid, row.text, attempts, (row.seq,), at + 0.1)
    return Operation("sender-f", *facts, kind=row.kind, target=row.target)


def _read(client: str, rows: Iterable[Row]) -> Reading:
    events = (Applied(row.seq, row.user, row.uuid, row.text, BEGAN_AT + row.seq) for row in rows)
    return Reading(client, READER, ROOM, 0, tuple(events))


def _shown(head: int, seq: int, text: str, edited_at: int | None) -> Shown:
    return Shown(EARLY, ROOM, seq, 1, text, "", BEGAN_AT + 9.0, head, edited_at)


@spoils
def _by(history: History, seq: int, user: int) -> None:
    """Have an event by somebody else, wherever it is known."""
    change_row(history, ROOM, seq, user=user)
    change_operation(history, ROOM, seq, user=user)
    for client in (EARLY, LATE):
        change_handed(history, client, seq, user=user)


def _without_last_message(history: History) -> None:
    for client in (EARLY, LATE):
        change_handed(history, client, 7, text="")
    forget_view(history, ROOM, 7)
    change_entry(history, "marks", MARKS[1], unread=1)


_WAYS: Final[Table] = {
    "I5": {
        "An edit has another text than was sent, and readers know only that": (
            asked(ROOM, 5, text="text of another"),
            shown(ROOM, KEPT, 7, text="text of another"),
            believed(ROOM, KEPT, 7, text="text of another"),
        ),
        "A client asked to edit another message": asked(ROOM, 5, target=7),
    },
    "I18": {
        "A mark counts a message whose deletion is below the head": entry("marks", MARKS[1], unread=3),
        "A mark leaves out a message deleted only above its head": entry("marks", MARKS[0], unread=1),
    },
    "I19": {
        "A message's row points to the edit before the last": stored(ROOM, KEPT, edited_seq=3),
        "A history is as of 7 and has the text that 5 replaced": shown(
            ROOM, KEPT, 7, text="text 3", edited_at=3000
        ),
        "A history has the last text with the time of the edit before": shown(ROOM, KEPT, 7, edited_at=3000),
        "A history as of the deletion has the text still": shown(
            ROOM, GONE, 7, text="text 4", is_deleted=False
        ),
        "A history has a message without its text that is not marked as deleted": shown(
            ROOM, GONE, 4, text=""
        ),
        "A client has had the edit and knows the text before it": believed(
            ROOM, KEPT, 7, text="text 3", edited_at=3000
        ),
        "A client has had the deletion and knows the text": believed(
            ROOM, GONE, 7, text="text 4", is_deleted=False
        ),
        "A client takes a message for deleted that is not": believed(ROOM, KEPT, 7, text="", is_deleted=True),
    },
    "I20": {
        "An edit by somebody who has not said the message": _by(5, OTHER),
        "A deletion by somebody who has neither said the message nor a role for that": _by(6, OTHER),
        "The last event is a second deletion": (
            stored(ROOM, 7, kind=DELETION_KIND, target=GONE, text=""),
            asked(ROOM, 7, kind=DELETION_KIND, target=GONE, text=""),
            _without_last_message,
        ),
        "The last event edits what is deleted": (
            stored(ROOM, GONE, edited_seq=7),
            stored(ROOM, 7, kind=EDIT_KIND, target=GONE, text="", body_hash=""),
            asked(ROOM, 7, kind=EDIT_KIND, target=GONE, text=""),
            _without_last_message,
        ),
        "An edit changes an edit": (
            stored(ROOM, 5, target=3),
            asked(ROOM, 5, target=3),
            stored(ROOM, KEPT, edited_seq=3),
            shown(ROOM, KEPT, 7, text="text 3", edited_at=3000),
            believed(ROOM, KEPT, 7, text="text 3", edited_at=3000),
        ),
    },
    "I21": {
        "A deletion left the message's text, which newcomers were not handed": (
            stored(ROOM, GONE, text="text 2"),
            without("readings", lambda one: one.client == LATE),
        ),
        "A deletion left the text of an edit": (
            stored(ROOM, 4, text="text 4"),
            without("readings", lambda one: one.client == LATE),
        ),
        "A deletion left the hash of the message, which confirms a guess": stored(
            ROOM, GONE, body_hash="hash 2"
        ),
        "A deletion left the hash of an edit": stored(ROOM, 4, body_hash="hash 4"),
        "A deletion took the text and left the message as one that is there": (
            stored(ROOM, GONE, is_deleted=False),
            unseen(ROOM, GONE),
        ),
        "A message is deleted, and neither a deletion nor an erasure did it": stored(
            ROOM, 7, is_deleted=True
        ),
        "A client that came after the deletion reads the text": handed_to(LATE, GONE, text="text 2"),
        "A client that came after the deletion reads what an edit had made of the message": handed_to(
            LATE, 4, text="text 4"
        ),
    },
}
CHANGE_FORGERIES: Final = forgeries(_WAYS)
