"""Filters of the lists: by a room's id, and by what an index finds."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from roomlog.models import Membership
from roomlog_contract.actions import EVENTS

from .theme import TextFilter


def room_in(text: str) -> UUID | None:
    """Return the room's id that somebody typed, with or without dashes, or None if it is none."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def is_by_a_member(person: str) -> Exists:
    """Return the condition that the person in this column is a member of the row's room."""
    return Exists(Membership.objects.filter(room=OuterRef("room"), user=OuterRef(person)))


class RoomFilter(TextFilter):
    """One room's rows, by its id."""

    title = _("room (id)")
    parameter_name = "of_room"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the room's rows; none for what is no id."""
        if not self.value():
            return queryset
        room = room_in(str(self.value()))
        return queryset.none() if room is None else queryset.filter(room=room)


class KindFilter(admin.SimpleListFilter):
    """One kind of events, of one room: the whole log has no index by kind."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        """Return the kinds, once a room was chosen."""
        if request.GET.get(RoomFilter.parameter_name):
            yield from ((name, name) for name in EVENTS)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the events of the kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset
