"""A room of a good history in which people reacted to messages, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of reactions alone.
"""

from typing import Final

from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row, Shown
from tests.judge.moderation import Membership
from tests.judge.reactions import REACTION_KIND, REMOVAL_KIND, Group, Reaction

from .spoiling import (
    Table,
    asked,
    believed,
    change_row,
    changed,
    forgeries,
    handed,
    shown,
    stored,
    unseen,
    without,
    write,
    write_on,
)

ROOM: Final = "9" * 32
BEGAN_AT: Final = 100.0
"""After everything else of the history."""
CLIENT: Final = "reader-9"
UP, HEART = "\N{THUMBS UP SIGN}", "\N{HEAVY BLACK HEART}\ufe0f"
KEPT, GONE, PLAIN = 1, 2, 3
"""The messages: one with reactions, one that is deleted with its own, one without."""
ADDED, REMOVED = REACTION_KIND, REMOVAL_KIND
AUTHOR, OTHER, READER = 1, 2, 4
LOG: Final = (
    (AUTHOR, MESSAGE_KIND, 0, ""),
    (AUTHOR, MESSAGE_KIND, 0, ""),
    (AUTHOR, MESSAGE_KIND, 0, ""),
    (READER, ADDED, KEPT, UP),
    (OTHER, ADDED, KEPT, HEART),
    (OTHER, ADDED, KEPT, UP),
    (OTHER, ADDED, GONE, UP),
    (READER, REMOVED, KEPT, UP),
    (AUTHOR, DELETION_KIND, GONE, ""),
    (OTHER, ADDED, PLAIN, UP),
    (OTHER, REMOVED, PLAIN, UP),
)
"""User, kind, target and emoji of each event, from seq 1 on."""
REACTIONS: Final = len(LOG)
STANDING: Final = (Reaction(OTHER, HEART, 5), Reaction(OTHER, UP, 6))
NOW: Final = (Group(HEART, 1, (OTHER,), is_mine=False), Group(UP, 1, (OTHER,), is_mine=False))
BEFORE: Final = (Group(UP, 2, (READER, OTHER), is_mine=True), Group(HEART, 1, (OTHER,), is_mine=False))
"""As of 6."""


def with_reactions(history: History) -> History:
    """Return it with one more room: reactions that stand, were taken away, and ended with their message."""
    rows = [_row(seq, *facts) for seq, facts in enumerate(LOG, start=1)]
    write(history, rows, BEGAN_AT, READER)
    change_row(history, ROOM, KEPT, reacted_seq=8, reactions=STANDING)
    change_row(history, ROOM, GONE, reacted_seq=7, text="", is_deleted=True)
    change_row(history, ROOM, PLAIN, reacted_seq=11)
    before = [_shown(KEPT, 6, 6, BEFORE)]
    after = [
        _shown(KEPT, 11, 8, NOW),
        _shown(GONE, 11, 7, ())._replace(text="", is_deleted=True),
        _shown(PLAIN, 11, 11, ()),
    ]
    history.shown[1:1] = [*before, *after]
    history.believed = [*history.believed, *after]
    history.memberships[:0] = [Membership(ROOM, user) for user in (AUTHOR, OTHER, READER)]
    return history


def _row(seq: int, user: int, kind: str, target: int, emoji: str) -> Row:
    text = f"text {seq}" if kind == MESSAGE_KIND else ""
    return Row(ROOM, seq, user, f"9-{seq}", kind, text, target=target, emoji=emoji, at_ms=1000 * seq)


def _shown(seq: int, head: int, reacted_seq: int, groups: tuple[Group, ...]) -> Shown:
    facts = (CLIENT, ROOM, seq, AUTHOR, f"text {seq}", "", BEGAN_AT + 20.0, head)
    return Shown(*facts, asker=READER, reacted_seq=reacted_seq, groups=groups)


def _one_emoji_too_many(history: History) -> None:
    seqs = range(REACTIONS + 1, REACTIONS + 22)
    added = [_row(seq, READER, ADDED, PLAIN, chr(0x1F600 + seq)) for seq in seqs]
    write_on(history, added, BEGAN_AT)
    standing = tuple(Reaction(READER, row.emoji, row.seq) for row in added)
    change_row(history, ROOM, PLAIN, reacted_seq=added[-1].seq, reactions=standing)


