"""Safeguards of what a replica may answer.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Final

from roomlog_worker import reader

from .ablation import Ablation
from .plan import Plan

_REPLICA: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(20, 30), edits=(8, 12), replica=1.0
)

REPLICA_ABLATIONS: Final = (
    Ablation(
        "the look at how far a replica is",
        ((reader, "_has_all", lambda there, envelope: there is not None),),
        plan=_REPLICA,
        invariants=("I39",),
    ),
)
