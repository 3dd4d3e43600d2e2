"""All attacks, or some, one after the other on one ground. Beside the message's way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.abuse.attacks import ATTACKS
from tests.abuse.ground import Ground, prepare
from tests.abuse.trial import Outcome, together, try_attack
from tests.harness.stack_databases import postgres_databases

AGAIN: Final = 2
"""More tries of an attack that was over a bound: machines have slow minutes; the median of three counts."""

Verdict = tuple[Outcome, tuple[str, ...]]
"""What an attack did, and what of it breaks the promise."""


def try_all(
    directory: Path, seconds: float, is_chosen: Callable[[str], bool] = lambda _: True
) -> list[Verdict]:
    """Return the outcome of each attack and its anomalies; prints each as it ends.

    Raises:
        AssertionError: a process wrote a traceback.
    """
    log = directory / "bystander.jsonl"
    chosen = [name for name in ATTACKS if is_chosen(name)]
    with postgres_databases() as databases, prepare(directory / "stack", databases) as ground:
        with ground.bystander(log):
            outcomes = [_try(ground, name, seconds, log) for name in chosen]
            undisturbed = together([outcome.calm for outcome in outcomes])
            verdicts = []
            for outcome in outcomes:
                tries = [(outcome, tuple(outcome.anomalies(undisturbed)))]
                if tries[0][1]:
                    more = [_try(ground, outcome.name, seconds, log) for _ in range(AGAIN)]
                    tries += [(one, tuple(one.anomalies(undisturbed))) for one in more]
                verdicts.append(median(tries))
        ground.stack.assert_no_traceback()
    return verdicts


def median(tries: Sequence[Verdict]) -> Verdict:
    """Return the try in the middle, by how much it broke: it has anomalies where most tries have."""
    return sorted(tries, key=lambda one: len(one[1]))[len(tries) // 2]


def _try(ground: Ground, name: str, seconds: float, log: Path) -> Outcome:
    outcome = try_attack(ground, name, ATTACKS[name], seconds, log)
    print("\n    ".join([f"  {name}", *outcome.sentences()]), flush=True)
    return outcome