_WAYS: Final[Table] = {
    "I5": {"A removal is of another emoji than was sent": asked(ROOM, 11, emoji=HEART)},
    "I8": {"A reader is handed another emoji than the log has": handed(ROOM, 4, emoji=HEART)},
    "I22": {
        "The database lacks a reaction that stands": stored(ROOM, KEPT, reactions=STANDING[:1]),
        "The database has a reaction that was taken away": stored(
            ROOM, PLAIN, reactions=(Reaction(OTHER, UP, 10),)
        ),
        "The database has a reaction to a deleted message": stored(
            ROOM, GONE, reactions=(Reaction(OTHER, UP, 7),)
        ),
        "A message's row points to the reaction before the last": stored(ROOM, KEPT, reacted_seq=6),
        "A history as of 11 has the reactions as of 6": shown(ROOM, KEPT, 11, reacted_seq=6, groups=BEFORE),
        "A history says 8 and has the reactions as of 6": shown(ROOM, KEPT, 11, groups=BEFORE),
        "A history has reactions as of an event that is none of them": shown(ROOM, KEPT, 11, reacted_seq=10),
        "A history counts one too many": shown(
            ROOM, KEPT, 6, groups=(BEFORE[0]._replace(total=3), BEFORE[1])
        ),
        "A history names somebody who has not reacted": shown(
            ROOM, KEPT, 6, groups=(BEFORE[0]._replace(users=(READER, AUTHOR)), BEFORE[1])
        ),
        "A history has the later emoji first": shown(ROOM, KEPT, 6, groups=BEFORE[::-1]),
        "A history says that the asker has not reacted": shown(
            ROOM, KEPT, 6, groups=(BEFORE[0]._replace(is_mine=False), BEFORE[1])
        ),
        "A history has reactions below a deleted message": shown(ROOM, GONE, 11, groups=NOW[1:]),
        "A client has had the removal and shows the reaction": believed(ROOM, KEPT, 11, groups=BEFORE),
        "A client names somebody whose reaction was taken away": believed(
            ROOM, KEPT, 11, groups=(NOW[0], NOW[1]._replace(users=(READER,)))
        ),
        "A client takes a reaction for the user's own that is not": believed(
            ROOM, KEPT, 11, groups=(NOW[0], NOW[1]._replace(is_mine=True))
        ),
        "A client has had the deletion and shows the reactions": believed(ROOM, GONE, 11, groups=NOW[1:]),
    },
    "I23": {
        "A reaction is added that stands already": (
            changed(ROOM, 11, kind=REACTION_KIND, target=KEPT),
            stored(ROOM, KEPT, reacted_seq=11),
            stored(ROOM, PLAIN, reacted_seq=10, reactions=(Reaction(OTHER, UP, 10),)),
            unseen(ROOM, PLAIN),
            shown(ROOM, KEPT, 11, reacted_seq=11),
        ),
        "Somebody takes away an emoji with which nobody has reacted": (
            changed(ROOM, 11, emoji=HEART),
            stored(ROOM, PLAIN, reactions=(Reaction(OTHER, UP, 10),)),
            unseen(ROOM, PLAIN),
        ),
        "Somebody takes away what another has added": (
            changed(ROOM, 11, user=READER),
            stored(ROOM, PLAIN, reactions=(Reaction(OTHER, UP, 10),)),
            unseen(ROOM, PLAIN),
        ),
        "A reaction comes behind the deletion": (
            changed(ROOM, 10, target=GONE),
            changed(ROOM, 11, target=GONE),
            stored(ROOM, PLAIN, reacted_seq=0),
            stored(ROOM, GONE, reacted_seq=11),
            unseen(ROOM, PLAIN),
        ),
        "Somebody reacts to a reaction": (
            changed(ROOM, 10, target=5),
            changed(ROOM, 11, target=5),
            stored(ROOM, PLAIN, reacted_seq=0),
            unseen(ROOM, PLAIN),
        ),
        "A reaction is letters": (changed(ROOM, 10, emoji="good"), changed(ROOM, 11, emoji="good")),
        "Somebody reacts who is no member": without(
            "memberships", lambda one: (one.room, one.user) == (ROOM, OTHER)
        ),
        "A message gets its twenty-first emoji": _one_emoji_too_many,
    },
}
REACTION_FORGERIES: Final = forgeries(_WAYS)
