"""A room of a good history in which messages were edited and deleted, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of edits and deletions alone.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

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

ROOM: Final = "f" * 32
BEGAN_AT: Final = 70.0
"""After everything else of the history."""
EARLY, LATE = "early-f", "late-f"
OTHER: Final = 2
"""A member who says nothing."""
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


def with_changes(history: History, author: int, reader: int) -> History:
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
    history.readings[-1:-1] = [_read(EARLY, reader, sent), _read(LATE, reader, rows)]
    history.connections += [
        Connection(EARLY, 100, 0.0),
        Connection(LATE, 101, BEGAN_AT + 20.0),
    ]
    before = [_shown(reader, 4, KEPT, "text 3", 3000), _shown(reader, 4, GONE, "text 4", 4000)]
    after = [
        _shown(reader, 7, KEPT, "text 5", 5000),
        _shown(reader, 7, GONE, "", 4000)._replace(is_deleted=True),
        _shown(reader, 7, 7, "text 7", None),
    ]
    history.shown[1:1] = [*before, *after]
    history.believed = after
    history.memberships[:0] = [Membership(ROOM, user) for user in (author, OTHER, reader)]
    history.marks[3:3] = [
        Mark(EARLY, reader, ROOM, BEGAN_AT + 5.5, 5, 0, 2),
        Mark(EARLY, reader, ROOM, BEGAN_AT + 8.0, 7, 0, 2),
    ]
    return history


def _sent(row: Row) -> Operation:
    """Return what became a row, answered at once."""
    at = BEGAN_AT + row.seq
    attempts = (Attempt(99, row.seq, at, at + 0.1, Outcome.SUCCESS),)
    facts = (row.user, ROOM, row.uuid, row.text, attempts, (row.seq,), at + 0.1)
    return Operation("sender-f", *facts, kind=row.kind, target=row.target)


def _read(client: str, user: int, rows: Iterable[Row]) -> Reading:
    events = (Applied(row.seq, row.user, row.uuid, row.text, BEGAN_AT + row.seq) for row in rows)
    return Reading(client, user, ROOM, 0, tuple(events))


def _shown(user: int, head: int, seq: int, text: str, edited_at: int | None) -> Shown:
    return Shown(EARLY, ROOM, seq, 1, text, "", BEGAN_AT + 9.0, head, edited_at)


def _change_row(history: History, seq: int, **facts: Any) -> None:
    index = next(index for index, row in enumerate(history.rows) if (row.room, row.seq) == (ROOM, seq))
    history.rows[index] = history.rows[index]._replace(**facts)


def _change_operation(history: History, seq: int, **facts: Any) -> None:
    index = next(index for index, one in enumerate(history.operations) if one.uuid == f"f-{seq}")
    history.operations[index] = history.operations[index]._replace(**facts)


def _change_shown(found: list[Shown], seq: int, head: int, **facts: Any) -> None:
    index = next(i for i, one in enumerate(found) if (one.room, one.seq, one.head) == (ROOM, seq, head))
    found[index] = found[index]._replace(**facts)


def store_another_edit(history: History) -> None:
    """An edit has another text than was sent, and readers know only that."""
    _change_operation(history, 5, text="text of another")
    for found in (history.shown, history.believed):
        _change_shown(found, KEPT, 7, text="text of another")


def edit_another_message_than_was_asked(history: History) -> None:
    """A client asked to edit another message."""
    _change_operation(history, 5, target=7)


def forget_the_last_edit(history: History) -> None:
    """A message's row points to the edit before the last."""
    _change_row(history, KEPT, edited_seq=3)


def show_an_older_text(history: History) -> None:
    """A history is as of 7 and has the text that 5 replaced."""
    _change_shown(history.shown, KEPT, 7, text="text 3", edited_at=3000)


def show_another_time(history: History) -> None:
    """A history has the last text with the time of the edit before."""
    _change_shown(history.shown, KEPT, 7, edited_at=3000)


def show_a_deleted_message(history: History) -> None:
    """A history as of the deletion has the text still."""
    _change_shown(history.shown, GONE, 7, text="text 4", is_deleted=False)


def show_an_empty_message(history: History) -> None:
    """A history has a message without its text that is not marked as deleted."""
    _change_shown(history.shown, GONE, 4, text="")


def believe_an_older_text(history: History) -> None:
    """A client has had the edit and knows the text before it."""
    _change_shown(history.believed, KEPT, 7, text="text 3", edited_at=3000)


def believe_in_a_deleted_message(history: History) -> None:
    """A client has had the deletion and knows the text."""
    _change_shown(history.believed, GONE, 7, text="text 4", is_deleted=False)


def believe_in_a_deletion(history: History) -> None:
    """A client takes a message for deleted that is not."""
    _change_shown(history.believed, KEPT, 7, text="", is_deleted=True)


def _let_another(history: History, seq: int, user: int) -> None:
    _change_row(history, seq, user=user)
    _change_operation(history, seq, user=user)
    for index, reading in enumerate(history.readings):
        if reading.room == ROOM:
            events = (one._replace(user=user) if one.seq == seq else one for one in reading.events)
            history.readings[index] = reading._replace(events=tuple(events))


def let_somebody_else_edit(history: History) -> None:
    """An edit by somebody who has not said the message."""
    _let_another(history, 5, OTHER)


