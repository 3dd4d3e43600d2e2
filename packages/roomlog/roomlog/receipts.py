"""How far the members of a room have read, for rooms that show it: of committed read marks alone.

Beside the log. Nothing is stored for it: the marks are the memberships'. Rooms with more than RECEIPT_MEMBERS
members tell nothing, so that a mark costs the same in every room.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from roomlog_contract.envelope import HaveRead, RoomMarks
from roomlog_contract.events import RoomSummary
from roomlog_contract.limits import RECEIPT_MEMBERS

from .models import ChatRoom, Membership

_MEMBERS: Final = RawSQL(
    """(SELECT count(*) FROM (
        SELECT 1 FROM roomlog_membership AS member
        WHERE member.room_id = roomlog_chatroom.id LIMIT %s) AS few)""",
    (RECEIPT_MEMBERS + 1,),
    IntegerField(),
)
"""Index: member_once, and no further than is told."""


def marks_of(rooms: Collection[UUID]) -> dict[UUID, RoomMarks]:
    """Return all marks of those rooms that show receipts, in two queries."""
    shown = _shown(rooms)
    marks: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
    if shown:
        rows = Membership.objects.filter(room__in=shown).order_by("user")
        for room, user, seq in rows.values_list("room_id", "user_id", "read_seq"):
            marks[room][user] = seq
    return {room: RoomMarks(epoch, seq, marks[room]) for room, (epoch, seq) in shown.items()}


def have_read(seen: Mapping[tuple[UUID, int], RoomSummary]) -> list[tuple[UUID, HaveRead]]:
    """Return what the channels of rooms that show receipts are told of these members' present marks.

    One more query if any of the rooms does.
    """
    marks: defaultdict[UUID, dict[int, int]] = defaultdict(dict)
    places: dict[UUID, tuple[str, int]] = {}
    for (room, user), summary in seen.items():
        if summary.receipts:
            marks[room][user] = summary.read_seq
            place = summary.epoch, summary.seq
            places[room] = min(place, places.get(room, place))
    return [(room, HaveRead(*places[room], marks[room])) for room in _shown(marks)]


def _shown(rooms: Collection[UUID]) -> dict[UUID, tuple[str, int]]:
    """Return epoch and head of those rooms that show receipts and have few enough members."""
    if not rooms:
        return {}
    few = ChatRoom.objects.annotate(members=_MEMBERS).filter(members__lte=RECEIPT_MEMBERS)
    rows = few.filter(pk__in=rooms, receipts=True).values_list("pk", "head__epoch", "head__last_seq")
    return {room: (epoch, seq) for room, epoch, seq in rows}
