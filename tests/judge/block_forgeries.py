"""Blocks in a good history, and the ways to spoil them.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from typing import Final

from tests.judge.blocks import Asked, Listed
from tests.judge.history import History

from .change_forgeries import OTHER, READER, ROOM
from .spoiling import Table, forgeries

EARLIEST: Final = 0.0


def with_blocks(history: History) -> History:
    """Have the reader block another and a third, and end the latter; neither speaks in a room of both."""
    blocks = history.blocks
    blocks.asked += [
        Asked(READER, 97, True, EARLIEST, 1.0),
        Asked(READER, 98, True, EARLIEST, 1.0),
        Asked(READER, 98, False, 2.0, 3.0, is_last=True),
        Asked(READER, 97, True, 2.0, 3.0, is_last=True),
    ]
    blocks.stored.append((READER, 97))
    blocks.listed.append(Listed(READER, (97,)))
    return history


def _unlisted(history: History) -> None:
    history.blocks.listed.clear()


def _accepted(history: History) -> None:
    author = next(one.user for one in history.operations if one.room == ROOM and one.seqs)
    history.blocks.direct[ROOM] = author, OTHER
    history.blocks.asked.append(Asked(OTHER, author, True, EARLIEST - 2.0, EARLIEST - 1.0))


_WAYS: Final[Table] = {
    "I35": {
        "A block that was answered last has no row, and is not listed": (
            lambda history: history.blocks.stored.clear(),
            _unlisted,
        ),
        "The end of a block was answered, and its row is there": (
            lambda history: history.blocks.stored.append((READER, 98)),
            _unlisted,
        ),
        "A list has somebody who is not blocked": (
            _unlisted,
            lambda history: history.blocks.listed.append(Listed(READER, (97, 98))),
        ),
        "A message was sent after a block of its direct room was answered, and is in the log": _accepted,
    },
}
BLOCK_FORGERIES: Final = forgeries(_WAYS)
