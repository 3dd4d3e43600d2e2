"""Safeguards of read marks.

Beside `ablations.py`, which has all the others and runs these too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from roomlog.models import ChatMessage, Membership, RoomHead
from roomlog.read_marks import Pair
from roomlog.selectors import summaries_of
from roomlog_contract.events import RoomSummary
from roomlog_worker import marks
from roomlog_worker.entries import Entry

from .ablation import Ablation
from .plan import Plan

_MARKS: Final = Plan(
    kinds=("cut_socket", "kill_worker"), faults=(1, 2), messages=(8, 16), changes=(0, 1), marks=(20, 30)
)
"""Much is read, on several devices of everybody."""
_move = marks.move


def _move_marks_anywhere(wanted: Mapping[Pair, int]) -> dict[Pair, RoomSummary]:
    """Store each mark as it comes, though the one before was further."""
    for (room, user), seq in wanted.items():
        head = RoomHead.objects.filter(pk=room).values_list("last_seq", flat=True).first() or 0
        rows = Membership.objects.filter(room=room, user=user)
        read = ChatMessage.objects.filter(room=room, seq__lte=seq).count()
        rows.update(read_seq=min(seq, head), read_number=read)
    return summaries_of(wanted.keys())


def _move_in_silence(entries: Sequence[Entry]) -> marks.Marks:
    """Move marks, and tell the user's other sockets nothing."""
    return marks.Marks(_move(entries).rooms)


def _set_nothing(wanted: Mapping[Pair, str]) -> None:
    """Answer as if the levels were set."""


MARK_ABLATIONS: Final = (
    Ablation(
        "the comparison of a read mark",
        ((marks, "move_marks", _move_marks_anywhere),),
        plan=_MARKS,
        invariants=("I18",),
    ),
    Ablation(
        "the notice of a read mark",
        ((marks, "move", _move_in_silence),),
        plan=_MARKS,
        invariants=("I18",),
        hint=1,
    ),
    Ablation(
        "the row of a level of notifications",
        ((marks, "set_levels", _set_nothing),),
        plan=replace(_MARKS, levels=1.0),
        invariants=("I18",),
    ),
)
