"""Users, groups and tokens."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from roomlog_api.models import AccessToken

for model in (User, Group, TokenProxy):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People. Deactivate who leaves: what somebody said keeps its author."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Bundles of permissions for the admin; rooms know nothing of them."""


@admin.register(AccessToken)
class AccessTokenAdmin(TokenAdmin, ModelAdmin):  # type: ignore[misc]
    """Tokens: made and revoked here, and shown once. Deleting one closes its sockets within a second."""

    list_display = ("user", "created")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: a token is another's or none."""
        return False

    def response_add(
        self, request: HttpRequest, obj: AccessToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Return to the list, with the key for the only time."""
        messages.warning(request, f"The key, shown only now: {obj.key}")
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        return answer
