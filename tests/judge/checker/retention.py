"""I31: what was pruned, and of what clients were told that it is gone (G23)."""

import math
from collections.abc import Iterator
from typing import Final

from tests.judge.history import History, Reading, ResetSeen

from .anomaly import Anomaly

MAKING: Final = 1
"""The seq of the event that made the room: it stays."""
SEEN_SECONDS: Final = 2.0
"""So long after it was pruned an event is seen to be gone."""


def retention_holds(history: History) -> Iterator[Anomaly]:
    """I31: nothing too young goes, nothing under a hold, and what is gone is what is below the horizon."""
    retention = history.retention
    for room, gone in retention.pruned.items():
        for seq, at in gone.items():
            row = history.row_at[room, seq]
            if room in retention.held:
                yield Anomaly.of("I31", row, "was pruned under a legal hold", seq=seq, at=at)
            elif at - row.at_ms / 1000 < retention.kept_seconds:
                yield Anomaly.of("I31", row, f"was pruned at {at:.1f}, too young", seq=seq, at=at)
            elif seq == MAKING or seq >= retention.first_seqs.get(room, MAKING):
                yield Anomaly.of("I31", row, "was pruned, and is not below the horizon", seq=seq, at=at)
    for row in history.rows:
        first_seq = retention.first_seqs.get(row.room, MAKING)
        if MAKING < row.seq < first_seq and not retention.has_pruned(row.room, row.seq):
            yield Anomaly.of("I31", row, f"is still there below the horizon {first_seq}", seq=row.seq)


def is_behind_the_horizon(history: History, reading: Reading, reset: ResetSeen) -> bool:
    """Tell whether the event that was due to the client when it was reset had been pruned."""
    earlier = [one for one in reading.resets if one.position == reset.position and one.at < reset.at]
    if earlier:
        cursor = earlier[-1].to_seq
    else:
        cursor = reading.events[reset.position - 1].seq if reset.position else reading.start
    gone = history.retention.pruned.get(reading.room, {})
    return gone.get(max(cursor, MAKING) + 1, math.inf) <= reset.at + SEEN_SECONDS
