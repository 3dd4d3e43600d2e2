"""What can be asked for in the admin: a room, and members of a room."""

from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from roomlog.models import ChatRoom, Membership, Person
from roomlog.people import is_active
from roomlog_contract import limits
from roomlog_contract.commands import CreateRoom, InviteUser

from .theme import Select

_USER_FIELD = Membership._meta.get_field("user")


def _people() -> QuerySet[Person]:
    return Person.objects.filter(is_active("user"))


def _new_uuid() -> str:
    return uuid4().hex


class CommandForm(forms.ModelForm):  # type: ignore[type-arg] # not generic at run time
    """A form whose repeated posting is the same command."""

    uuid = forms.CharField(widget=forms.HiddenInput, initial=_new_uuid, min_length=32, max_length=32)


class NewRoomForm(CommandForm):
    """A room to be made."""

    owner = forms.ModelChoiceField(
        _people(), label=_("Owner"), widget=AutocompleteSelect(_USER_FIELD, admin.site)
    )
    members = forms.ModelMultipleChoiceField(
        _people(),
        label=_("Members"),
        required=False,
        widget=AutocompleteSelectMultiple(_USER_FIELD, admin.site),
    )

    class Meta:
        model = ChatRoom
        fields = ("name", "kind")

    def clean_members(self) -> list[Person]:
        """Return the members besides the owner, not more than one command carries."""
        owner = self.cleaned_data.get("owner")
        members = [person for person in self.cleaned_data["members"] if person != owner]
        if len(members) > limits.ROOM_MEMBERS_AT_CREATION:
            raise forms.ValidationError(_("A new room has at most 100 members; invite more later."))
        return members

    def clean(self) -> dict[str, Any]:
        """Refuse a direct room of other than two."""
        fields: dict[str, Any] = super().clean() or self.cleaned_data
        if fields.get("kind") == ChatRoom.Kind.DIRECT and len(fields.get("members", ())) != 1:
            self.add_error("members", _("A direct room has exactly one member besides its owner."))
        return fields

    def command(self) -> CreateRoom:
        """Return what is asked for, on behalf of the owner."""
        fields = self.cleaned_data
        members = [person.pk for person in fields["members"]]
        return CreateRoom(uuid=fields["uuid"], name=fields["name"], kind=fields["kind"], members=members)


class MembersForm(CommandForm):
    """People to be invited into a room."""

    invite = forms.ModelMultipleChoiceField(
        _people(),
        label=_("Invite"),
        error_messages={"required": _("Choose people to invite; nothing else is saved here.")},
        widget=AutocompleteSelectMultiple(_USER_FIELD, admin.site),
        help_text=_("Existing members stay unchanged."),
    )
    role = forms.ChoiceField(
        label=_("Role"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER, widget=Select
    )

    class Meta:
        model = ChatRoom
        fields = ()

    def commands(self) -> list[InviteUser]:
        """Return one invitation for each."""
        fields = self.cleaned_data
        return [
            InviteUser(
                uuid=f"{fields['uuid']}:{person.pk}",
                room=self.instance.pk,
                user=person.pk,
                role=fields["role"],
            )
            for person in fields["invite"]
        ]
