"""Safeguards of what is said of people who have read.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Final

from roomlog_gateway.rooms.receipts import Receipts

from .ablation import Ablation
from .plan import Plan

_RECEIPTS: Final = Plan(
    kinds=("delay_replies", "delay_notices", "kill_worker", "cut_link"),
    faults=(3, 6),
    messages=(8, 16),
    changes=(2, 4),
    marks=(20, 30),
    receipts=1.0,
)

RECEIPT_ABLATIONS: Final = (
    Ablation(
        "the end of a mark with its membership",
        ((Receipts, "discard", lambda *_: None),),
        plan=_RECEIPTS,
        invariants=("I37",),
        hint=3,
    ),
)
