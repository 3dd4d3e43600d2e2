"""I12 and I13: what the processes did meanwhile: bounded memory and an owner for every shard (G8, G9)."""

from collections.abc import Iterator
from typing import Final

from tests.judge.history import History

from .anomaly import Anomaly

UNOWNED_SECONDS: Final = 20.0
"""Longest time without an owner: 10 s until a beat counts as dead, and as much again to notice and take."""


def queues_are_bounded(history: History) -> Iterator[Anomaly]:
    """I12: no sampled queue or memory is above its bound (G8); the first of each name is named."""
    named: set[str] = set()
    for sample in history.samples:
        if sample.value > sample.bound and sample.name not in named:
            named.add(sample.name)
            what = f"{sample.name} was {sample.value:g}, its bound is {sample.bound:g}"
            yield Anomaly("I12", what, at=sample.at)


def shards_are_owned(history: History) -> Iterator[Anomaly]:
    """I13: no shard is without an owner for over 20 s, but for faults that leave nobody who could own."""
    if not history.ownership:
        return
    first, last = history.ownership[0], history.ownership[-1]
    last_owned = [first.at] * history.shards
    for sample in history.ownership:
        seen = range(history.shards) if sample is last else sample.owned
        for shard in seen:
            began, last_owned[shard] = last_owned[shard], sample.at
            seconds = sample.at - began - _excused_seconds(history, began, sample.at)
            if seconds > UNOWNED_SECONDS:
                yield Anomaly("I13", f"shard {shard} had no owner for {seconds:.1f} s", at=began)


def _excused_seconds(history: History, began: float, ended: float) -> float:
    """Return how much of the time lies within such faults; they do not overlap each other."""
    return sum(
        max(0.0, min(ended, fault.ended_at) - max(began, fault.started_at))
        for fault in history.faults
        if fault.leaves_no_owner
    )
