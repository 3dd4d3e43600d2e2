"""A room of the good history that keeps its last events only, and the ways to spoil that.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from collections.abc import Callable
from typing import Final

from tests.judge.history import History

from .retention import Retention

PRUNED: Final = "c" * 32
"""The good history's room without readers."""
HELD: Final = "a" * 32
KEPT_SECONDS: Final = 5.0
LAST_PRUNED: Final = 10


def with_retention(history: History) -> History:
    """Have the first events of a room pruned late, and another room held."""
    late = max(row.at_ms for row in history.rows) / 1000 + KEPT_SECONDS
    gone = dict.fromkeys(range(2, LAST_PRUNED + 1), late)
    history.retention = Retention(KEPT_SECONDS, (HELD,), {PRUNED: LAST_PRUNED + 1}, {PRUNED: gone})
    return history


def prune_what_is_young(history: History) -> None:
    """The last event that went was said just before."""
    history.retention.pruned[PRUNED][LAST_PRUNED] = 0.0


def prune_under_a_hold(history: History) -> None:
    """An event of a room under a legal hold goes."""
    history.retention.pruned[HELD] = {2: history.retention.pruned[PRUNED][2]}


def prune_without_moving_the_horizon(history: History) -> None:
    """The log says that it begins where it has nothing any more."""
    history.retention.first_seqs[PRUNED] = LAST_PRUNED


def prune_what_made_the_room(history: History) -> None:
    """Its first event goes."""
    history.retention.pruned[PRUNED][1] = history.retention.pruned[PRUNED][2]


def leave_an_event_below_the_horizon(history: History) -> None:
    """An event is still there where the log has none."""
    del history.retention.pruned[PRUNED][2]


RETENTION_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I31", prune_what_is_young),
    ("I31", prune_under_a_hold),
    ("I31", prune_without_moving_the_horizon),
    ("I31", prune_what_made_the_room),
    ("I31", leave_an_event_below_the_horizon),
]
