"""Whom the database holds as mentioned besides the log, in the words of the checker."""

from collections import defaultdict
from collections.abc import Iterable


def mentioned_by_message(rows: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], tuple[int, ...]]:
    """Return the mentioned of each message, by its room and seq, of rows of room, seq and user."""
    found: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for room, seq, user in rows:
        found[room, seq].append(user)
    return {place: tuple(sorted(users)) for place, users in found.items()}
