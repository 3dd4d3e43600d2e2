"""A room of a good history in which messages were pinned, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of pins alone.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row, Shown
from tests.judge.moderation import Membership
from tests.judge.pins import PIN_KIND, UNPIN_KIND, PinList

from .spoiling import applied, change_event, change_operation, change_row, sent, write

ROOM: Final = "7" * 32
BEGAN_AT: Final = 300.0
"""After everything else of the history."""
CLIENT: Final = "reader-7"
OWNER, AUTHOR, READER, STRANGER = 1, 2, 4, 22
AGAIN, KEPT, GONE, PLAIN = 1, 2, 3, 4
"""The messages: pinned a second time, pinned, deleted while it was pinned, pinned no more."""
LOG: Final = (
    (AUTHOR, MESSAGE_KIND, 0),
    (AUTHOR, MESSAGE_KIND, 0),
    (AUTHOR, MESSAGE_KIND, 0),
    (AUTHOR, MESSAGE_KIND, 0),
    (OWNER, PIN_KIND, AGAIN),
    (OWNER, PIN_KIND, KEPT),
    (OWNER, UNPIN_KIND, AGAIN),
    (OWNER, PIN_KIND, GONE),
    (AUTHOR, DELETION_KIND, GONE),
    (OWNER, PIN_KIND, AGAIN),
    (AUTHOR, MESSAGE_KIND, 0),
    (OWNER, PIN_KIND, PLAIN),
    (OWNER, UNPIN_KIND, PLAIN),
)
"""User, kind and target of each event, from seq 1 on; one a second by the server's clock."""
PINNED: Final = len(LOG)
EARLY, LATE = 8, 13
"""Heads of the answers: before the deletion and at the end."""


def with_pins(history: History) -> History:
    """Return it with one more room: pins that stand, were taken away, and ended with their message."""
    rows = [_row(seq, user, kind, target) for seq, (user, kind, target) in enumerate(LOG, start=1)]
    write(history, rows, BEGAN_AT, READER)
    change_row(history, ROOM, AGAIN, pinned_seq=10)
    change_row(history, ROOM, KEPT, pinned_seq=6)
    change_row(history, ROOM, GONE, text="", is_deleted=True)
    before = [_shown(AGAIN, EARLY, None), _shown(KEPT, EARLY, 6000), _shown(GONE, EARLY, 8000)]
    after = [
        _shown(AGAIN, LATE, 10_000),
        _shown(KEPT, LATE, 6000),
        _shown(GONE, LATE, None)._replace(text="", is_deleted=True),
        _shown(PLAIN, LATE, None),
    ]
    history.shown[1:1] = [*before, *after]
    history.believed = [*history.believed, *after]
    history.pin_lists = [_list(EARLY, GONE, KEPT), _list(LATE, AGAIN, KEPT)]
    roles = ((OWNER, "owner"), (AUTHOR, "member"), (READER, "member"))
    history.memberships[-1:-1] = [Membership(ROOM, user, role=role) for user, role in roles]
    return history


def _row(seq: int, user: int, kind: str, target: int = 0) -> Row:
    text = f"text {seq}" if kind == MESSAGE_KIND else ""
    return Row(ROOM, seq, user, f"7-{seq}", kind, text, target=target, at_ms=1000 * seq)


def _shown(seq: int, head: int, pinned_at: int | None) -> Shown:
    facts = (CLIENT, ROOM, seq, AUTHOR, f"text {seq}", "", BEGAN_AT + 20.0, head)
    return Shown(*facts, asker=READER, pinned_at=pinned_at)


def _list(head: int, *seqs: int) -> PinList:
    return PinList(CLIENT, READER, ROOM, BEGAN_AT + 20.0, head, seqs)


def _change(history: History, seq: int, **facts: Any) -> None:
    change_event(history, ROOM, seq, **facts)


def _show(found: list[Shown], seq: int, head: int, pinned_at: int | None) -> None:
    index = next(i for i, one in enumerate(found) if (one.room, one.seq, one.head) == (ROOM, seq, head))
    found[index] = found[index]._replace(pinned_at=pinned_at)


def pin_another_message_than_was_asked(history: History) -> None:
    """A client asked to pin another message."""
    change_operation(history, ROOM, 12, target=KEPT)


def lose_a_stored_pin(history: History) -> None:
    """The database lacks a pin."""
    change_row(history, ROOM, AGAIN, pinned_seq=0)


def keep_an_ended_pin(history: History) -> None:
    """The database has a pin that was taken away."""
    change_row(history, ROOM, PLAIN, pinned_seq=12)


def keep_the_pin_of_a_deleted_message(history: History) -> None:
    """The database has the pin of a message that is deleted."""
    change_row(history, ROOM, GONE, pinned_seq=8)


def keep_the_first_of_two_pins(history: History) -> None:
    """The database has the pin that was taken away, and not the one after it."""
    change_row(history, ROOM, AGAIN, pinned_seq=5)


