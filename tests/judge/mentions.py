"""Whom messages mention, by the log, by frames and in tables of their own, in the words of the checker."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

EVERYBODY: Final = 0
"""Stands among the mentioned where a message mentions the whole room: no person has this id."""


def mentions_in(said: Mapping[str, Any] | None) -> tuple[int, ...]:
    """Return whom an event's data or a frame's message mentions."""
    facts = said or {}
    return as_told(facts.get("mentions") or (), bool(facts.get("mentions_room")))


def as_told(users: Iterable[int], is_for_all: bool) -> tuple[int, ...]:
    """Return whom a message mentions in one tuple."""
    return (*([EVERYBODY] if is_for_all else []), *users)


def mentioned_by_message(rows: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Return the mentioned of each message, by its room and seq, of rows of room, seq and user.

    The user of a row that mentions the whole room is EVERYBODY.
    """
    found: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for room, seq, user in rows:
        found[room, seq].append(user)
    return {place: tuple(sorted(users)) for place, users in found.items()}
