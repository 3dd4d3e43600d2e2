"""Tables that only workers write: to be looked at, never touched, however long they are."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from roomlog_api.paging import BoundedPaginator


class ReadOnlyAdmin(ModelAdmin):
    """No adding, changing or deleting, not even for superusers."""

    paginator = BoundedPaginator
    show_full_result_count = False
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
