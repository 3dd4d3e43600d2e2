"""Receipts in the good history, and the ways to spoil them: each forgery breaks I37 alone."""

from typing import Any, Final

from tests.judge.history import History, Row
from tests.judge.moderation import Membership
from tests.judge.receipts import RECEIPTS_KIND, MarksAtRest, ToldMarks

from .spoiling import Table, changed, forgeries, spoils, write

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


@spoils
def _also_told(history: History, /, **facts: Any) -> None:
    history.receipts.told.append(history.receipts.told[-1]._replace(**facts))


@spoils
def _known_at_rest(history: History, *marks: tuple[int, int]) -> None:
    history.receipts.at_rest = [history.receipts.at_rest[0]._replace(marks=marks)]


_WAYS: Final[Table] = {
    "I37": {
        "A client is told of a room that it does not follow": _also_told(seq=None),
        "A connection is told less than before": _also_told(marks=((OWNER, 1),)),
        "A mark is told that no row has": _also_told(marks=((MEMBER, 1),)),
        "The client was handed the end of a membership before its mark": _also_told(marks=((LEAVER, 1),)),
        "In the end a watcher knows one mark as it was": _known_at_rest((OWNER, 1), (MEMBER, 0), (READER, 1)),
        "The room shows marks, and a watcher knows none": _known_at_rest(),
        "A watcher knows the mark of somebody who is no member any more": _known_at_rest(
            (OWNER, 2), (MEMBER, 0), (READER, 1), (LEAVER, 1)
        ),
        "The room shows nothing, and a watcher knows marks": lambda history: history.receipts.stored.clear(),
        "Receipts are turned on by somebody who is no admin": changed(ROOM, 2, user=MEMBER),
    },
}
RECEIPT_FORGERIES: Final = forgeries(_WAYS)
