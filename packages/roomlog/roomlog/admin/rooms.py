"""Rooms, changed by command: a worker carries it out, as for everybody else."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar
from uuid import uuid4

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from roomlog.models import ChatRoom
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog_contract.commands import ArchiveRoom, RestoreRoom, RoomWrite, SetDiscoverable, action_of
from roomlog_contract.shards import room_of

from .bounded import BoundedAdmin
from .confirmation import ask_first
from .filters import room_in
from .forms import MembersForm, NewRoomForm

Row = TypeVar("Row", bound=Model)
MAX_COMMANDS: Final = 1_000
"""Commands of one request: a second's work of a worker."""
MAX_NAMED: Final = 10
"""People in one line of a room's history."""
SOON: Final = _("A worker usually carries this out within a second.")
TOO_MANY: Final = _("Nothing was requested: select at most {number} at once.")


@admin.register(ChatRoom)
class ChatRoomAdmin(BoundedAdmin):
    """Rooms can be asked for and people invited; nothing is written here."""

    list_display = ("name", "kind", "date_created", "archived_at", "messages_link")
    list_filter = ("kind", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    search_help_text = _("A part of the name, or the whole id.")
    actions = ("ask_to_archive", "ask_to_restore", "ask_to_open", "ask_to_close")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ChatRoom], search_term: str
    ) -> tuple[QuerySet[ChatRoom], bool]:
        """Return the room of this id, or those with such names."""
        room = room_in(search_term)
        if room is not None:
            return queryset.filter(pk=room), False
        found: tuple[QuerySet[ChatRoom], bool] = super().get_search_results(request, queryset, search_term)
        return found

    def has_change_permission(self, request: HttpRequest, obj: ChatRoom | None = None) -> bool:
        """Tell whether people can be invited: into a direct room nobody can."""
        is_direct = obj is not None and obj.kind == ChatRoom.Kind.DIRECT
        return not is_direct and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ChatRoom | None = None) -> bool:
        """Return False: a log stays."""
        return False

    def get_form(
        self, request: HttpRequest, obj: ChatRoom | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:  # type: ignore[type-arg] # not generic at run time
        """Return the form of what can be asked for: a room, or members of one."""
        kwargs["form"] = NewRoomForm if obj is None else MembersForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ChatRoom | None = None) -> tuple[str, ...]:
        """Return the room's facts, and who may be invited where that can be."""
        if obj is None:
            return ("name", "kind", "owner", "members", "uuid")
        can_invite = self.has_change_permission(request, obj)
        return (*self._facts(), *(("invite", "role", "uuid") if can_invite else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: ChatRoom | None = None) -> tuple[str, ...]:
        """Return the room's facts."""
        return () if obj is None else self._facts()

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> ChatRoom:
        """Return the room that is meant, with the id that it will have."""
        room: ChatRoom = form.instance
        if isinstance(form, NewRoomForm):
            room.id = room_of(form.command(), form.cleaned_data["owner"].pk)
        return room

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Ask the room's worker; the row itself is the worker's."""
        if isinstance(form, NewRoomForm):
            request_command(form.command(), form.cleaned_data["owner"].pk, staff=True)
        elif "invite" in form.fields:
            for command in form.commands():
                request_command(command, person_of(request.user).pk, staff=True)

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Return what the history says: who was invited, not which fields of the form were filled in.

        By their ids: a name would outlive its account here. In English, whoever reads it later.
        """
        if add:
            return super().construct_change_message(request, form, formsets, add)
        people = [f"person {person.pk}" for person in form.cleaned_data["invite"]]
        return f"Requested: invite {_some(people)} as {form.cleaned_data['role']}."

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: members came with the command."""

    def response_add(
        self, request: HttpRequest, obj: ChatRoom, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Return to the list: the room's own page may not be there yet."""
        asked = _("Room “{name}” requested.").format(name=obj)
        messages.success(request, f"{asked} {SOON}")
        return HttpResponseRedirect(reverse("admin:roomlog_chatroom_changelist"))

    def response_change(self, request: HttpRequest, obj: ChatRoom) -> HttpResponse:
        """Return to the room's page."""
        asked = _("Invitations requested.")
        messages.success(request, f"{asked} {SOON}")
        return HttpResponseRedirect(reverse("admin:roomlog_chatroom_change", args=(obj.pk,)))

    @admin.action(description=_("Archive"), permissions=["change"])
    def ask_to_archive(self, request: HttpRequest, queryset: QuerySet[ChatRoom]) -> TemplateResponse | None:
        """Ask the rooms' workers to end all writing in the selected groups."""
        return self._ask(request, queryset.filter(archived_at=None), ArchiveRoom)

    @admin.action(description=_("Restore"), permissions=["change"])
    def ask_to_restore(self, request: HttpRequest, queryset: QuerySet[ChatRoom]) -> TemplateResponse | None:
        """Ask the rooms' workers to open the selected groups again."""
        return self._ask(request, queryset.exclude(archived_at=None), RestoreRoom)

    @admin.action(description=_("Let everybody join"), permissions=["change"])
    def ask_to_open(self, request: HttpRequest, queryset: QuerySet[ChatRoom]) -> TemplateResponse | None:
        """Ask the rooms' workers to let everybody find and join the selected groups."""
        closed = queryset.filter(is_discoverable=False, archived_at=None)
        return self._ask(request, closed, partial(SetDiscoverable, discoverable=True))

    @admin.action(description=_("Let nobody join"), permissions=["change"])
    def ask_to_close(self, request: HttpRequest, queryset: QuerySet[ChatRoom]) -> TemplateResponse | None:
        """Ask the rooms' workers to let people into the selected groups by invitations alone."""
        return self._ask(
            request,
            queryset.filter(is_discoverable=True, archived_at=None),
            partial(SetDiscoverable, discoverable=False),
        )

    def _ask(
        self, request: HttpRequest, rooms: QuerySet[ChatRoom], make: Callable[..., RoomWrite]
    ) -> TemplateResponse | None:
        asked = few(request, rooms.exclude(kind=ChatRoom.Kind.DIRECT))
        if asked is None:
            return None
        if asked and (question := ask_first(self, request, {room.pk: str(room) for room in asked})):
            return question
        for room in asked:
            command = make(uuid=uuid4().hex, room=room.pk)
            request_command(command, person_of(request.user).pk, staff=True)
            self.log_change(request, room, f"Requested: {action_of(command)}.")
        tell_requested(request, len(asked))
        return None

    @admin.display(description=_("members"))
    def members_link(self, room: ChatRoom) -> str:
        """Return the way to the members, where they can be muted, removed and banned."""
        address = reverse("admin:roomlog_membership_changelist")
        number = room.memberships.count()
        return format_html('<a href="{}?of_room={}"><u>{}</u></a>', address, room.pk.hex, number)

    @admin.display(description=_("log"))
    def log_link(self, room: ChatRoom) -> str:
        """Return the way to the room's events."""
        address = reverse("admin:roomlog_roomevent_changelist")
        return format_html('<a href="{}?of_room={}"><u>{}</u></a>', address, room.pk.hex, _("Open"))

    @admin.display(description=_("messages"))
    def messages_link(self, room: ChatRoom) -> str:
        """Return the way to the room's messages, where they can be searched and deleted."""
        address = reverse("admin:roomlog_chatmessage_room", args=(room.pk,))
        return format_html('<a href="{}"><u>{}</u></a>', address, _("Open"))

    def _facts(self) -> tuple[str, ...]:
        return (
            "name",
            "topic",
            "is_discoverable",
            "receipts",
            "kind",
            "date_created",
            "archived_at",
            "members_link",
            "messages_link",
            "log_link",
        )


def few(request: HttpRequest, rows: QuerySet[Row]) -> list[Row] | None:
    """Return the rows if MAX_COMMANDS are enough for them; else say so and return None."""
    selected = list(rows[: MAX_COMMANDS + 1])
    if len(selected) > MAX_COMMANDS:
        messages.error(request, TOO_MANY.format(number=MAX_COMMANDS))
        return None
    return selected


def tell_requested(request: HttpRequest, number: int) -> None:
    """Show how many changes workers were asked for."""
    changes = ngettext("{number} change requested.", "{number} changes requested.", number)
    messages.success(request, f"{changes.format(number=number)} {SOON}")


def _some(people: list[str]) -> str:
    """Return the first people, and how many more there are."""
    rest = len(people) - MAX_NAMED
    return ", ".join(people[:MAX_NAMED]) + (f" and {rest} more" if rest > 0 else "")
