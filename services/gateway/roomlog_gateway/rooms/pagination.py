"""Lists of rooms, cut into frames that every client takes. Last stage before the outbox."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def paginate(items: Sequence[Item], size: int) -> Iterator[tuple[Sequence[Item], bool]]:
    """Yield the items in pages, each with whether another one follows; one empty page if there are none."""
    for start in range(0, max(1, len(items)), size):
        yield items[start : start + size], start + size < len(items)
