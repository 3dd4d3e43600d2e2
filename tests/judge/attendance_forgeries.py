"""Presence in the good history, and the ways to spoil it: each forgery breaks I33 alone."""

from typing import Any, Final

from tests.judge.attendance import AtRest, ToldPresence
from tests.judge.history import History

from .spoiling import Table, forgeries, spoils


def with_presence(history: History) -> History:
    """Have a reader of the history with marks see itself and the sender, until the end."""
    room, reader, sender = history.marks[0].room, history.marks[0].user, history.marks[-1].user
    told = ToldPresence("reader-1", reader, room, 10.5, 3, tuple(sorted((reader, sender))), 2)
    history.attendance.told = [told]
    history.attendance.at_rest = [AtRest(told, told.users or ())]
    return history


@spoils
def _told(history: History, /, **changes: Any) -> None:
    history.attendance.told.append(history.attendance.told[0]._replace(**changes))


def _of_who_has_left(history: History) -> None:
    ended = next(one for one in history.memberships if one.to_seq is not None)
    _told(room=ended.room, seq=ended.to_seq, users=(ended.user,), number=1)(history)


def _one_missed(history: History) -> None:
    (last,) = history.attendance.at_rest
    history.attendance.at_rest = [AtRest(last.told, (*last.connected, 99))]


def _ghost(history: History) -> None:
    (last,) = history.attendance.at_rest
    history.attendance.at_rest = [AtRest(last.told, last.connected[:1])]


_WAYS: Final[Table] = {
    "I33": {
        "A client is told of a room that it does not follow": _told(seq=None),
        "Somebody is there whom no log knows there": _told(users=(99,), number=1),
        "The client was handed the end of that membership before": _of_who_has_left,
        "Somebody with two connections counts twice": _told(number=3),
        "In the end a watcher sees one less than there are": _one_missed,
        "In the end a watcher sees one who is gone": _ghost,
    },
}
ATTENDANCE_FORGERIES: Final = forgeries(_WAYS)
