"""I22 and I23: the reactions to a message, for whom they are shown how, and who may react (G18)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple
from unicodedata import category

from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row, Shown
from tests.judge.reactions import REACTION_KIND, REMOVAL_KIND, Group, Reaction

from .anomaly import Anomaly

NAMED: Final = 5
"""People whom a message names for each emoji."""
DIFFERENT: Final = 20
"""Emoji below one message, at most."""
CODE_POINTS: Final = 16
"""Of an emoji, at most."""
FIRST: Final = "\u00a9"
"""One code point of an emoji is this or a later one."""
LETTER_LIKE: Final = "\u2139"
"""Unicode has it among the letters."""

Standing = dict[tuple[str, int], int]
"""Emoji and user → seq of the event, in the order of seq."""


class _State(NamedTuple):
    """What stands below a message from a seq on."""

    since: int
    standing: Standing
    is_deleted: bool = False


class _Story(NamedTuple):
    """What became of a message: its reactions and deletions, and the state before and after each."""

    events: list[Row]
    states: list[_State]

    def last_reaction(self, up_to: float = float("inf")) -> int:
        """Return the seq of the last event up to there that added or removed a reaction, or 0."""
        seqs = (one.seq for one in self.events if one.kind != DELETION_KIND and one.seq <= up_to)
        return max(seqs, default=0)

    def since(self, seq: int) -> list[_State]:
        """Return the state as of a seq, and all later ones."""
        first = max(index for index, state in enumerate(self.states) if index == 0 or state.since <= seq)
        return self.states[first:]


def _stories(history: History) -> dict[tuple[str, int], _Story]:
    """Return what became of each message that somebody reacted to, by room and seq."""
    events: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in sorted(history.rows, key=lambda row: row.seq):
        if row.kind in (REACTION_KIND, REMOVAL_KIND, DELETION_KIND):
            events[row.room, row.target].append(row)
    return {place: _Story(told, _states(place[1], told)) for place, told in events.items()}


def _states(seq: int, events: list[Row]) -> list[_State]:
    """Return the states from the message's own seq on; an event that I23 finds wrong changes nothing."""
    states = [_State(seq, {})]
    for one in events:
        standing, key = dict(states[-1].standing), (one.emoji, one.user)
        is_deleted = states[-1].is_deleted or one.kind == DELETION_KIND
        if is_deleted:
            standing.clear()
        elif one.kind == REACTION_KIND:
            standing.setdefault(key, one.seq)
        else:
            standing.pop(key, None)
        states.append(_State(one.seq, standing, is_deleted))
    return states


def reactions_agree(history: History) -> Iterator[Anomaly]:
    """I22: reactions are what the log's events leave, in the database, afresh and for followers."""
    stories = _stories(history)
    for row in history.rows:
        if row.kind == MESSAGE_KIND:
            story = stories.get((row.room, row.seq), _Story([], [_State(0, {})]))
            yield from _stored_otherwise(row, story, history.retention.has_pruned(row.room, row.seq))
    for found, is_right in ((history.shown, _is_shown_right), (history.believed, _is_believed_right)):
        for one in found:
            message = history.row_at.get((one.room, one.seq))
            story = stories.get((one.room, one.seq), _Story([], [_State(one.seq, {})]))
            if message is not None and not is_right(one, message, story):
                how = "at rest" if found is history.believed else f"at {one.reacted_seq}"
                what = f"has other reactions for {one.asker} {how} than the log, as of {one.head}"
                about = one.room, one.seq, one.user, message.uuid, one.client, one.at
                yield Anomaly("I22", what, *about)


def _stored_otherwise(row: Row, story: _Story, is_pruned: bool) -> Iterator[Anomaly]:
    last = story.last_reaction()
    if row.reacted_seq != last:
        what = f"points to {row.reacted_seq} as its last reaction, which is {last}"
        yield Anomaly.of("I22", row, what, seq=row.seq)
    standing = {} if row.is_deleted or is_pruned else story.states[-1].standing
    expected = tuple(Reaction(user, emoji, seq) for (emoji, user), seq in standing.items())
    if row.reactions != expected:
        what = f"has {len(row.reactions)} reactions in the database, and {len(expected)} should stand"
        yield Anomaly.of("I22", row, what, seq=row.seq)


