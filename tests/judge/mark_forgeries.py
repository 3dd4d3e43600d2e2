"""Read marks of the good history, and the ways to spoil them: each forgery breaks I18 alone."""

from typing import Any, Final

from roomlog_contract.limits import UNREAD_COUNTED
from tests.judge.history import History
from tests.judge.marks import Mark

from .spoiling import Table, entry, forgeries, spoils


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


@spoils
def _moved(history: History, name: str, place: int, read_seq: int) -> None:
    """Have a mark elsewhere, with the right number of unread messages."""
    marks = getattr(history, name)
    marks[place] = _counted(history, marks[place]._replace(read_seq=read_seq))


def _own_counted(history: History) -> None:
    mark = history.marks[-1]
    history.marks[-1] = mark._replace(unread=mark.head - mark.read_seq)


_WAYS: Final[Table] = {
    "I18": {
        "A mark is answered with less than an earlier answer had": _moved("marks", 2, 40),
        "A mark is answered with less than was asked for, which the room has": entry("marks", 0, wanted=31),
        "The server's list in the end has less than a client was answered": (
            _moved("fresh_marks", 0, 40),
            lambda history: history.known_marks.clear(),
        ),
        "A notice counts the reader's own messages as unread": _own_counted,
        "A client of the user still believes an earlier mark": _moved("known_marks", 0, 30),
        "The server's list has another level than was set last, and the clients believe it": (
            entry("fresh_marks", 0, notify="all"),
            entry("known_marks", 0, notify="all"),
        ),
        "A client of the user still believes an earlier level": entry("known_marks", 0, notify="none"),
    },
}
MARK_FORGERIES: Final = forgeries(_WAYS)
