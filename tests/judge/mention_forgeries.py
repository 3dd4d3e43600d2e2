"""Mentions in the good history's room of changes, and the ways to spoil them.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.checker.mentions import SMALL
from tests.judge.history import History, Shown
from tests.judge.mentions import EVERYBODY
from tests.judge.moderation import Membership

from .change_forgeries import EARLY, GONE, KEPT, LATE, MARKS, OTHER, ROOM

LAST: Final = 7
"""A message that nobody changed."""


def with_mentions(history: History, reader: int) -> History:
    """Have a message mention its reader, and its edits another member too."""
    both = tuple(sorted((OTHER, reader)))
    _mention(history, KEPT, (reader,))
    for seq in (3, 5):
        _mention(history, seq, both)
    _change_row(history, KEPT, mentioned=both)
    _show(history.shown, KEPT, 4, both)
    for found in (history.shown, history.believed):
        _show(found, KEPT, 7, both)
    for place in MARKS:
        history.marks[place] = history.marks[place]._replace(unread_mentions=1)
    return history


def _mention(history: History, seq: int, users: tuple[int, ...]) -> None:
    """Have a message or an edit sent, stored and handed on with these mentions."""
    place = next(place for place, one in enumerate(history.operations) if one.uuid == f"f-{seq}")
    history.operations[place] = history.operations[place]._replace(mentions=users)
    _change_row(history, seq, mentions=users)
    for client in (EARLY, LATE):
        _hand(history, client, seq, users)


def _change_row(history: History, seq: int, **facts: Any) -> None:
    place = next(place for place, row in enumerate(history.rows) if (row.room, row.seq) == (ROOM, seq))
    history.rows[place] = history.rows[place]._replace(**facts)


def _hand(history: History, client: str, seq: int, users: tuple[int, ...]) -> None:
    place = next(place for place, one in enumerate(history.readings) if one.client == client)
    reading = history.readings[place]
    events = (one._replace(mentions=users) if one.seq == seq else one for one in reading.events)
    history.readings[place] = reading._replace(events=tuple(events))


def _show(found: list[Shown], seq: int, head: int, users: tuple[int, ...]) -> None:
    place = next(i for i, one in enumerate(found) if (one.room, one.seq, one.head) == (ROOM, seq, head))
    found[place] = found[place]._replace(mentions=users)


def store_others(history: History) -> None:
    """A message is stored with other mentions than were sent."""
    _change_row(history, LAST, mentions=(OTHER,))


def keep_those_of_a_deleted_message(history: History) -> None:
    """A deletion left whom the message mentioned."""
    _change_row(history, GONE, mentions=(OTHER,))


def keep_those_of_a_deleted_edit(history: History) -> None:
    """A deletion left whom an edit mentioned."""
    _change_row(history, 4, mentions=(OTHER,))


def keep_the_row_before_an_edit(history: History) -> None:
    """An edit left the rows as they were."""
    reader = history.marks[MARKS[0]].user
    _change_row(history, KEPT, mentioned=(reader,))


def keep_the_row_of_a_deleted_message(history: History) -> None:
    """A deletion left the row of somebody whom the message mentioned."""
    _change_row(history, GONE, mentioned=(OTHER,))


def lose_a_row(history: History) -> None:
    """Somebody is mentioned and has no row."""
    _change_row(history, KEPT, mentioned=())


def mention_a_stranger(history: History) -> None:
    """A message mentions somebody who was never a member."""
    _mention(history, LAST, (99,))
    _change_row(history, LAST, mentioned=(99,))
    for found in (history.shown, history.believed):
        _show(found, LAST, 7, (99,))


def hand_on_others(history: History) -> None:
    """A reader is handed a message that mentions nobody with a mention."""
    _hand(history, EARLY, LAST, (OTHER,))


def show_others(history: History) -> None:
    """A history has a message that mentions nobody with a mention."""
    _show(history.shown, LAST, 7, (OTHER,))


def show_those_before_an_edit(history: History) -> None:
    """A history has the edited text with the mentions before."""
    _show(history.shown, KEPT, 7, (history.marks[MARKS[0]].user,))


def believe_in_none(history: History) -> None:
    """A client has had the edit and knows none of its mentions."""
    _show(history.believed, KEPT, 7, ())


def count_more_than_mention(history: History) -> None:
    """A mark counts a message that mentions nobody."""
    history.marks[MARKS[1]] = history.marks[MARKS[1]]._replace(unread_mentions=2)


def overlook_a_mention(history: History) -> None:
    """A mark leaves out a message that mentions its reader."""
    history.marks[MARKS[0]] = history.marks[MARKS[0]]._replace(unread_mentions=0)


def mention_the_room_without_a_row(history: History) -> None:
    """A message mentions everybody, and no row says so."""
    _call(history)
    _change_row(history, LAST, mentioned=())


def count_nobody_for_the_room(history: History) -> None:
    """A mark leaves out a message that mentions everybody."""
    _call(history)
    for place in MARKS:
        mark = history.marks[place]
        history.marks[place] = mark._replace(unread_mentions=mark.unread_mentions - (mark.head >= LAST))


def mention_a_large_room(history: History) -> None:
    """A member mentions everybody in a room of more than fifty."""
    _call(history)
    crowd = (Membership(ROOM, user) for user in range(1_000, 1_000 + SMALL))
    history.memberships += crowd


def _call(history: History) -> None:
    """Have a message mention everybody, by one row, so that all others count it."""
    _mention(history, LAST, (EVERYBODY,))
    _change_row(history, LAST, mentioned=(EVERYBODY,))
    author = next(row.user for row in history.rows if (row.room, row.seq) == (ROOM, LAST))
    for found in (history.shown, history.believed):
        _show(found, LAST, 7, (EVERYBODY,))
    for place in MARKS:
        mark = history.marks[place]
        is_counted = mark.read_seq < LAST <= mark.head and mark.user != author
        history.marks[place] = mark._replace(unread_mentions=mark.unread_mentions + is_counted)


MENTION_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I19", show_those_before_an_edit),
    ("I19", believe_in_none),
    ("I30", store_others),
    ("I30", keep_those_of_a_deleted_message),
    ("I30", keep_those_of_a_deleted_edit),
    ("I30", keep_the_row_before_an_edit),
    ("I30", keep_the_row_of_a_deleted_message),
    ("I30", lose_a_row),
    ("I30", mention_a_stranger),
    ("I30", hand_on_others),
    ("I30", show_others),
    ("I30", count_more_than_mention),
    ("I30", overlook_a_mention),
    ("I36", mention_the_room_without_a_row),
    ("I36", count_nobody_for_the_room),
    ("I36", mention_a_large_room),
]
"""Each with the one invariant that must flag it."""
