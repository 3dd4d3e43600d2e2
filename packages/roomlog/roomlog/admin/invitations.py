"""Invitations to rooms in the admin: made, looked at and revoked. The link is shown once."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from roomlog.inviting import DAYS, MOST_DAYS, MOST_USES, Terms, invite, revoke
from roomlog.models import ChatRoom, Invitation
from roomlog.people import person_of

from .filters import RoomFilter
from .hooks import MadeOnce


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """An invitation to be made."""

    days = forms.IntegerField(label=_("Days"), min_value=1, max_value=MOST_DAYS, initial=DAYS)
    most_uses = forms.IntegerField(
        label=_("Most uses"),
        min_value=1,
        max_value=MOST_USES,
        required=False,
        help_text=_("Empty: no bound."),
    )

    class Meta:
        model = Invitation
        fields = ("room", "role", "most_uses")

    def clean_room(self) -> ChatRoom:
        """Refuse a room into which nobody comes."""
        room: ChatRoom = self.cleaned_data["room"]
        if room.kind == ChatRoom.Kind.DIRECT or room.archived_at is not None:
            raise forms.ValidationError(_("Nobody can join this room."))
        return room


@admin.register(Invitation)
class InvitationAdmin(MadeOnce):
    """Who may come into which room by a link. Revoking one leaves those in the room who came by it."""

    form = InvitationForm
    autocomplete_fields = ("room",)
    list_display = (
        "id",
        "room",
        "creator",
        "role",
        "date_created",
        "until",
        "uses",
        "most_uses",
        "revoked_at",
    )
    list_select_related = ("room", "creator")
    list_filter = (RoomFilter,)
    ordering = ("-date_created",)
    actions = ("revoke_selected",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: the log tells by which invitation somebody came."""
        return False

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> tuple[str, ...]:
        """Return what is asked for, or what is known."""
        return ("room", "role", "days", "most_uses") if obj is None else self.list_display

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Make the invitation, and show where it leads."""
        said = form.cleaned_data
        terms = Terms(said["role"], timezone.now() + timedelta(days=said["days"]), said["most_uses"])
        made, token = invite(said["room"].pk, person_of(request.user).pk, uuid4().hex, terms)
        obj.pk = made.pk
        self.tell(request, f"{request.build_absolute_uri(reverse('roomlog:chat'))}#invitation/{token}")

    @admin.action(description=_("Revoke"), permissions=["add"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """End the selected invitations."""
        mine = list(queryset.filter(revoked_at=None))
        number = revoke(queryset)
        for invitation in mine:
            self.log_change(request, invitation, "Revoked.")
        said = ngettext("{number} invitation revoked.", "{number} invitations revoked.", number)
        messages.success(request, said.format(number=number))
