"""Blocks in a good history, and the ways to spoil them.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from collections.abc import Callable
from typing import Final

from tests.judge.blocks import Asked, Listed
from tests.judge.history import History

from .change_forgeries import LATE, OTHER, ROOM

EARLIEST: Final = 0.0
LATEST: Final = 1e9


def with_blocks(history: History) -> History:
    """Have the reader block another and a third, and end the latter; neither speaks in a room of both."""
    blocks, reader = history.blocks, _reader(history)
    blocks.asked += [
        Asked(reader, 97, True, EARLIEST, 1.0),
        Asked(reader, 98, True, EARLIEST, 1.0),
        Asked(reader, 98, False, 2.0, 3.0, is_last=True),
        Asked(reader, 97, True, 2.0, 3.0, is_last=True),
    ]
    blocks.stored.append((reader, 97))
    blocks.listed.append(Listed(reader, (97,)))
    return history


def _reader(history: History) -> int:
    return next(one.user for one in history.readings if (one.client, one.room) == (LATE, ROOM))


def lose_a_block(history: History) -> None:
    """A block that was answered last has no row, and is not listed."""
    history.blocks.stored.clear()
    history.blocks.listed.clear()


def keep_a_block_that_was_ended(history: History) -> None:
    """The end of a block was answered, and its row is there."""
    history.blocks.stored.append((_reader(history), 98))
    history.blocks.listed.clear()


def list_somebody_else(history: History) -> None:
    """A list has somebody who is not blocked."""
    history.blocks.listed[:] = [Listed(_reader(history), (97, 98))]


def accept_in_spite_of_a_block(history: History) -> None:
    """A message was sent after a block of its direct room was answered, and is in the log."""
    author = next(one.user for one in history.operations if one.room == ROOM and one.seqs)
    history.blocks.direct[ROOM] = author, OTHER
    history.blocks.asked.append(Asked(OTHER, author, True, EARLIEST - 2.0, EARLIEST - 1.0))


BLOCK_FORGERIES: Final[list[Callable[[History], None]]] = [
    lose_a_block,
    keep_a_block_that_was_ended,
    list_somebody_else,
    accept_in_spite_of_a_block,
]
"""I35 must flag each."""
