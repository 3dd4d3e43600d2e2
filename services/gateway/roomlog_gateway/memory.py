"""`python -m roomlog_gateway.memory`: what this gateway may hold at worst, by its settings and limits.

Beside the message's way; for `roomlog doctor`. Every figure is a constant that the code enforces, so a
change of one changes the answer. Nobody gives a gateway the sum, in which every client is stuck at once: what
counts for its limit is how many may be stuck (`room_for_stuck`). Not counted are events that are held for a
gap or a select_room: at most 256 a room, shared by its members, for 15 s. It must not measure.
"""

import sys
from typing import Final

from roomlog_contract import limits
from roomlog_runtime.memory import Share, container_limit, describe, in_units, total
from roomlog_runtime.settings import SettingError
from roomlog_runtime.trail import RING_STEPS, STEP_BYTES

from .config import Config, read_config
from .redis.command_writer import PENDING_BYTES
from .sockets.connection import SOCKET_BYTES
from .sockets.outbox import WRITE_BYTES, unread_bound

PROCESS_BYTES: Final = 96 * 1024 * 1024
"""Interpreter, libraries and buffers of a gateway that nobody is connected to."""
CONNECTION_BYTES: Final = 20 * 1024
"""An idle connection with its session (docs/decisions.md)."""
READING_BYTES: Final = 256 * 1024
"""What one read of a socket brings at most; until it is parsed the socket is not read again."""
ESCAPED_BYTES: Final = 6
"""The most that one code point takes in JSON: \\u0001."""
AROUND_BYTES: Final = 1024
"""Of an event's frame beside its text."""
EVENT_BYTES: Final = limits.TEXT_CODE_POINTS * ESCAPED_BYTES + AROUND_BYTES
ARRIVING_BYTES: Final = limits.UNANSWERED_COMMANDS * limits.HISTORY_MESSAGES * EVENT_BYTES
"""In a tenth of a second: more than a worker reads in it, all commands of a connection answered at once."""


STUCK: Final = {
    "messages being received": limits.FRAME_BYTES + READING_BYTES,
    "bytes in the socket (SOCKET_BYTES)": SOCKET_BYTES + WRITE_BYTES,
    "waiting events, if no two connections share a room (OUTBOX_BYTES)": limits.OUTBOX_BYTES,
}
"""What a connection holds beside its idle self, at all of its bounds."""


def worst_case(config: Config) -> tuple[Share, ...]:
    """Return all that this process may hold when every connection is at all of its bounds."""
    return (
        *while_idle(config),
        *(Share(what, each, config.max_connections) for what, each in STUCK.items()),
    )


def while_idle(config: Config) -> tuple[Share, ...]:
    """Return what it may hold while it is full and no connection is stuck."""
    return (
        Share("the process itself", PROCESS_BYTES),
        Share("commands waiting for Redis (PENDING_BYTES)", PENDING_BYTES),
        Share("unread answers of all connections (UNREAD_BYTES)", unread_bound(config.max_connections)),
        Share("steps for the trail (RING_STEPS)", STEP_BYTES, RING_STEPS),
        Share("answers that arrive between two counts", ARRIVING_BYTES),
        Share("connections, idle", CONNECTION_BYTES, config.max_connections),
    )


def room_for_stuck(config: Config, limit_bytes: int | None) -> list[str]:
    """Return lines that say how many connections may be stuck at one time before the limit is reached."""
    idle, each = total(while_idle(config)), sum(STUCK.values())
    lines = [
        f"  full, and no connection stuck: {in_units(idle)}",
        f"  each that reads nothing: {in_units(each)} more; it is closed after {limits.STALLED_SECONDS:g} s",
    ]
    if limit_bytes is None:
        return lines
    if limit_bytes < idle:
        return [*lines, "  WRONG: raise the memory limit, or lower ROOMLOG_MAX_CONNECTIONS"]
    return [*lines, f"  the limit leaves room for {(limit_bytes - idle) // each:,} of them at one time"]


def main() -> int:
    """Print it and return the exit status."""
    try:
        config = read_config()
    except SettingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command line's own channel
        return 1
    limit = container_limit()
    lines = describe("a gateway", worst_case(config), limit) + room_for_stuck(config, limit)
    print("\n".join(lines))  # noqa: T201 - the same
    return 0


if __name__ == "__main__":
    sys.exit(main())
