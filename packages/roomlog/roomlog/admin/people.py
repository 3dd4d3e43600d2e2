"""Users, groups and tokens."""

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from rest_framework.authtoken.admin import TokenAdmin
from rest_framework.authtoken.models import TokenProxy
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from roomlog.models import AccessToken
from roomlog.pagination import BoundedPaginator

from .bounded import BoundedAdmin

STAYS: Final = (
    "Users can't be deleted here, because their messages keep their author. Clear “Active” instead; "
    "that also closes their connections within a second."
)

for model in (User, Group, TokenProxy):
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]
    """People. Deactivate who leaves: what somebody said keeps its author.

    Nobody is deleted here: no index knows whether somebody ever spoke, and collecting a million messages to
    show them takes more time and memory than a request has.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "last_login")
    paginator = BoundedPaginator
    show_full_result_count = False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: see `delete_view`."""
        return False

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say what to do instead."""
        if self.has_view_permission(request):
            messages.error(request, STAYS)
        return HttpResponseRedirect(reverse("admin:auth_user_change", args=(object_id,)))


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
        messages.warning(request, f"The key, shown only now: {obj.key}")
        answer: HttpResponse = super().response_add(request, obj, post_url_continue)
        return answer
