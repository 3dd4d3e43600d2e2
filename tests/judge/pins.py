"""Pins as the database holds them and as clients are shown them, in the words of the checker."""

from collections.abc import Iterable
from typing import Final, NamedTuple

PIN_KIND: Final = "pin_message"
UNPIN_KIND: Final = "unpin_message"
Stored = tuple[str, int, int]
"""Room, seq of the message, seq of the event."""


class PinList(NamedTuple):
    """The pinned messages of a room as a client was listed them."""

    client: str
    user: int
    room: str
    at: float
    head: int
    """The seq as of which the answer is."""
    seqs: tuple[int, ...]
    """Of the messages, in the order of the answer."""
    has_more: bool = False
    """The answer was full."""


def by_message(stored: Iterable[Stored]) -> dict[tuple[str, int], int]:
    """Return the seq of the event that pinned each message, by room and seq of the message."""
    return {(room, target): seq for room, target, seq in stored}
