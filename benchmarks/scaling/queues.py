"""One station with a queue: Poisson arrivals, one server that takes up to so many at once."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WARM_UP: Final = 0.1
"""Share of the arrivals that come first and are not counted: the queue is empty at the beginning."""


@dataclass(frozen=True, slots=True)
class Served:
    """What became of the arrivals."""

    seconds: Sequence[float]
    """From arrival to the end of its batch, of each."""
    busy: float
    """Share of the time in which the server works; 1 and more where the queue grows without end."""
    batch: float
    """Arrivals in a batch, on average."""


def serve(rate: float, base: float, each: float, most: int, arrivals: int, dice: random.Random) -> Served:
    """Serve so many arrivals, `rate` a second; a batch of n takes `base + each * n` seconds, and n <= `most`.

    With `most` of one it is M/D/1. A queue that grows without end is no error: its times say so.
    """
    came: list[float] = []
    now = 0.0
    for _ in range(arrivals):
        now += dice.expovariate(rate)
        came.append(now)
    seconds: list[float] = []
    free_at = worked = 0.0
    batches = first = 0
    while first < arrivals:
        begins = max(free_at, came[first])
        end = first + 1
        while end < arrivals and end - first < most and came[end] <= begins:
            end += 1
        lasts = base + each * (end - first)
        free_at = begins + lasts
        worked, batches = worked + lasts, batches + 1
        seconds += [free_at - at for at in came[first:end]]
        first = end
    return Served(seconds[int(arrivals * WARM_UP) :], worked / came[-1], arrivals / batches)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which so much of them lies."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
