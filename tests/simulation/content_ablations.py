"""Safeguards of what a room takes and shows: archived rooms, and the data of messages.

Beside `ablations.py`, which has all the others and runs these too. A project's message waits in a row and may
have data. The statement for a single message stores none, so only the whole transaction may take it.
"""

from typing import Any, Final

import msgspec

from roomlog import foreseen, selectors
from roomlog.body_hash import hash_of
from roomlog.frames import message_of
from roomlog_contract.commands import RoomWrite
from roomlog_worker import writer
from roomlog_worker.log import batch, rules
from roomlog_worker.log.statements import HeadRow

from .ablation import Ablation
from .plan import Plan
from .processes import current

_locked = batch._locked


def _locked_as_first_seen(head: HeadRow) -> Any:
    """Trust what this process once read of a room, whatever its locked row says."""
    seen = vars(current().process).setdefault("archived", {})
    return _locked(head._replace(is_archived=seen.setdefault(head.room, head.is_archived)))


def _without_data(*row_and_users: Any) -> Any:
    """Show the text alone."""
    return msgspec.structs.replace(message_of(*row_and_users), data=msgspec.UNSET)


def _hash_without_data(command: RoomWrite, data: str = "") -> str:
    """Take other data for a repeat."""
    return hash_of(command)


_ARCHIVES: Final = Plan(faults=(1, 3), messages=(12, 24), archives=1.0)
_CARDS: Final = Plan(faults=(1, 3), messages=(8, 16), posts=(6, 10), cards=1.0)

CONTENT_ABLATIONS: Final = (
    Ablation(
        "the locked row of an archived room",
        ((batch, "_locked", _locked_as_first_seen),),
        plan=_ARCHIVES,
        invariants=("I17",),
    ),
    Ablation(
        "data in what is read afresh",
        ((selectors, "message_of", _without_data),),
        plan=_CARDS,
        invariants=("I17",),
    ),
    Ablation(
        "the whole transaction for a message with data",
        ((writer, "_is_plain", lambda *_: True),),
        plan=_CARDS,
        invariants=("I17",),
    ),
    Ablation(
        "data in the body hash",
        ((rules, "hash_of", _hash_without_data), (foreseen, "hash_of", _hash_without_data)),
        plan=_CARDS,
        invariants=("I5",),
    ),
)
