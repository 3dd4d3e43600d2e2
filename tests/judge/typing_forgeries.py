"""Typing in the good history, and the ways to spoil it: each forgery breaks I29 alone."""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.history import History
from tests.judge.typists import ToldTypists, Typed


def with_typing(history: History) -> History:
    """Have the sender of the history with marks type twice, and its reader hear of the first."""
    room, reader, sender = history.marks[0].room, history.marks[0].user, history.marks[-1].user
    history.typed = [Typed(sender, room, 10.0), Typed(sender, room, 13.0)]
    history.typists = [ToldTypists("reader-1", reader, room, 10.5, 3, (sender,))]
    return history


def _spoil(history: History, **changes: Any) -> None:
    history.typists.append(history.typists[0]._replace(**changes))


def tell_of_oneself(history: History) -> None:
    """The sender is told of itself."""
    _spoil(history, user=history.typed[0].user)


def tell_too_early(history: History) -> None:
    """Somebody is said to type before saying so."""
    _spoil(history, at=9.9)


def tell_of_a_stranger(history: History) -> None:
    """Somebody types in a room whom no log knows there."""
    history.typed.append(Typed(99, history.typed[0].room, 10.0))
    _spoil(history, typists=(99,))


def tell_of_who_has_left(history: History) -> None:
    """The client was handed the end of the typist's membership before."""
    ended = next(one for one in history.memberships if one.to_seq is not None)
    history.typed.append(Typed(ended.user, ended.room, 10.0))
    _spoil(history, room=ended.room, seq=ended.to_seq, typists=(ended.user,))


def tell_a_stranger(history: History) -> None:
    """A client is told of a room that it does not follow."""
    _spoil(history, seq=None)


def log_typing(history: History) -> None:
    """A command and its row have the kind of what is never stored."""
    place = next(place for place, row in enumerate(history.rows) if row.uuid == "c-2-50")
    sent = next(place for place, one in enumerate(history.operations) if one.uuid == "c-2-50")
    history.rows[place] = history.rows[place]._replace(kind="typing")
    history.operations[sent] = history.operations[sent]._replace(kind="typing")


TYPING_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I29", tell_of_oneself),
    ("I29", tell_too_early),
    ("I29", tell_of_a_stranger),
    ("I29", tell_of_who_has_left),
    ("I29", tell_a_stranger),
    ("I29", log_typing),
]
"""Each with the one invariant that must flag it."""
