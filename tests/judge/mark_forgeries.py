"""Read marks of the good history, and the ways to spoil them: each forgery breaks I18 alone."""

from collections.abc import Callable
from typing import Any, Final

from roomlog_contract.limits import UNREAD_COUNTED
from tests.judge.history import History
from tests.judge.marks import Mark


def with_marks(history: History, room: str, reader: int, sender: int) -> History:
    """Have a reader mark a room three times, the last time late, and a sender hear of a mark of its own."""
    asked = ((10.0, 60, 30, 30, 9.9), (20.0, 120, 60, 60, 19.9), (21.0, 126, 60, 40, 20.9))
    marks = [
        Mark("reader-1", reader, room, at, head, read_seq, 0, wanted, invoked_at)
        for at, head, read_seq, wanted, invoked_at in asked
    ]
    marks.append(Mark("sender-1", sender, room, 15.0, 90, 70, 0))
    history.marks = [_counted(history, mark) for mark in marks]
    later: dict[str, Any] = {"at": 50.0, "head": 240, "wanted": 0, "invoked_at": None}
    fresh = (mark._replace(**later, notify="mentions", set_last="mentions") for mark in marks[2:])
    history.fresh_marks = [_counted(history, mark) for mark in fresh]
    history.known_marks = list(history.fresh_marks)
    return history


def _counted(history: History, mark: Mark) -> Mark:
    """Return the mark with the right number of unread messages."""
    seqs = [row.seq for row in history.rows if row.room == mark.room and row.user != mark.user]
    return mark._replace(unread=min(UNREAD_COUNTED, sum(mark.read_seq < seq <= mark.head for seq in seqs)))


def take_a_mark_back(history: History) -> None:
    """A mark is answered with less than an earlier answer had."""
    history.marks[2] = _counted(history, history.marks[2]._replace(read_seq=40))


def move_a_mark_less_than_asked(history: History) -> None:
    """A mark is answered with less than what was asked for, which the room has."""
    history.marks[0] = history.marks[0]._replace(wanted=31)


def lose_a_mark(history: History) -> None:
    """The server's list in the end has less than a client was answered."""
    history.fresh_marks[0] = _counted(history, history.fresh_marks[0]._replace(read_seq=40))
    history.known_marks.clear()


def count_ones_own_messages(history: History) -> None:
    """A notice counts the reader's own messages as unread."""
    mark = history.marks[-1]
    history.marks[-1] = mark._replace(unread=mark.head - mark.read_seq)


def keep_a_mark_from_a_device(history: History) -> None:
    """One of the user's clients still believes an earlier mark."""
    history.known_marks[0] = _counted(history, history.known_marks[0]._replace(read_seq=30))


def lose_a_level(history: History) -> None:
    """The server's list has another level than was set last, and the clients believe it."""
    for marks in (history.fresh_marks, history.known_marks):
        marks[0] = marks[0]._replace(notify="all")


def keep_a_level_from_a_device(history: History) -> None:
    """One of the user's clients still believes an earlier level."""
    history.known_marks[0] = history.known_marks[0]._replace(notify="none")


MARK_FORGERIES: Final[list[Callable[[History], None]]] = [
    take_a_mark_back,
    move_a_mark_less_than_asked,
    lose_a_mark,
    count_ones_own_messages,
    keep_a_mark_from_a_device,
    lose_a_level,
    keep_a_level_from_a_device,
]
