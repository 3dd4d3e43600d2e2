"""Safeguards of files.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Any, Final

from roomlog_worker.log import erasure
from roomlog_worker.log.batch import Batch

from .ablation import Ablation
from .plan import Plan

_FILES: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), changes=(2, 4), files=1.0
)
"""People bring files, also those that another message has."""
_DELETIONS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), edits=(16, 24), files=1.0
)


def _claim_without_a_trace(self: Batch, asked: Any, event: Any) -> None:
    """Let a message have files that others can have too."""


FILE_ABLATIONS: Final = (
    Ablation(
        "the claim of files",
        ((Batch, "claim", _claim_without_a_trace),),
        plan=_FILES,
        invariants=("I17",),
    ),
    Ablation(
        "the end of the files of a deleted message",
        ((erasure, "drop", lambda files, now: 0),),
        plan=_DELETIONS,
        invariants=("I17", "I21"),
    ),
)
