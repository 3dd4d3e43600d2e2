"""Safeguards of rooms that are open to everybody, and of invitations.

Beside `ablations.py`, which has all the others and runs these too.
"""

from datetime import datetime
from typing import Any, Final

from django.db.models import Q

from roomlog_worker.log.batch import Batch
from roomlog_worker.log.rules import joining

from .ablation import Ablation
from .plan import Plan

_JOINING: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(8, 16), changes=(0, 1), joining=1.0
)
"""People leave rooms and try to join them, whether or not they are open."""


def _open_to_all(batch: Batch, asked: Any) -> None:
    """Let everybody in, where there is a room."""


def _opening_for_ever(now: datetime) -> Q:
    """Overlook ends, and what was revoked."""
    return Q()


JOINING_ABLATIONS: Final = (
    Ablation(
        "the look at whether a room is open",
        ((joining, "_invitation", _open_to_all),),
        plan=_JOINING,
        invariants=("I34",),
    ),
    Ablation(
        "the end of an invitation",
        ((joining, "opening", _opening_for_ever),),
        plan=_JOINING,
        invariants=("I34",),
    ),
)
