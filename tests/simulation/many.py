"""Many seeds on all cores: what they summed up to, and which seed misses which safeguard.

Around whole simulations. Each process runs its share; nothing is shared but the tallies that come back.
"""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from .ablations import ABLATIONS, Catch, catch
from .seeds import run_seed

SHARE: Final = 10
"""Seeds that a process takes at once."""
GC_OBJECTS: Final = 20_000
"""New ones between two collections: one of every 700 took a tenth of a process's time."""
LOWEST: Final = 19
"""Niceness: beside processes of the usual one this gets a sixtieth of a core."""
NAMED_ANOMALIES: Final = 3
"""Of one seed: its first ones say what happened, the seed itself tells the rest."""


@dataclass
class Tally:
    """What some seeds showed together."""

    seeds: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    virtual_seconds: float = 0.0
    singles: int = 0
    """Messages that were stored by the way of one that is alone in its batch."""
    anomalies: list[tuple[int, str]] = field(default_factory=list)
    """Seed and what broke."""

    def add(self, other: "Tally") -> None:
        """Take in what other seeds showed."""
        self.seeds += other.seeds
        self.operations += other.operations
        self.faults += other.faults
        self.in_flight += other.in_flight
        self.singles += other.singles
        self.virtual_seconds += other.virtual_seconds
        self.anomalies += other.anomalies


def tally_of(seeds: Sequence[int]) -> Tally:
    """Run seeds one after the other; one that can't be run is an anomaly."""
    tally = Tally()
    for seed in seeds:
        tally.seeds += 1
        try:
            verdict = run_seed(seed)
        except Exception as error:  # the others have something to say all the same
            tally.anomalies.append((seed, f"broke off: {type(error).__name__}: {error}"))
            continue
        tally.operations += verdict.operations
        tally.faults += verdict.faults
        tally.in_flight += verdict.in_flight
        tally.singles += verdict.singles
        tally.virtual_seconds += verdict.seconds
        tally.anomalies += [(seed, anomaly) for anomaly in verdict.anomalies[:NAMED_ANOMALIES]]
    return tally


@contextmanager
def cores() -> Iterator["Cores"]:
    """Start a process for each core; together they take the CPU that nobody else wants."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, _begin) as pool:
        yield Cores(pool)


def _begin() -> None:
    os.nice(LOWEST)  # no clock but the virtual one: who runs slowly proves the same
    collect_less()


def collect_less() -> None:
    """Leave what the imports made out of each collection, and collect less often."""
    gc.freeze()
    gc.set_threshold(GC_OBJECTS)


class Cores:
    """Processes that run simulations."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def begin_seeds(self, first: int, count: int) -> list[Future[Tally]]:
        """Begin to run `count` seeds from `first` on."""
        end = first + count
        shares = [range(start, min(start + SHARE, end)) for start in range(first, end, SHARE)]
        return [self._pool.submit(tally_of, share) for share in shares]

    def begin_ablations(self, first: int | None, most: int) -> list[Future[Catch]]:
        """Begin to look for a seed for each ablation, `first` before all others, and `most` of them."""
        return [self._pool.submit(catch, place, first, most) for place in range(len(ABLATIONS))]


def whole(tallies: Iterable[Future[Tally]]) -> Tally:
    """Return what the seeds showed together, once all have run."""
    everything = Tally()
    for tally in tallies:
        everything.add(tally.result())
    return everything
