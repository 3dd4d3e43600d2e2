"""Tier 1: the real gateway, worker and client on a seeded loop in virtual time, and without each safeguard.

Small: seeds 0 to 199, the same for everybody, under four minutes on two cores. Long: 60,000 fresh ones. A row
is run again by its seed, which comes first; `python -m tests.simulation SEED` prints what one seed showed.
"""

import random
import time
from typing import Final

from tests.proof.rows import Row, Size
from tests.simulation.ablations import ABLATIONS, Catch
from tests.simulation.many import Tally, cores, whole

SEEDS: Final = {Size.SMALL: 200, Size.LONG: 60_000}
MOST_SEEDS: Final = {Size.SMALL: 300, Size.LONG: 3_000}
"""Seeds in which an ablation must be caught."""
FRESH: Final = 1_000_000_000
"""Long runs draw their first seed below it, so that each tries others."""


def run(size: Size, seed: int | None) -> list[Row]:
    """Return one row for the seeds and one for each ablation."""
    drawn = 0 if size is Size.SMALL else random.SystemRandom().randrange(FRESH)
    first = drawn if seed is None else seed
    with cores() as pool:
        began = time.monotonic()
        seeds = pool.begin_seeds(first, SEEDS[size])
        ablations = pool.begin_ablations(seed, MOST_SEEDS[size])  # each process goes on to them by itself
        rows = [_row_of(whole(seeds), first, size, time.monotonic() - began)]
        rows += [_ablation_row(caught.result()) for caught in ablations]
    return rows


def _row_of(tally: Tally, first: int, size: Size, seconds: float) -> Row:
    anomalies = [f"seed {seed}: {what}" for seed, what in tally.anomalies]
    if not tally.operations["unknown"]:
        anomalies.append("no sending ended unknown: the seeds are no evidence")
    if not tally.in_flight:
        anomalies.append("no fault hit work in flight: the seeds are no evidence")
    if not tally.singles:
        anomalies.append("no message took the fast path: the seeds are no evidence")
    long = " SIZE=long" if size is Size.LONG else ""
    hours = tally.virtual_seconds / 3600
    return Row(
        1,
        f"{tally.seeds} seeds, {hours:.1f} virtual hours",
        seconds,
        f"make proof{long} TIER=1 SEED={first}",
        success=tally.operations["success"],
        error=tally.operations["error"],
        unknown=tally.operations["unknown"],
        cases=tally.seeds,
        faults=tally.faults.total(),
        anomalies=tuple(anomalies),
        remarks=(
            f"{tally.in_flight} sendings were in flight when a fault began",
            f"{len(tally.faults)} kinds of faults",
            f"{tally.singles} messages took the fast path of a single one",
        ),
    )


def _ablation_row(caught: Catch) -> Row:
    ablation = ABLATIONS[caught.place]
    is_caught = caught.seed is not None
    return Row(
        1,
        f"without {ablation.name}",
        caught.seconds,
        f"make proof TIER=1 SEED={caught.seed if is_caught else 0}",
        cases=caught.tried,
        caught_by=f"seed {caught.seed}: {caught.anomaly}" if is_caught else "",
        is_ablation=True,
    )
