"""A room of a good history whose events a webhook was told of, and the ways to spoil it.

Beside `room_forgeries.py`, which runs these too: each breaks I38 alone.
"""

from typing import Any, Final

from tests.judge.deliveries import Deliveries, Delivery
from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row
from tests.judge.moderation import Membership

from .spoiling import Table, forgeries, spoils, write

ROOM: Final = "6" * 32
BEGAN_AT: Final = 600.0
"""After everything else of the history."""
OWNER, READER = 1, 4
LOG: Final = ((MESSAGE_KIND, "tea", 0), (MESSAGE_KIND, "secret", 0), (DELETION_KIND, "", 2))
"""Kind, text and target of each event, from seq 1 on."""
HOOKED: Final = len(LOG)
FAR: Final = 1_000_000
"""A seq that no room comes to: of the other rooms nothing is due."""


def with_deliveries(history: History) -> History:
    """Return it with one more room: two messages of which one was deleted; the first was told twice."""
    rows = [
        Row(ROOM, seq, OWNER, f"6-{seq}", kind, text, target=target)
        for seq, (kind, text, target) in enumerate(LOG, start=1)
    ]
    write(history, rows, BEGAN_AT, READER)
    stored = rows[1]._replace(text="", is_deleted=True)
    history.rows[history.rows.index(rows[1])] = stored
    history.memberships[-1:-1] = [Membership(ROOM, OWNER, role="owner"), Membership(ROOM, READER)]
    told = [_told(row, BEGAN_AT + row.seq + 0.5) for row in rows]
    again = told[0]._replace(began_at=BEGAN_AT + 0.2, is_taken=False)
    others = {row.room: FAR for row in history.rows if row.room != ROOM}
    history.deliveries = Deliveries(since=others, told=[again, *told])
    return history


def _told(row: Row, at: float) -> Delivery:
    return Delivery(row.room, row.seq, row.kind, row.uuid, row.text, f"e_{row.room}_{row.seq}", at)


@spoils
def _told_otherwise(history: History, /, place: int, **facts: Any) -> None:
    told = history.deliveries.told
    told[place] = told[place]._replace(**facts)


def _exchanged(history: History) -> None:
    told = history.deliveries.told
    told[1], told[2] = told[2], told[1]


def _named_anew_each_time(history: History) -> None:
    first, *others = history.deliveries.told
    history.deliveries.told = [
        *(first._replace(identity=f"attempt-{number}") for number in range(3)),
        *others,
    ]


def _told_deleted_text(history: History) -> None:
    told = history.deliveries.told
    told.append(told[2]._replace(began_at=BEGAN_AT + 9.0))


_WAYS: Final[Table] = {
    "I38": {
        "The receiver never took an event": _told_otherwise(2, is_taken=False),
        "At rest the receiver lacks the newest event": lambda history: history.deliveries.told.pop(),
        "An event is taken before the one below it": _exchanged,
        "The receiver is told of an event that no log has": _told_otherwise(3, uuid="phantom"),
        "The receiver is told a text that nobody has sent": _told_otherwise(1, text="milk"),
        "The receiver can't know who sends": _told_otherwise(1, is_signed=False),
        "The receiver would take the second event for a repeat of the first": _told_otherwise(
            2, identity=f"e_{ROOM}_1"
        ),
        "The receiver would take a repeat for another event": _named_anew_each_time,
        "What is sent was read after the deletion, and has the text": _told_deleted_text,
    },
}
DELIVERY_FORGERIES: Final = forgeries(_WAYS)
