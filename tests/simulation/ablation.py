"""One safeguard to be removed, and a run without it.

Around one simulation. Which ones there are is said in `ablations.py`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from .plan import EVERYDAY, Plan
from .seeds import Verdict, run_seed
from .world import World

Patches = tuple[tuple[Any, str, Any], ...]
"""Class or module, name in it, and what stands in its place."""


@dataclass(frozen=True)
class Ablation:
    """A missing safeguard, and the kind of run in which it is missed."""

    name: str
    patches: Patches = ()
    keys: tuple[str, ...] = ()
    """Unique keys of the logs' table that are missing."""
    has_row_locks: bool = True
    plan: Plan = EVERYDAY
    invariants: tuple[str, ...] = ("",)
    """What the anomaly must begin with."""
    hint: int = 0
    """A seed that has caught it: tried first, so that every change is quick to prove."""

    def weaken(self, world: World) -> None:
        """Take the database's part away."""
        if self.keys:
            world.store.forget_unique(*self.keys)
        world.database.locks_reads = self.has_row_locks


@contextmanager
def without(ablation: Ablation) -> Iterator[None]:
    """Take the product's safeguard away."""
    with ExitStack() as patches:
        for owner, method, replacement in ablation.patches:
            # A property stands in for an attribute of objects; any other name must be there still.
            is_new = isinstance(replacement, property)
            patches.enter_context(patch.object(owner, method, replacement, create=is_new))
        yield


def run_without(ablation: Ablation, seed: int) -> Verdict:
    """Run one seed without the safeguard."""
    with without(ablation):
        return run_seed(seed, ablation.plan, ablation.weaken)
