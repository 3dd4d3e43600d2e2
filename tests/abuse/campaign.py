"""All attacks, or some, one after the other on one ground. Beside the message's way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.abuse.attacks import ATTACKS
from tests.abuse.ground import prepare
from tests.abuse.trial import Outcome, together, try_attack
from tests.faults.databases import postgres_databases


def try_all(
    directory: Path, seconds: float, is_chosen: Callable[[str], bool] = lambda _: True
) -> list[tuple[Outcome, tuple[str, ...]]]:
    """Return the outcome of each attack and its anomalies; prints each as it ends.

    Raises:
        AssertionError: a process wrote a traceback.
    """
    log = directory / "bystander.jsonl"
    chosen = {name: attack for name, attack in ATTACKS.items() if is_chosen(name)}
    outcomes = []
    with postgres_databases() as databases, prepare(directory / "stack", databases) as ground:
        with ground.bystander(log):
            for name, attack in chosen.items():
                outcome = try_attack(ground, name, attack, seconds, log)
                print("\n    ".join([f"  {name}", *outcome.sentences()]), flush=True)
                outcomes.append(outcome)
        ground.stack.assert_no_traceback()
    undisturbed = together([outcome.calm for outcome in outcomes])
    return [(outcome, tuple(outcome.anomalies(undisturbed))) for outcome in outcomes]