def let_a_member_delete_anothers_message(history: History) -> None:
    """A deletion by somebody who has neither said the message nor a role for that."""
    _let_another(history, 6, OTHER)


def _retarget(history: History, seq: int, target: int) -> None:
    _change_row(history, seq, target=target)
    _change_operation(history, seq, target=target)


def delete_a_message_twice(history: History) -> None:
    """The last event is a second deletion."""
    facts = {"kind": DELETION_KIND, "target": GONE, "text": ""}
    _change_row(history, 7, **facts)
    _change_operation(history, 7, **facts)
    _without_last_message(history)


def edit_a_deleted_message(history: History) -> None:
    """The last event edits what is deleted."""
    _change_row(history, GONE, edited_seq=7)
    _change_row(history, 7, kind=EDIT_KIND, target=GONE, text="", body_hash="")
    _change_operation(history, 7, kind=EDIT_KIND, target=GONE, text="")
    _without_last_message(history)


def _without_last_message(history: History) -> None:
    for index, reading in enumerate(history.readings):
        if reading.room == ROOM:
            last = reading.events[-1]._replace(text="")
            history.readings[index] = reading._replace(events=(*reading.events[:-1], last))
    history.shown = [one for one in history.shown if (one.room, one.seq) != (ROOM, 7)]
    history.believed = [one for one in history.believed if one.seq != 7]
    history.marks[MARKS[1]] = history.marks[MARKS[1]]._replace(unread=1)


def edit_what_is_no_message(history: History) -> None:
    """An edit changes an edit."""
    _retarget(history, 5, 3)
    _change_row(history, KEPT, edited_seq=3)
    for found in (history.shown, history.believed):
        _change_shown(found, KEPT, 7, text="text 3", edited_at=3000)


def keep_a_deleted_text(history: History) -> None:
    """A deletion left the message's text, which newcomers were not handed."""
    _change_row(history, GONE, text="text 2")
    _without_newcomer(history)


def keep_the_text_of_an_edit(history: History) -> None:
    """A deletion left the text of an edit."""
    _change_row(history, 4, text="text 4")
    _without_newcomer(history)


def keep_the_hash_of_a_deleted_message(history: History) -> None:
    """A deletion left the hash of the message, which confirms a guess."""
    _change_row(history, GONE, body_hash="hash 2")


def keep_the_hash_of_an_edit(history: History) -> None:
    """A deletion left the hash of an edit."""
    _change_row(history, 4, body_hash="hash 4")


def delete_without_a_mark(history: History) -> None:
    """A deletion took the text and left the message as one that is there."""
    _change_row(history, GONE, is_deleted=False)
    history.shown = [one for one in history.shown if (one.room, one.seq) != (ROOM, GONE)]
    history.believed = [one for one in history.believed if one.seq != GONE]


def delete_without_an_event(history: History) -> None:
    """A message is deleted, and neither a deletion nor an erasure did it."""
    _change_row(history, 7, is_deleted=True)


def hand_a_deleted_text_to_a_newcomer(history: History) -> None:
    """A client that came after the deletion reads the text."""
    _hand(history, LATE, GONE, "text 2")


def hand_a_deleted_edit_to_a_newcomer(history: History) -> None:
    """A client that came after the deletion reads what an edit had made of the message."""
    _hand(history, LATE, 4, "text 4")


def _hand(history: History, client: str, seq: int, text: str) -> None:
    index = next(index for index, one in enumerate(history.readings) if one.client == client)
    reading = history.readings[index]
    events = (one._replace(text=text) if one.seq == seq else one for one in reading.events)
    history.readings[index] = reading._replace(events=tuple(events))


def _without_newcomer(history: History) -> None:
    history.readings = [one for one in history.readings if one.client != LATE]


def count_a_deleted_message(history: History) -> None:
    """A mark counts a message as unread whose deletion is below the head."""
    history.marks[MARKS[1]] = history.marks[MARKS[1]]._replace(unread=3)


def count_a_deletion_before_its_time(history: History) -> None:
    """A mark leaves out a message that is deleted only above its head."""
    history.marks[MARKS[0]] = history.marks[MARKS[0]]._replace(unread=1)


CHANGE_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I5", store_another_edit),
    ("I5", edit_another_message_than_was_asked),
    ("I18", count_a_deleted_message),
    ("I18", count_a_deletion_before_its_time),
    ("I19", forget_the_last_edit),
    ("I19", show_an_older_text),
    ("I19", show_another_time),
    ("I19", show_a_deleted_message),
    ("I19", show_an_empty_message),
    ("I19", believe_an_older_text),
    ("I19", believe_in_a_deleted_message),
    ("I19", believe_in_a_deletion),
    ("I20", let_somebody_else_edit),
    ("I20", let_a_member_delete_anothers_message),
    ("I20", delete_a_message_twice),
    ("I20", edit_a_deleted_message),
    ("I20", edit_what_is_no_message),
    ("I21", keep_a_deleted_text),
    ("I21", keep_the_text_of_an_edit),
    ("I21", keep_the_hash_of_a_deleted_message),
    ("I21", keep_the_hash_of_an_edit),
    ("I21", delete_without_a_mark),
    ("I21", delete_without_an_event),
    ("I21", hand_a_deleted_text_to_a_newcomer),
    ("I21", hand_a_deleted_edit_to_a_newcomer),
]
"""Each with the one invariant that must flag it."""
