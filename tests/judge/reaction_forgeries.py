"""A room of a good history in which people reacted to messages, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of reactions alone.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.history import (
    DELETION_KIND,
    MESSAGE_KIND,
    Applied,
    Attempt,
    Connection,
    History,
    Operation,
    Outcome,
    Reading,
    Row,
    Shown,
)
from tests.judge.moderation import Membership
from tests.judge.reactions import REACTION_KIND, REMOVAL_KIND, Group, Reaction

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
    sent = [
        Row(ROOM, seq, user, f"9-{seq}", kind, f"text {seq}" if kind == MESSAGE_KIND else "", target=target)
        for seq, (user, kind, target, _) in enumerate(LOG, start=1)
    ]
    sent = [row._replace(emoji=LOG[row.seq - 1][3], at_ms=1000 * row.seq) for row in sent]
    rows = list(sent)
    rows[KEPT - 1] = rows[KEPT - 1]._replace(reacted_seq=8, reactions=STANDING)
    rows[GONE - 1] = rows[GONE - 1]._replace(reacted_seq=7, text="", is_deleted=True)
    rows[PLAIN - 1] = rows[PLAIN - 1]._replace(reacted_seq=11)
    history.rows += rows
    history.operations += [_sent(row) for row in sent]
    events = (
        Applied(row.seq, row.user, row.uuid, row.text, BEGAN_AT + row.seq, "", row.emoji) for row in sent
    )
    history.readings.insert(-1, Reading(CLIENT, READER, ROOM, 0, tuple(events)))
    history.connections.append(Connection(CLIENT, 900, 0.0))
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


def _sent(row: Row) -> Operation:
    """Return what became a row, answered at once."""
    at = BEGAN_AT + row.seq
    attempts = (Attempt(800 + row.user, row.seq, at, at + 0.1, Outcome.SUCCESS),)
    facts = (row.user, ROOM, row.uuid, row.text, attempts, (row.seq,), at + 0.1)
    return Operation(f"sender-{row.user}", *facts, kind=row.kind, target=row.target, emoji=row.emoji)


def _applied(row: Row) -> Applied:
    return Applied(row.seq, row.user, row.uuid, row.text, BEGAN_AT + row.seq, emoji=row.emoji)


def _shown(seq: int, head: int, reacted_seq: int, groups: tuple[Group, ...]) -> Shown:
    facts = (CLIENT, ROOM, seq, AUTHOR, f"text {seq}", "", BEGAN_AT + 20.0, head)
    return Shown(*facts, asker=READER, reacted_seq=reacted_seq, groups=groups)


def _change_row(history: History, seq: int, **facts: Any) -> None:
    index = next(index for index, row in enumerate(history.rows) if (row.room, row.seq) == (ROOM, seq))
    history.rows[index] = history.rows[index]._replace(**facts)


def _change_event(history: History, seq: int, **facts: Any) -> None:
    """Change an event wherever it is known, so that nothing but the rules is against it."""
    _change_row(history, seq, **facts)
    index = next(index for index, one in enumerate(history.operations) if one.uuid == f"9-{seq}")
    history.operations[index] = history.operations[index]._replace(**facts)
    told = {name: value for name, value in facts.items() if name in Applied._fields}
    place = next(index for index, one in enumerate(history.readings) if one.room == ROOM)
    reading = history.readings[place]
    events = (one._replace(**told) if one.seq == seq else one for one in reading.events)
    history.readings[place] = reading._replace(events=tuple(events))


def _change_shown(found: list[Shown], seq: int, head: int, **facts: Any) -> None:
    index = next(i for i, one in enumerate(found) if (one.room, one.seq, one.head) == (ROOM, seq, head))
    found[index] = found[index]._replace(**facts)


def store_another_emoji(history: History) -> None:
    """A removal is of another emoji than was sent."""
    index = next(index for index, one in enumerate(history.operations) if one.uuid == "9-11")
    history.operations[index] = history.operations[index]._replace(emoji=HEART)


def hand_on_another_emoji(history: History) -> None:
    """A reader is handed another emoji than the log has."""
    place = next(index for index, one in enumerate(history.readings) if one.room == ROOM)
    reading = history.readings[place]
    events = (one._replace(emoji=HEART) if one.seq == 4 else one for one in reading.events)
    history.readings[place] = reading._replace(events=tuple(events))


def lose_a_stored_reaction(history: History) -> None:
    """The database lacks a reaction that stands."""
    _change_row(history, KEPT, reactions=STANDING[:1])


def keep_a_removed_reaction(history: History) -> None:
    """The database has a reaction that was taken away."""
    _change_row(history, PLAIN, reactions=(Reaction(OTHER, UP, 10),))


def keep_the_reactions_of_a_deleted_message(history: History) -> None:
    """The database has a reaction to a deleted message."""
    _change_row(history, GONE, reactions=(Reaction(OTHER, UP, 7),))


def forget_the_last_reaction(history: History) -> None:
    """A message's row points to the reaction before the last."""
    _change_row(history, KEPT, reacted_seq=6)


