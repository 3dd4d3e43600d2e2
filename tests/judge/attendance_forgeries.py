"""Presence in the good history, and the ways to spoil it: each forgery breaks I33 alone."""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.attendance import AtRest, ToldPresence
from tests.judge.history import History


def with_presence(history: History) -> History:
    """Have a reader of the history with marks see itself and the sender, until the end."""
    room, reader, sender = history.marks[0].room, history.marks[0].user, history.marks[-1].user
    told = ToldPresence("reader-1", reader, room, 10.5, 3, tuple(sorted((reader, sender))), 2)
    history.attendance.told = [told]
    history.attendance.at_rest = [AtRest(told, told.users or ())]
    return history


def _spoil(history: History, **changes: Any) -> None:
    history.attendance.told.append(history.attendance.told[0]._replace(**changes))


def tell_a_stranger(history: History) -> None:
    """A client is told of a room that it does not follow."""
    _spoil(history, seq=None)


def tell_of_a_stranger(history: History) -> None:
    """Somebody is there whom no log knows there."""
    _spoil(history, users=(99,), number=1)


def tell_of_who_has_left(history: History) -> None:
    """The client was handed the end of that membership before."""
    ended = next(one for one in history.memberships if one.to_seq is not None)
    _spoil(history, room=ended.room, seq=ended.to_seq, users=(ended.user,), number=1)


def count_connections(history: History) -> None:
    """Somebody with two connections counts twice."""
    _spoil(history, number=3)


def miss_somebody(history: History) -> None:
    """In the end a watcher sees one less than there are."""
    (last,) = history.attendance.at_rest
    history.attendance.at_rest = [AtRest(last.told, (*last.connected, 99))]


def see_a_ghost(history: History) -> None:
    """In the end a watcher sees one who is gone."""
    (last,) = history.attendance.at_rest
    history.attendance.at_rest = [AtRest(last.told, last.connected[:1])]


ATTENDANCE_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I33", tell_a_stranger),
    ("I33", tell_of_a_stranger),
    ("I33", tell_of_who_has_left),
    ("I33", count_connections),
    ("I33", miss_somebody),
    ("I33", see_a_ghost),
]
"""Each with the one invariant that must flag it."""
