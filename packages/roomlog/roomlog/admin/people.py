"""The people whom the log knows. Accounts are the project's, and so are their pages."""

from typing import Any, Final

from django.apps import apps
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from rest_framework.authtoken.models import Token

from roomlog.models import Person
from roomlog.presence import present

from .confirmation import ask_first
from .read_only import ReadOnlyAdmin
from .rooms import few

ASKED_ABOUT: Final = 5_000
"""People whom one page asks Redis about."""


@admin.register(Person)
class PersonAdmin(ReadOnlyAdmin):
    """Whom the log knows: to be looked at, found where people are chosen, and cut off from their tokens."""

    list_display = ("name", "user", "deleted_at")
    list_select_related = ("user",)
    search_fields = ("name",)
    ordering = ("name", "id")
    actions = ("ask_to_revoke",)
    change_list_template = "roomlog/admin/people.html"

    def get_urls(self) -> list[Any]:
        """Return the addresses, with that of those who are connected."""
        view = self.admin_site.admin_view(self.connected_view)
        return [path("connected/", view, name="roomlog_person_connected"), *super().get_urls()]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may delete tokens, where the project has any."""
        has_tokens = apps.is_installed("rest_framework.authtoken")
        return has_tokens and request.user.has_perm("authtoken.delete_token")

    @admin.action(description=_("Revoke tokens"), permissions=["revoke"])
    def ask_to_revoke(self, request: HttpRequest, queryset: QuerySet[Person]) -> TemplateResponse | None:
        """Delete the tokens of the selected people; sockets that they opened are closed within a second."""
        people = few(request, queryset.filter(user__isnull=False))
        if people is None:
            return None
        if people and (question := ask_first(self, request, {one.pk: str(one) for one in people})):
            return question
        by_user = {person.user_id: person for person in people}
        with transaction.atomic():
            tokens = list(Token.objects.filter(user__in=by_user))
            for token in tokens:
                token.delete()  # one by one: each says so to its sockets
                self.log_change(request, by_user[token.user_id], "Revoked the token.")
        done = ngettext("{number} token revoked.", "{number} tokens revoked.", len(tokens))
        messages.success(request, done.format(number=len(tokens)))
        return None

    def connected_view(self, request: HttpRequest) -> HttpResponse:
        """Return who of the next people, by their ids, has a connection now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        after = request.GET.get("after", "")
        first = int(after) if after.isdecimal() and len(after) < 16 else 0
        asked = Person.objects.filter(pk__gt=first, user__isnull=False).order_by("pk")
        ids = list(asked.values_list("pk", flat=True)[: ASKED_ABOUT + 1])
        here, is_known = set[int](), True
        try:
            here = present(ids[:ASKED_ABOUT])
        except RedisError:
            is_known = False
        context = {
            **self.admin_site.each_context(request),
            "title": _("Connected people"),
            "opts": self.opts,
            "people": Person.objects.filter(pk__in=here).select_related("user").order_by("name", "id"),
            "is_known": is_known,
            "number": len(ids[:ASKED_ABOUT]),
            "after": ids[ASKED_ABOUT - 1] if len(ids) > ASKED_ABOUT else None,
        }
        return TemplateResponse(request, "roomlog/admin/connected.html", context)
