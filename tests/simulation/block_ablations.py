"""Safeguards of blocks and of reports.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Final

from roomlog_contract.events import User
from roomlog_worker import blocks, reports
from roomlog_worker.log import batch

from .ablation import Ablation
from .plan import Plan

_BLOCKS: Final = Plan(kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), blocks=1.0)
"""People block each other and write all the same."""


def _block_nobody(blocker: int, blocked: int) -> User:
    """Answer as if the user were blocked."""
    return User(blocked, "somebody")


BLOCK_ABLATIONS: Final = (
    Ablation(
        "the look at who is blocked in a direct room",
        ((batch, "_find_blocks", lambda rooms: None),),
        plan=_BLOCKS,
        invariants=("I35",),
    ),
    Ablation("the row of a block", ((blocks, "block", _block_nobody),), plan=_BLOCKS, invariants=("I35",)),
    Ablation(
        "the row of a report",
        ((reports, "store_report", lambda command, person: True),),
        plan=Plan(kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), reports=1.0),
        invariants=("I40",),
    ),
)
