"""Safeguards of what is said of people who are connected.

Beside `ablations.py`, which has all the others and runs these too.
"""

from typing import Final

from roomlog_gateway.rooms import presence
from roomlog_gateway.rooms.attendance import Attendance, Crowd
from roomlog_gateway.rooms.room import Room

from .ablation import Ablation
from .plan import Plan


def _each_connection(room: Room, attendance: Attendance) -> Crowd:
    """Return whose connections there are, as often as there are any."""
    users = [session.user for session in room.members()]
    for said in attendance.said_elsewhere():
        users += said.users or ()
    return Crowd(tuple(sorted(users)), len(users))


PRESENCE_ABLATIONS: Final = (
    Ablation(
        "each person once, whatever the connections",
        ((presence, "_everywhere", _each_connection),),
        plan=Plan(faults=(0, 1), messages=(8, 16), watching=1.0),
        invariants=("I33",),
        hint=1,
    ),
)
