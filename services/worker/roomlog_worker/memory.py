"""Adds up what a worker may hold at worst, by its limits.

Beside the message's way; for `roomlog doctor`, by way of the command memory_bounds. Every figure is a
constant that the code enforces. It must not measure.
"""

from typing import Final

from roomlog.authenticators import own_authenticators
from roomlog.configuration import configuration
from roomlog.policy import has_policy
from roomlog_contract import limits
from roomlog_runtime.memory import Share
from roomlog_runtime.trail import RING_STEPS, STEP_BYTES
from roomlog_worker.log.room_cache import MOST

from .bus import BUNDLE_BYTES, READ_BATCH, UNCONFIRMED_BYTES, most_entries
from .lane import LANES, READS_AT_ONCE
from .questions import THREADS

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
ASKING_BYTES: Final = 2 * 1024 * 1024
"""Memory of a thread that asks the project's own code, with its connection to the database."""
QUESTION_BYTES: Final = 24 * 1024
"""Of the longest command that reads: a gateway's question for the heads of 1,000 rooms."""


def worst_case() -> tuple[Share, ...]:
    """Return all that this process may hold with the largest batch and the largest pages at once."""
    page, shards = limits.PAGE_BYTES + EVENT_BYTES, configuration().shards
    return (
        Share("the process itself", PROCESS_BYTES),
        Share("writes in progress", limits.FRAME_BYTES * COPIES, most_entries(limits.STREAM_BATCH, shards)),
        Share("cached rooms, senders and names", REMEMBERED_BYTES, MOST),
        Share("steps for the trail", STEP_BYTES, RING_STEPS),
        Share("reads in progress", 2 * QUESTION_BYTES, most_entries(READ_BATCH, shards) * LANES),
        Share("rows of the page in progress", limits.PAGE_EVENTS * EVENT_BYTES, LANES),
        Share("pages answered together, as frames and bundles", 2 * page, READS_AT_ONCE * LANES),
        Share("threads that ask authenticators", ASKING_BYTES, THREADS if own_authenticators() else 0),
        Share("threads that ask the policy", ASKING_BYTES, THREADS if has_policy() else 0),
        Share("bundles on their way to Redis", 2 * (UNCONFIRMED_BYTES + BUNDLE_BYTES), LANES),
    )
