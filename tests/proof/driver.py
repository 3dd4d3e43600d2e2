"""Runs the tiers one after the other and gathers their rows.

A tier that is missing or breaks off is a row that has not passed: nothing is skipped in silence. It must not
know what a tier does.
"""

import importlib
import random
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Final

from tests.proof.rows import Row, Size

TIERS: Final = tuple(range(8))
Tell = Callable[[str], None]


def prove(tiers: Iterable[int], size: Size, seed: int | None, tell: Tell) -> list[Row]:
    """Run the tiers in their order and return all rows; `seed` None lets each tier draw fresh ones."""
    rows: list[Row] = []
    for tier in tiers:
        tell(f"tier {tier} ({size})")
        began = time.monotonic()
        found = _run(tier, size, seed, tell)
        rows += found
        passed = sum(row.has_passed for row in found)
        tell(f"tier {tier}: {passed} of {len(found)} rows passed in {time.monotonic() - began:.0f} s")
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
