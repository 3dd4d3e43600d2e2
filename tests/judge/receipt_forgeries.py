"""Receipts in the good history, and the ways to spoil them: each forgery breaks I37 alone."""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.history import History, Row
from tests.judge.moderation import Membership
from tests.judge.receipts import RECEIPTS_KIND, MarksAtRest, ToldMarks

from .spoiling import change_event, write

ROOM: Final = "5" * 32
BEGAN_AT: Final = 700.0
"""After everything else of the history."""
OWNER, MEMBER, READER, LEAVER = 1, 2, 4, 22
EPOCH: Final = "after"
"""Of what is told: the history's last one."""
SHOWN: Final = 2
"""Events of the room: receipts are turned off, and on."""


def with_receipts(history: History) -> History:
    """Return it with one more room, whose reader is told twice how far three people have read."""
    rows = [Row(ROOM, seq, OWNER, f"5-{seq}", RECEIPTS_KIND, "") for seq in range(1, SHOWN + 1)]
    write(history, rows, BEGAN_AT, READER)
    roles = ((OWNER, "owner"), (MEMBER, "member"), (READER, "member"))
    history.memberships[-1:-1] = [Membership(ROOM, user, role=role) for user, role in roles]
    history.memberships[-1:-1] = [Membership(ROOM, LEAVER, 0, 1)]
    who = "reader-5", READER, ROOM
    epoch = history.epochs[-1].epoch
    history.receipts.told = [
        ToldMarks(*who, BEGAN_AT + 5, 2, 1, epoch, ((OWNER, 1), (MEMBER, 0), (READER, 1))),
        ToldMarks(*who, BEGAN_AT + 6, 2, 1, epoch, ((OWNER, 2),)),
    ]
    history.receipts.stored = {ROOM: {OWNER: 2, MEMBER: 0, READER: 1}}
    history.receipts.at_rest = [MarksAtRest(*who, BEGAN_AT + 9, ((OWNER, 2), (MEMBER, 0), (READER, 1)))]
    return history


def _tell(history: History, **changes: Any) -> None:
    history.receipts.told.append(history.receipts.told[-1]._replace(**changes))


def _rest(history: History, *marks: tuple[int, int]) -> None:
    history.receipts.at_rest = [history.receipts.at_rest[0]._replace(marks=marks)]


def tell_a_stranger_who_reads(history: History) -> None:
    """A client is told of a room that it does not follow."""
    _tell(history, seq=None)


def tell_a_mark_backward(history: History) -> None:
    """A connection is told less than before."""
    _tell(history, marks=((OWNER, 1),))


def tell_what_is_not_committed(history: History) -> None:
    """A mark is told that no row has."""
    _tell(history, marks=((MEMBER, 1),))


def tell_the_mark_of_who_has_left(history: History) -> None:
    """The client was handed the end of that membership before."""
    _tell(history, marks=((LEAVER, 1),))


def miss_the_last_mark(history: History) -> None:
    """In the end a watcher knows one mark as it was."""
    _rest(history, (OWNER, 1), (MEMBER, 0), (READER, 1))


def know_nothing_in_the_end(history: History) -> None:
    """The room shows marks, and a watcher knows none."""
    _rest(history)


def know_a_ghost(history: History) -> None:
    """A watcher knows the mark of somebody who is no member any more."""
    _rest(history, (OWNER, 2), (MEMBER, 0), (READER, 1), (LEAVER, 1))


def show_what_is_hidden(history: History) -> None:
    """The room shows nothing, and a watcher knows marks."""
    history.receipts.stored.clear()


def let_a_member_turn_it_on(history: History) -> None:
    """Receipts are turned on by somebody who is no admin."""
    change_event(history, ROOM, 2, user=MEMBER)


RECEIPT_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I37", tell_a_stranger_who_reads),
    ("I37", tell_a_mark_backward),
    ("I37", tell_what_is_not_committed),
    ("I37", tell_the_mark_of_who_has_left),
    ("I37", miss_the_last_mark),
    ("I37", know_nothing_in_the_end),
    ("I37", know_a_ghost),
    ("I37", show_what_is_hidden),
    ("I37", let_a_member_turn_it_on),
]
"""Each with the one invariant that must flag it."""
