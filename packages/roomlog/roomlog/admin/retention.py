"""How long single rooms keep their logs, and which of them a legal hold protects."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from roomlog.models import RoomRetention
from roomlog.retention import Retention, retain

from .bounded import BoundedAdmin
from .filters import RoomFilter


@admin.register(RoomRetention)
class RoomRetentionAdmin(BoundedAdmin):
    """Rooms with rules of their own; the history of each says who has set what."""

    list_display = ("room", "days", "is_held")
    list_select_related = ("room",)
    list_filter = ("is_held", RoomFilter)
    autocomplete_fields = ("room",)

    def has_delete_permission(self, request: HttpRequest, obj: RoomRetention | None = None) -> bool:
        """Return False: the history of a hold stays. Empty days without a hold are the install's."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: RoomRetention | None = None) -> tuple[str, ...]:
        """Return the room, once there is a rule for it."""
        return () if obj is None else ("room",)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Set it under the lock on the room's head: a prune goes by it, or is over."""
        assert isinstance(obj, RoomRetention)
        retain(obj.room_id, Retention(obj.days, obj.is_held))

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the history says: the rule from here on. In English, whoever reads it later."""
        days = form.cleaned_data["days"]
        kept = "as the install" if days is None else f"{days} days"
        return f"Kept: {kept}.{' Legal hold.' if form.cleaned_data['is_held'] else ''}"
