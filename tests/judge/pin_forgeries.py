"""A room of a good history in which messages were pinned, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of pins alone.
"""

from typing import Final

from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row, Shown
from tests.judge.moderation import Membership
from tests.judge.pins import PIN_KIND, UNPIN_KIND, PinList

from .spoiling import (
    Table,
    asked,
    believed,
    change_row,
    changed,
    entry,
    forgeries,
    shown,
    stored,
    write,
    write_on,
)

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


def _fifty_first_pin(history: History) -> None:
    """Two stand, and one message after another is added and pinned."""
    seqs = range(PINNED + 1, PINNED + 1 + 2 * 49, 2)
    added = [
        row
        for seq in seqs
        for row in (
            _row(seq, AUTHOR, MESSAGE_KIND)._replace(pinned_seq=seq + 1),
            _row(seq + 1, OWNER, PIN_KIND, seq),
        )
    ]
    write_on(history, added, BEGAN_AT)


_WAYS: Final[Table] = {
    "I5": {"A client asked to pin another message": asked(ROOM, 12, target=KEPT)},
    "I27": {
        "The database lacks a pin": stored(ROOM, AGAIN, pinned_seq=0),
        "The database has a pin that was taken away": stored(ROOM, PLAIN, pinned_seq=12),
        "The database has the pin of a message that is deleted": stored(ROOM, GONE, pinned_seq=8),
        "The database has the pin that was taken away, and not the one after it": stored(
            ROOM, AGAIN, pinned_seq=5
        ),
        "A history has a pinned message as any other": shown(ROOM, KEPT, LATE, pinned_at=None),
        "A history as of 13 has the pin that 13 took away": shown(ROOM, PLAIN, LATE, pinned_at=12_000),
        "A history has the time of an earlier pin": shown(ROOM, AGAIN, LATE, pinned_at=5000),
        "A history has a deleted message as pinned": shown(ROOM, GONE, LATE, pinned_at=8000),
        "A client has had the end of a pin and shows it": believed(ROOM, PLAIN, LATE, pinned_at=12_000),
        "A client has had the pin and does not show it": believed(ROOM, AGAIN, LATE, pinned_at=None),
        "A client has had the deletion and shows the pin": believed(ROOM, GONE, LATE, pinned_at=8000),
        "A list has its pins in the order in which they came": entry("pin_lists", 1, seqs=(KEPT, AGAIN)),
        "A list that is not full lacks a pin": entry("pin_lists", 1, seqs=(AGAIN,)),
        "A list as of 13 has the message that 9 deleted": entry("pin_lists", 1, seqs=(AGAIN, GONE, KEPT)),
    },
    "I28": {
        "A message is pinned by its author, who has no role for that": changed(ROOM, 12, user=AUTHOR),
        "A pin is taken away by the message's author, who has no role for that": changed(
            ROOM, 7, user=AUTHOR
        ),
        "A message is pinned by somebody who is no member": changed(ROOM, 12, user=STRANGER),
        "A message is pinned that is pinned already": (
            changed(ROOM, 12, target=KEPT),
            changed(ROOM, 13, kind=MESSAGE_KIND, target=0, text="text 13"),
        ),
        "The end of a pin comes twice": changed(ROOM, 12, kind=UNPIN_KIND),
        "A message is pinned and unpinned behind its deletion": (
            changed(ROOM, 12, target=GONE),
            changed(ROOM, 13, target=GONE),
        ),
        "Somebody pins a pin, and unpins it": (changed(ROOM, 12, target=5), changed(ROOM, 13, target=5)),
        "A room gets its fifty-first pin": _fifty_first_pin,
    },
}
PIN_FORGERIES: Final = forgeries(_WAYS)
