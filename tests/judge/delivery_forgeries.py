"""A room of a good history whose events a webhook was told of, and the ways to spoil it.

Beside `room_forgeries.py`, which runs these too: each breaks I38 alone.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.deliveries import Deliveries, Delivery
from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row
from tests.judge.moderation import Membership

from .spoiling import write

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


def _spoil(history: History, place: int, **facts: Any) -> None:
    told = history.deliveries.told
    told[place] = told[place]._replace(**facts)


def lose_an_event(history: History) -> None:
    """The receiver never took an event."""
    _spoil(history, 2, is_taken=False)


def lose_the_last_event(history: History) -> None:
    """At rest the receiver lacks the newest event."""
    history.deliveries.told.pop()


def tell_in_another_order(history: History) -> None:
    """An event is taken before the one below it."""
    told = history.deliveries.told
    told[1], told[2] = told[2], told[1]


def tell_of_nothing(history: History) -> None:
    """An event that no log has."""
    _spoil(history, 3, uuid="phantom")


def tell_another_text(history: History) -> None:
    """A text that nobody has sent."""
    _spoil(history, 1, text="milk")


def sign_with_something_else(history: History) -> None:
    """The receiver can't know who sends."""
    _spoil(history, 1, is_signed=False)


def name_two_events_alike(history: History) -> None:
    """The receiver would take the second for a repeat of the first."""
    told = history.deliveries.told
    _spoil(history, 2, identity=told[0].identity)


def name_an_event_anew_each_time(history: History) -> None:
    """The receiver would take a repeat for another event."""
    told = history.deliveries.told
    history.deliveries.told = [
        *(told[0]._replace(identity=f"attempt-{number}") for number in range(3)),
        *told[1:],
    ]


def tell_a_deleted_text(history: History) -> None:
    """What is sent was read after the deletion, and has the text."""
    told = history.deliveries.told
    told.append(told[2]._replace(began_at=BEGAN_AT + 9.0))


DELIVERY_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I38", lose_an_event),
    ("I38", lose_the_last_event),
    ("I38", tell_in_another_order),
    ("I38", tell_of_nothing),
    ("I38", tell_another_text),
    ("I38", sign_with_something_else),
    ("I38", name_two_events_alike),
    ("I38", name_an_event_anew_each_time),
    ("I38", tell_a_deleted_text),
]
"""Each with the one invariant that must flag it."""
