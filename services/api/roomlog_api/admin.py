"""Accounts, groups and tokens in the stand-alone project's admin.

Where people who run an install enter. An existing project has its own pages for these; the app's admin never
touches them.
"""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from roomlog.admin.bounded import BoundedAdmin

from .models import AccessToken

for model in (User, Group, TokenProxy):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, BoundedAdmin):  # type: ignore[misc, type-arg]
    """Accounts. Deactivating or deleting one closes its sockets within a second; what it said stays."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, BoundedAdmin):  # type: ignore[misc]
    """Bundles of permissions for the admin; rooms know nothing of them."""


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin, BoundedAdmin):  # type: ignore[misc]
    """Tokens: made and revoked here, and shown once. Deleting one closes its sockets within a second."""

    list_display = ("user", "created")
    list_select_related = ("user",)
    ordering = ("-user",)
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: tokens can't be edited; revoke one and create another."""
        return False

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Return to the list, with the key for the only time."""
        messages.warning(request, _("The key, shown only now: {key}").format(key=obj.key))
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        return answer
