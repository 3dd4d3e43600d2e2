"""What the admin is made of: Django's own parts, or unfold's where the project has that theme.

Before every page of the admin. Nothing else here may import unfold: most projects don't have it.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest

__all__ = ["ModelAdmin", "Select", "TextFilter", "TextInput"]


class PlainTextFilter(admin.SimpleListFilter):
    """A filter by what somebody types."""

    template = "roomlog/admin/text_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return one choice, because Django leaves out filters that have none."""
        return [("", "")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Return the field's name and text, and what else the address asks for."""
        others = changelist.get_filters_params()
        others.pop(str(self.parameter_name), None)
        kept = [(name, value) for name, values in others.items() for value in values]
        yield {"parameter_name": self.parameter_name, "value": self.value() or "", "others": kept}


if apps.is_installed("unfold"):
    from unfold.admin import ModelAdmin
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextInput
else:
    from django.contrib.admin import ModelAdmin  # type: ignore[assignment] # the same to us
    from django.forms import Select, TextInput  # type: ignore[assignment] # the same

if apps.is_installed("unfold.contrib.filters"):
    from unfold.contrib.filters.admin import TextFilter
else:
    TextFilter = PlainTextFilter  # type: ignore[assignment, misc] # the same
