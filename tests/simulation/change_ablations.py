"""Safeguards of edits, deletions and reactions.

Beside `ablations.py`, which has all the others and runs these too.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from roomlog_client import Messages
from roomlog_worker.log import batch as batches
from roomlog_worker.log import erasure, statements
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.rules import messages

from .ablation import Ablation
from .plan import Plan

_EDITS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(10, 20), changes=(0, 1), edits=(16, 24)
)
"""Much is edited and deleted."""
_LATE_ANSWERS: Final = replace(_EDITS, kinds=("delay_replies",), faults=(3, 5))
_REACTIONS: Final = replace(_EDITS, edits=(4, 8), reactions=(16, 24))
"""People react much, and messages are deleted."""
_append_events = statements.append_events


def _append_without_pointers(events: Any, heads: Any, changed: Any, *rest: Any, commits: bool) -> Any:
    """Store edits, and nothing at the messages that they change."""
    return _append_events(events, heads, (), *rest, commits=commits)


def _target_as_it_was(batch: Batch, asked: Any) -> Any:
    """Find a message, deleted or not."""
    return batch.targets[asked.room, asked.command.message]


def _scrub_rows_alone(batch: Batch, room: UUID, seqs: Collection[int]) -> int:
    """Overlook the edits of this very batch."""
    return erasure.scrub(replace(batch, events=[]), room, seqs)


def _know_as_answered(self: Messages, message: dict[str, Any], seq: int) -> None:
    """Believe what came last."""
    self._messages[message["seq"]], self._known_at[message["seq"]] = message, seq
    self._pin(message["seq"], seq, message.get("pinned"))


def _read_no_reactions(targets: Any, reactors: Any) -> None:
    """Forget which reactions stand."""


class _NoReactions:
    """Finds no reaction to delete."""

    @property
    def objects(self) -> "_NoReactions":
        return self

    def filter(self, **_: Any) -> "_NoReactions":
        return self

    def delete(self) -> None:
        """Leave them."""


CHANGE_ABLATIONS: Final = (
    Ablation(
        "the pointer to the last edit",
        ((statements, "append_events", _append_without_pointers),),
        plan=_EDITS,
        invariants=("I19",),
    ),
    Ablation(
        "the end of the edits of a deleted message",
        ((erasure, "EDIT", "nothing"),),
        plan=_EDITS,
        invariants=("I21",),
    ),
    Ablation(
        "the wait of a deletion for its own batch",
        ((messages, "scrub", _scrub_rows_alone),),
        plan=_EDITS,
        invariants=("I21",),
    ),
    Ablation(
        "the look at whether a message is deleted",
        ((messages, "require_target", _target_as_it_was),),
        plan=_EDITS,
        invariants=("I20",),
    ),
    Ablation(
        "the client's memory of later changes",
        ((Messages, "_know", _know_as_answered),),
        plan=_LATE_ANSWERS,
        invariants=("I19",),
        hint=4,
    ),
    Ablation(
        "the end of the reactions to a deleted message",
        ((erasure, "Reaction", _NoReactions()),),
        plan=_REACTIONS,
        invariants=("I22",),
        hint=5,
    ),
    Ablation(
        "the look at which reactions stand",
        ((batches, "_read_reactions", _read_no_reactions),),
        plan=_REACTIONS,
        invariants=("I23",),
    ),
)
