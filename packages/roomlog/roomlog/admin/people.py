"""The people whom the log knows. Accounts are the project's, and so are their pages."""

from django.contrib import admin

from roomlog.models import Person

from .read_only import ReadOnlyAdmin


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """Whom the log knows: to be looked at, and found where people are chosen."""

    list_display = ("name", "user", "deleted_at")
    list_select_related = ("user",)
    search_fields = ("name",)
    ordering = ("name", "id")