def show_older_reactions(history: History) -> None:
    """A history as of 11 has the reactions as of 6."""
    _change_shown(history.shown, KEPT, 11, reacted_seq=6, groups=BEFORE)


def show_reactions_of_another_seq(history: History) -> None:
    """A history says 8 and has the reactions as of 6."""
    _change_shown(history.shown, KEPT, 11, groups=BEFORE)


def show_a_seq_without_a_reaction(history: History) -> None:
    """A history has reactions as of an event that is none of them."""
    _change_shown(history.shown, KEPT, 11, reacted_seq=10)


def show_another_count(history: History) -> None:
    """A history counts one too many."""
    _change_shown(history.shown, KEPT, 6, groups=(BEFORE[0]._replace(total=3), BEFORE[1]))


def show_another_reactor(history: History) -> None:
    """A history names somebody who has not reacted."""
    _change_shown(history.shown, KEPT, 6, groups=(BEFORE[0]._replace(users=(READER, AUTHOR)), BEFORE[1]))


def show_reactions_in_another_order(history: History) -> None:
    """A history has the later emoji first."""
    _change_shown(history.shown, KEPT, 6, groups=BEFORE[::-1])


def show_ones_own_as_anothers(history: History) -> None:
    """A history says that the asker has not reacted."""
    _change_shown(history.shown, KEPT, 6, groups=(BEFORE[0]._replace(is_mine=False), BEFORE[1]))


def show_reactions_to_a_deleted_message(history: History) -> None:
    """A history has reactions below a deleted message."""
    _change_shown(history.shown, GONE, 11, groups=NOW[1:])


def believe_in_a_removed_reaction(history: History) -> None:
    """A client has had the removal and shows the reaction."""
    _change_shown(history.believed, KEPT, 11, groups=BEFORE)


def believe_in_another_reactor(history: History) -> None:
    """A client names somebody whose reaction was taken away."""
    _change_shown(history.believed, KEPT, 11, groups=(NOW[0], NOW[1]._replace(users=(READER,))))


def believe_ones_own_still_stands(history: History) -> None:
    """A client takes a reaction for the user's own that is not."""
    _change_shown(history.believed, KEPT, 11, groups=(NOW[0], NOW[1]._replace(is_mine=True)))


def believe_in_reactions_to_a_deleted_message(history: History) -> None:
    """A client has had the deletion and shows the reactions."""
    _change_shown(history.believed, GONE, 11, groups=NOW[1:])


def react_twice(history: History) -> None:
    """A reaction is added that stands already."""
    _change_event(history, 11, kind=REACTION_KIND, target=KEPT)
    _change_row(history, KEPT, reacted_seq=11)
    _change_row(history, PLAIN, reacted_seq=10, reactions=(Reaction(OTHER, UP, 10),))
    _without_plain(history)
    _change_shown(history.shown, KEPT, 11, reacted_seq=11)


