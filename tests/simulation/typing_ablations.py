"""Safeguards of what is said of people who type.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Final

from roomlog_contract.events import User
from roomlog_gateway.rooms import typing
from roomlog_gateway.rooms.room import Room

from .ablation import Ablation
from .plan import Plan

_TYPING: Final = Plan(faults=(0, 1), messages=(8, 16), changes=(4, 6), typing=1.0)


def _tell_everybody(self: typing.TypingTeller, room: Room, users: list[User]) -> None:
    """Tell each connection of all who type, itself too."""
    frame = typing._frame_of(room, users)
    assert frame is not None
    for session in room.live:
        self._hint(session, frame)


TYPING_ABLATIONS: Final = (
    Ablation(
        "the sender's own connections, which are not told who types",
        ((typing.TypingTeller, "_tell", _tell_everybody),),
        plan=_TYPING,
        invariants=("I29",),
    ),
)
