"""A room's members: their roles, whether they are muted, and with whom somebody is in direct rooms.

A read for the api; nothing here writes or locks.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import BooleanField, Case, Q, Value, When
from django.db.models.functions import Now

from .ban import until_of
from .models import ChatRoom, Membership

MAX_MEMBERS: Final = 100
"""In one answer."""


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member as other members see them."""

    id: int
    username: str
    role: str
    muted: bool
    """Now, by the database's clock."""
    muted_until: int | None
    """Epoch seconds; None if they are not muted, or without an end."""


def members_of(
    room: UUID, after: int = 0, ids: Collection[int] | None = None, limit: int = MAX_MEMBERS
) -> list[ListedMember]:
    """Return a room's members in the order of their ids, those behind `after`, or of `ids` alone."""
    rows = Membership.objects.filter(room_id=room, user_id__gt=after)
    if ids is not None:
        rows = rows.filter(user_id__in=ids)
    is_muted = Case(
        When(Q(muted_until__gt=Now()), then=Value(True)), default=Value(False), output_field=BooleanField()
    )
    found = rows.order_by("user_id").values_list("user_id", "user__name", "role", is_muted, "muted_until")
    return [
        ListedMember(user, name, role, muted, until_of(until) if muted else None)
        for user, name, role, muted, until in found[:limit]
    ]


@dataclass(frozen=True, slots=True)
class OtherMember:
    """The other member of a direct room."""

    room: UUID
    id: int
    name: str
    avatar: str


def others_of(asker: int, rooms: Collection[UUID]) -> list[OtherMember]:
    """Return the other of each of these rooms that is direct and the asker's, in the order of the rooms' ids.

    None of a room whose other account is deleted.
    """
    rows = Membership.objects.filter(room_id__in=rooms, room__kind=ChatRoom.Kind.DIRECT)
    rows = rows.filter(room__memberships__user=asker).exclude(user_id=asker).order_by("room_id")
    columns = rows.values_list("room_id", "user_id", "user__name", "user__avatar")
    return [OtherMember(*facts) for facts in columns]
