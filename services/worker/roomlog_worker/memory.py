"""What a worker may hold at worst, by its limits.

Beside the message's way; for `roomlog doctor`, by way of the command memory_bounds. Every figure is a
constant that the code enforces. It must not measure.
"""

from typing import Final

from roomlog_contract import limits
from roomlog_runtime.memory import Share
from roomlog_store.remembered import MOST

from .bus import MOST_ENTRIES
from .consumer import READS_AT_ONCE
from .reader import PAGE_BYTES

PROCESS_BYTES: Final = 160 * 1024 * 1024
"""Interpreter, Django, drivers."""
COPIES: Final = 4
"""Of an entry under way: as read, as a command, as a row, as a frame."""
ESCAPED_BYTES: Final = 6
AROUND_BYTES: Final = 1024
"""Of an event's frame beside its text; a code point takes six bytes at most in JSON."""
EVENT_BYTES: Final = limits.TEXT_CODE_POINTS * ESCAPED_BYTES + AROUND_BYTES
REMEMBERED_BYTES: Final = 1024
"""Of a room, a sender in it and the sender's name together."""


def worst_case() -> tuple[Share, ...]:
    """Return all that this process may hold with the largest batch and the largest pages at once."""
    page = max(limits.HISTORY_MESSAGES * EVENT_BYTES, PAGE_BYTES + EVENT_BYTES)
    return (
        Share("the process itself", PROCESS_BYTES),
        Share("entries of one read, as they pass through", limits.FRAME_BYTES * COPIES, MOST_ENTRIES),
        Share("rooms, senders and names that are remembered", REMEMBERED_BYTES, MOST),
        Share("pages that are answered together, rows and frames", 2 * page, READS_AT_ONCE),
    )
