"""Typing in the good history, and the ways to spoil it: each forgery breaks I29 alone."""

from typing import Any, Final

from tests.judge.history import History
from tests.judge.typists import ToldTypists, Typed

from .spoiling import Table, forgeries, spoils


def with_typing(history: History) -> History:
    """Have the sender of the history with marks type twice, and its reader hear of the first."""
    room, reader, sender = history.marks[0].room, history.marks[0].user, history.marks[-1].user
    history.typed = [Typed(sender, room, 10.0), Typed(sender, room, 13.0)]
    history.typists = [ToldTypists("reader-1", reader, room, 10.5, 3, (sender,))]
    return history


@spoils
def _told(history: History, /, **changes: Any) -> None:
    history.typists.append(history.typists[0]._replace(**changes))


def _of_oneself(history: History) -> None:
    _told(user=history.typed[0].user)(history)


def _of_who_has_left(history: History) -> None:
    ended = next(one for one in history.memberships if one.to_seq is not None)
    history.typed.append(Typed(ended.user, ended.room, 10.0))
    _told(room=ended.room, seq=ended.to_seq, typists=(ended.user,))(history)


def _logged(history: History) -> None:
    place = next(place for place, row in enumerate(history.rows) if row.uuid == "c-2-50")
    sent = next(place for place, one in enumerate(history.operations) if one.uuid == "c-2-50")
    history.rows[place] = history.rows[place]._replace(kind="typing")
    history.operations[sent] = history.operations[sent]._replace(kind="typing")


_WAYS: Final[Table] = {
    "I29": {
        "The sender is told of itself": _of_oneself,
        "Somebody is said to type before saying so": _told(at=9.9),
        "Somebody types in a room whom no log knows there": (
            lambda history: history.typed.append(Typed(99, history.typed[0].room, 10.0)),
            _told(typists=(99,)),
        ),
        "The client was handed the end of the typist's membership before": _of_who_has_left,
        "A client is told of a room that it does not follow": _told(seq=None),
        "A command and its row have the kind of what is never stored": _logged,
    },
}
TYPING_FORGERIES: Final = forgeries(_WAYS)
