"""Tables that only workers write: to be looked at, never touched, however long they are."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from .bounded import BoundedAdmin


class ReadOnlyAdmin(BoundedAdmin):
    """No adding, changing or deleting, not even for superusers."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: workers add."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: a log that changes is none."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Return False: a log with holes is none."""
        return False