def remove_what_does_not_stand(history: History) -> None:
    """Somebody takes away an emoji with which nobody has reacted."""
    _change_event(history, 11, emoji=HEART)
    _change_row(history, PLAIN, reactions=(Reaction(OTHER, UP, 10),))
    _without_plain(history)


def remove_anothers_reaction(history: History) -> None:
    """Somebody takes away what another has added."""
    _change_event(history, 11, user=READER)
    _change_row(history, PLAIN, reactions=(Reaction(OTHER, UP, 10),))
    _without_plain(history)


def react_to_a_deleted_message(history: History) -> None:
    """A reaction comes behind the deletion."""
    _change_event(history, 10, target=GONE)
    _change_event(history, 11, target=GONE)
    _change_row(history, PLAIN, reacted_seq=0)
    _change_row(history, GONE, reacted_seq=11)
    _without_plain(history)


def react_to_what_is_no_message(history: History) -> None:
    """Somebody reacts to a reaction."""
    _change_event(history, 10, target=5)
    _change_event(history, 11, target=5)
    _change_row(history, PLAIN, reacted_seq=0)
    _without_plain(history)


def react_with_a_word(history: History) -> None:
    """A reaction is letters."""
    _change_event(history, 10, emoji="good")
    _change_event(history, 11, emoji="good")


def let_a_stranger_react(history: History) -> None:
    """Somebody reacts who is no member."""
    history.memberships = [one for one in history.memberships if (one.room, one.user) != (ROOM, OTHER)]


def add_one_emoji_too_many(history: History) -> None:
    """A message gets its twenty-first emoji."""
    added = [
        Row(ROOM, seq, READER, f"9-{seq}", ADDED, "", target=PLAIN, emoji=chr(0x1F600 + seq))
        for seq in range(REACTIONS + 1, REACTIONS + 22)
    ]
    history.rows += added
    history.operations += [_sent(row) for row in added]
    place = next(index for index, one in enumerate(history.readings) if one.room == ROOM)
    reading = history.readings[place]
    history.readings[place] = reading._replace(events=(*reading.events, *map(_applied, added)))
    standing = tuple(Reaction(READER, row.emoji, row.seq) for row in added)
    _change_row(history, PLAIN, reacted_seq=added[-1].seq, reactions=standing)


def _without_plain(history: History) -> None:
    history.shown = [one for one in history.shown if (one.room, one.seq) != (ROOM, PLAIN)]
    history.believed = [one for one in history.believed if (one.room, one.seq) != (ROOM, PLAIN)]


REACTION_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I5", store_another_emoji),
    ("I8", hand_on_another_emoji),
    ("I22", lose_a_stored_reaction),
    ("I22", keep_a_removed_reaction),
    ("I22", keep_the_reactions_of_a_deleted_message),
    ("I22", forget_the_last_reaction),
    ("I22", show_older_reactions),
    ("I22", show_reactions_of_another_seq),
    ("I22", show_a_seq_without_a_reaction),
    ("I22", show_another_count),
    ("I22", show_another_reactor),
    ("I22", show_reactions_in_another_order),
    ("I22", show_ones_own_as_anothers),
    ("I22", show_reactions_to_a_deleted_message),
    ("I22", believe_in_a_removed_reaction),
    ("I22", believe_in_another_reactor),
    ("I22", believe_ones_own_still_stands),
    ("I22", believe_in_reactions_to_a_deleted_message),
    ("I23", react_twice),
    ("I23", remove_what_does_not_stand),
    ("I23", remove_anothers_reaction),
    ("I23", react_to_a_deleted_message),
    ("I23", react_to_what_is_no_message),
    ("I23", react_with_a_word),
    ("I23", let_a_stranger_react),
    ("I23", add_one_emoji_too_many),
]
"""Each with the one invariant that must flag it."""