def show_no_pin(history: History) -> None:
    """A history has a pinned message as any other."""
    _show(history.shown, KEPT, LATE, None)


def show_an_ended_pin(history: History) -> None:
    """A history as of 13 has the pin that 13 took away."""
    _show(history.shown, PLAIN, LATE, 12_000)


def show_the_time_of_an_earlier_pin(history: History) -> None:
    """A history says of a message since when it was pinned before."""
    _show(history.shown, AGAIN, LATE, 5000)


def show_the_pin_of_a_deleted_message(history: History) -> None:
    """A history has a deleted message as pinned."""
    _show(history.shown, GONE, LATE, 8000)


def believe_in_an_ended_pin(history: History) -> None:
    """A client has had the end of a pin and shows it."""
    _show(history.believed, PLAIN, LATE, 12_000)


def believe_in_no_pin(history: History) -> None:
    """A client has had the pin and does not show it."""
    _show(history.believed, AGAIN, LATE, None)


def believe_in_the_pin_of_a_deleted_message(history: History) -> None:
    """A client has had the deletion and shows the pin."""
    _show(history.believed, GONE, LATE, 8000)


def list_the_oldest_pin_first(history: History) -> None:
    """A list has its pins in the order in which they came."""
    history.pin_lists[1] = _list(LATE, KEPT, AGAIN)


def list_too_few_pins(history: History) -> None:
    """A list that is not full lacks a pin."""
    history.pin_lists[1] = _list(LATE, AGAIN)


def list_a_deleted_message(history: History) -> None:
    """A list as of 13 has the message that 9 deleted."""
    history.pin_lists[1] = _list(LATE, AGAIN, GONE, KEPT)


def let_a_member_pin(history: History) -> None:
    """A message is pinned by its author, who has no role for that."""
    _change(history, 12, user=AUTHOR)


def let_a_member_unpin(history: History) -> None:
    """A pin is taken away by the message's author, who has no role for that."""
    _change(history, 7, user=AUTHOR)


def let_a_stranger_pin(history: History) -> None:
    """A message is pinned by somebody who is no member."""
    _change(history, 12, user=STRANGER)


def pin_a_message_twice(history: History) -> None:
    """A message is pinned that is pinned already."""
    _change(history, 12, target=KEPT)
    _change(history, 13, kind=MESSAGE_KIND, target=0, text="text 13")


def unpin_what_is_not_pinned(history: History) -> None:
    """The end of a pin comes twice."""
    _change(history, 12, kind=UNPIN_KIND)


def pin_a_deleted_message(history: History) -> None:
    """A message is pinned and unpinned behind its deletion."""
    _change(history, 12, target=GONE)
    _change(history, 13, target=GONE)


def pin_what_is_no_message(history: History) -> None:
    """Somebody pins a pin, and unpins it."""
    _change(history, 12, target=5)
    _change(history, 13, target=5)


def pin_one_message_too_many(history: History) -> None:
    """A room gets its fifty-first pin: two stand, and one message after another is added and pinned."""
    seqs = range(PINNED + 1, PINNED + 1 + 2 * 49, 2)
    added = [
        row
        for seq in seqs
        for row in (
            _row(seq, AUTHOR, MESSAGE_KIND)._replace(pinned_seq=seq + 1),
            _row(seq + 1, OWNER, PIN_KIND, seq),
        )
    ]
    history.rows += added
    history.operations += [sent(row, BEGAN_AT) for row in added]
    place = next(index for index, one in enumerate(history.readings) if one.room == ROOM)
    reading = history.readings[place]
    events = (*reading.events, *(applied(row, BEGAN_AT) for row in added))
    history.readings[place] = reading._replace(events=events)


PIN_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I5", pin_another_message_than_was_asked),
    ("I27", lose_a_stored_pin),
    ("I27", keep_an_ended_pin),
    ("I27", keep_the_pin_of_a_deleted_message),
    ("I27", keep_the_first_of_two_pins),
    ("I27", show_no_pin),
    ("I27", show_an_ended_pin),
    ("I27", show_the_time_of_an_earlier_pin),
    ("I27", show_the_pin_of_a_deleted_message),
    ("I27", believe_in_an_ended_pin),
    ("I27", believe_in_no_pin),
    ("I27", believe_in_the_pin_of_a_deleted_message),
    ("I27", list_the_oldest_pin_first),
    ("I27", list_too_few_pins),
    ("I27", list_a_deleted_message),
    ("I28", let_a_member_pin),
    ("I28", let_a_member_unpin),
    ("I28", let_a_stranger_pin),
    ("I28", pin_a_message_twice),
    ("I28", unpin_what_is_not_pinned),
    ("I28", pin_a_deleted_message),
    ("I28", pin_what_is_no_message),
    ("I28", pin_one_message_too_many),
]
"""Each with the one invariant that must flag it."""