def _is_shown_right(one: Shown, row: Row, story: _Story) -> bool:
    """Return True if it is the state as of its own `reacted_seq`, which no event up to its head is above."""
    if one.is_deleted or (row.is_deleted and not one.groups):
        return not one.groups
    is_told = one.reacted_seq in {event.seq for event in story.events} or not one.reacted_seq
    is_fresh = one.reacted_seq >= story.last_reaction(one.head)
    state = story.since(one.reacted_seq)[0]
    return is_told and is_fresh and one.groups == _groups(state.standing, one.asker)


def _is_believed_right(one: Shown, row: Row, story: _Story) -> bool:
    """Return True if it is a state as of its head or later, but for names that did not move up."""
    if one.is_deleted or (row.is_deleted and not one.groups):
        return not one.groups
    return any(_is_like(one.groups, state.standing, one.asker) for state in story.since(one.head))


def _groups(standing: Standing, asker: int) -> tuple[Group, ...]:
    """Return reactions as a frame has them: by emoji, those first whose earliest stands longest."""
    users: dict[str, list[int]] = {}
    for emoji, user in standing:
        users.setdefault(emoji, []).append(user)
    return tuple(Group(emoji, len(them), tuple(them[:NAMED]), asker in them) for emoji, them in users.items())


def _is_like(groups: tuple[Group, ...], standing: Standing, asker: int) -> bool:
    """Return True if counts and `mine` are right and all who are named have reacted so, in any order."""
    expected = {group.emoji: group for group in _groups(standing, asker)}
    if len(groups) != len(expected) or {group.emoji for group in groups} != expected.keys():
        return False
    return all(
        (group.total, group.is_mine) == (expected[group.emoji].total, expected[group.emoji].is_mine)
        and len(set(group.users)) == len(group.users) <= NAMED
        and all((group.emoji, user) in standing for user in group.users)
        for group in groups
    )


def reactors_are_allowed(history: History) -> Iterator[Anomaly]:
    """I23: members react to messages that are there, once with an emoji, and take away their own alone."""
    spans: dict[tuple[str, int], list[tuple[int, float]]] = defaultdict(list)
    for one in history.memberships:
        end = float("inf") if one.to_seq is None else one.to_seq
        spans[one.room, one.user].append((one.from_seq, end))
    for (room, seq), story in _stories(history).items():
        message = history.row_at.get((room, seq))
        for event, before in zip(story.events, story.states, strict=False):
            if event.kind == DELETION_KIND:
                continue
            what = _is_wrong(event, before)
            if message is None or message.kind != MESSAGE_KIND or seq >= event.seq:
                what = f"is about {seq}, which is no earlier message"
            elif not any(begin < event.seq <= end for begin, end in spans[room, event.user]):
                what = f"is about {seq}, by somebody who is no member"
            if what:
                yield Anomaly.of("I23", event, what, seq=event.seq)


def _is_wrong(event: Row, before: _State) -> str:
    """Return what is wrong with a reaction to what was there before it; empty for nothing."""
    is_standing = (event.emoji, event.user) in before.standing
    emoji = {emoji for emoji, _ in before.standing}
    if before.is_deleted:
        return f"is about {event.target}, which is deleted"
    if not _is_emoji(event.emoji):
        return "is a reaction with what is no emoji"
    if event.kind == REMOVAL_KIND:
        return "" if is_standing else f"removes from {event.target} what does not stand there"
    if is_standing:
        return f"adds to {event.target} what stands there already"
    is_full = event.emoji not in emoji and len(emoji) >= DIFFERENT
    return f"adds one emoji more than {DIFFERENT} to {event.target}" if is_full else ""


def _is_emoji(text: str) -> bool:
    are_signs = all(
        one == LETTER_LIKE or not (one.isspace() or category(one)[0] == "L" or category(one) in ("Cc", "Cs"))
        for one in text
    )
    return 1 <= len(text) <= CODE_POINTS and are_signs and max(text) >= FIRST
