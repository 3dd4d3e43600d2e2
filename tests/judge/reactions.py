"""Reactions as the database holds them and as clients are shown them, in the words of the checker."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

REACTION_KIND: Final = "add_reaction"
REMOVAL_KIND: Final = "remove_reaction"
Stored = tuple[str, int, int, str, int]
"""Room, seq of the message, user, emoji, seq of the event."""


class Reaction(NamedTuple):
    """One person's emoji below a message, as the database holds it."""

    user: int
    emoji: str
    seq: int
    """Of the event that added it."""


class Group(NamedTuple):
    """All reactions to a message with one emoji, as a client is shown them."""

    emoji: str
    total: int
    users: tuple[int, ...]
    """The first of them."""
    is_mine: bool


def by_message(stored: Iterable[Stored]) -> dict[tuple[str, int], tuple[Reaction, ...]]:
    """Return the rows of reactions by room and seq of the message, in the order of seq."""
    found: dict[tuple[str, int], list[Reaction]] = {}
    for room, target, user, emoji, seq in stored:
        found.setdefault((room, target), []).append(Reaction(user, emoji, seq))
    return {place: tuple(sorted(reactions, key=lambda one: one.seq)) for place, reactions in found.items()}


def groups_of(reactions: Mapping[str, Any]) -> tuple[Group, ...]:
    """Return the reactions to a message as a frame has them, in its order."""
    return tuple(
        Group(emoji, one["count"], tuple(user["id"] for user in one["users"]), one["mine"])
        for emoji, one in reactions.items()
    )
