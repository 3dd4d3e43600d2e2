"""A room of the good history that keeps its last events only, and the ways to spoil that.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

import math
from typing import Final

from tests.judge.history import History

from .retention import Retention
from .spoiling import Table, forgeries, spoils

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


@spoils
def _pruned(history: History, room: str, seq: int, at: float = math.inf) -> None:
    """Have an event pruned at a time; by default when it may be."""
    pruned = history.retention.pruned
    pruned.setdefault(room, {})[seq] = min(at, pruned[PRUNED][2])


_WAYS: Final[Table] = {
    "I31": {
        "The last event that went was said just before": _pruned(PRUNED, LAST_PRUNED, 0.0),
        "An event of a room under a legal hold goes": _pruned(HELD, 2),
        "The log says that it begins where it has nothing any more": lambda history: (
            history.retention.first_seqs.update({PRUNED: LAST_PRUNED})
        ),
        "The event that made the room goes": _pruned(PRUNED, 1),
        "An event is still there where the log has none": lambda history: history.retention.pruned[
            PRUNED
        ].pop(2),
    },
}
RETENTION_FORGERIES: Final = forgeries(_WAYS)
