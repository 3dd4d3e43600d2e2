"""Safeguards of mentions.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Any, Final

from msgspec.structs import replace

from roomlog_worker.log import erasure, statements
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.rules import messages

from .ablation import Ablation
from .plan import Plan

_MENTIONS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(8, 16), changes=(2, 4), mentions=1.0
)
"""People mention each other, also those who are out."""
_DELETIONS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), edits=(16, 24), mentions=1.0
)
_CALLS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(4, 8), marks=(4, 8), calls=1.0
)
"""People mention whole rooms, and mark them read."""
_mention = Batch.mention


def _mention_by_messages_alone(self: Batch, room: Any, asked: Any, target: Any, seq: int) -> None:
    """Leave the rows as they are where a message is edited."""
    if target is None:
        _mention(self, room, asked, target, seq)


class _NoMentions:
    """Finds no row to delete."""

    @property
    def objects(self) -> "_NoMentions":
        return self

    def filter(self, **_: Any) -> "_NoMentions":
        return self

    def delete(self) -> None:
        """Leave them."""


def _mention_no_room(self: Batch, room: Any, asked: Any, target: Any, seq: int) -> None:
    """Keep no row of a message that mentions everybody."""
    command = replace(asked.command, mentions_room=False)
    _mention(self, room, replace(asked, command=command), target, seq)


MENTION_ABLATIONS: Final = (
    Ablation(
        "the row of a whole room that is mentioned",
        ((Batch, "mention", _mention_no_room),),
        plan=_CALLS,
        invariants=("I36",),
    ),
    Ablation(
        "the rows of the mentioned",
        ((statements, "_calls_to_mention", lambda mentioned, new: ()),),
        plan=_MENTIONS,
        invariants=("I30",),
    ),
    Ablation(
        "the mentions of an edit",
        ((Batch, "mention", _mention_by_messages_alone),),
        plan=_MENTIONS,
        invariants=("I30",),
    ),
    Ablation(
        "the look at who is mentioned",
        ((messages, "_require_members", lambda room, mentions: None),),
        plan=_MENTIONS,
        invariants=("I30",),
    ),
    Ablation(
        "the end of the mentions of a deleted message",
        ((erasure, "Mention", _NoMentions()),),
        plan=_DELETIONS,
        invariants=("I30",),
        hint=1,
    ),
)
