"""Safeguards of retention.

Beside `ablations.py`, which has all the others and runs these too.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from roomlog import selectors
from roomlog.models import RoomHead
from roomlog.retention import Retention
from roomlog_worker import pruner
from roomlog_worker.log import pruning

from .ablation import Ablation
from .plan import Plan

_RETENTION: Final = Plan(kinds=("cut_socket", "kill_worker"), faults=(1, 2), retention=1.0)
_days_kept: Final[Callable[[Retention], int | None]] = vars(Retention)["days_kept"].fget


class _HeadsAsTheyAre:
    """Finds heads and changes none."""

    @property
    def objects(self) -> "_HeadsAsTheyAre":
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(RoomHead.objects, name)

    def filter(self, **_: Any) -> "_HeadsAsTheyAre":
        return self

    def update(self, **_: Any) -> None:
        """Leave them."""


def _days_in_spite_of_a_hold(self: Retention) -> int | None:
    return _days_kept(replace(self, is_held=False))


RETENTION_ABLATIONS: Final = (
    Ablation(
        "the horizon of a pruned room",
        ((pruning, "RoomHead", _HeadsAsTheyAre()),),
        plan=_RETENTION,
        invariants=("I31",),
    ),
    Ablation(
        "the look at a legal hold",
        (
            (Retention, "days_kept", property(_days_in_spite_of_a_hold)),
            (pruner, "HELD", {"room__isnull": True}),
        ),
        plan=_RETENTION,
        invariants=("I31",),
    ),
    Ablation(
        "the look at how old an event is",
        ((pruning, "takewhile", lambda _, events: events),),
        plan=_RETENTION,
        invariants=("I31",),
    ),
    Ablation(
        "the look at what a page of events lacks",
        ((selectors, "is_cut", lambda events, after, up_to: False),),
        plan=_RETENTION,
        invariants=("I8", "I9"),
        hint=1,
    ),
)
