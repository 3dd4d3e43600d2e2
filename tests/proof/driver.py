"""Runs the tiers, those together that don't disturb each other, and gathers their rows.

A tier that is missing or breaks off is a row that has not passed: nothing is skipped in silence. It must not
know what a tier does.
"""

import importlib
import random
import time
import traceback
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tests.proof.rows import Row, Size

TIERS: Final = tuple(range(8))
BESIDE: Final = (6, 1)
"""Each has a lane of its own. The soak waits most of its time. The seeds, whose time is virtual, take only
what CPU the others leave (`tests.simulation.many.cores`)."""
SHARING: Final = (0, 4, 5, 2)
"""One after the other beside those: they measure no times. All further tiers run alone."""
Tell = Callable[[str], None]


def prove(tiers: Collection[int], size: Size, seed: int | None, tell: Tell) -> list[Row]:
    """Run the tiers and return their rows in order; `seed` None lets each tier draw fresh ones."""
    alone = [tier for tier in tiers if tier not in (*BESIDE, *SHARING)]
    with ThreadPoolExecutor(len(BESIDE)) as lanes:
        beside = [lanes.submit(_prove, tier, size, seed, tell) for tier in BESIDE if tier in tiers]
        rows = [row for tier in SHARING if tier in tiers for row in _prove(tier, size, seed, tell)]
        rows += [row for found in beside for row in found.result()]
    rows += [row for tier in alone for row in _prove(tier, size, seed, tell)]
    return sorted(rows, key=lambda row: row.tier)


def _prove(tier: int, size: Size, seed: int | None, tell: Tell) -> list[Row]:
    tell(f"tier {tier} ({size})")
    began = time.monotonic()
    rows = _run(tier, size, seed, tell)
    passed = sum(row.has_passed for row in rows)
    tell(f"tier {tier}: {passed} of {len(rows)} rows passed in {time.monotonic() - began:.0f} s")
    return rows


def fresh(seed: int | None) -> int:
    """Return the seed, or one that nobody chose."""
    return random.SystemRandom().randrange(2**31) if seed is None else seed


def again(tier: int, size: Size, seed: int | None = None) -> str:
    """Return the command that runs a tier again."""
    words = ["make proof", *(["SIZE=long"] if size is Size.LONG else []), f"TIER={tier}"]
    return " ".join(words if seed is None else [*words, f"SEED={seed}"])


def _run(tier: int, size: Size, seed: int | None, tell: Tell) -> list[Row]:
    name = f"tests.proof.tier_{tier}"
    began = time.monotonic()
    try:
        rows: list[Row] = importlib.import_module(name).run(size, seed)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        reason = f"there is no {name.replace('.', '/')}.py"
    except Exception as error:  # one tier's trouble must not hide what the others found
        tell(traceback.format_exc())
        reason = f"broke off: {type(error).__name__}: {error}"
    else:
        reason = "reported nothing"
        if rows:
            return rows
    seconds = time.monotonic() - began
    return [Row(tier, "could not run", seconds, again(tier, size, seed), anomalies=(reason,))]
