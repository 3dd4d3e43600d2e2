"""The rooms' logs, and where is my message: the search for a command's uuid."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from roomlog.message_lookup import Place, State, places_of
from roomlog.models import ChatMessage, RoomEvent
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog_contract.commands import DeleteMessage

from .bounded import BoundedAdmin
from .filters import KindFilter, RoomFilter
from .members import AuthorsAdmin
from .room_messages import room_messages
from .rooms import SOON, few
from .trace import trace_page

NOWHERE: Final = _(
    "No command has this uuid: it was refused, or never arrived. The search finds only whole uuids, "
    "not words of texts."
)
WAY: Final = _("Trace this message")
_ROWS: Final = {
    State.STORED: ("roomevent", messages.SUCCESS, _("Stored in room {room} at seq {seq}.")),
    State.PENDING: ("pendingcommand", messages.WARNING, _("Waiting for the worker of room {room}.")),
    State.FAILED: ("deadletter", messages.ERROR, _("Failed; see the dead letter of room {room}.")),
}


class LogAdmin(AuthorsAdmin):
    """Rows of the log; a search tells all places of a uuid, also outside the log."""

    list_select_related = ("room", "user")
    search_fields = ("uuid__exact",)  # not "=": that ignores case, and no index does
    search_help_text = _("Where is my message? Search for its whole uuid; texts are not searched.")
    ordering = ("-id",)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order that an index gives: of one room that of its log."""
        return ("-seq",) if request.GET.get(RoomFilter.parameter_name) else self.ordering

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Return the list, with the places of the uuid that was searched for."""
        uuid = request.GET.get("q", "").strip()
        if uuid and self.has_view_permission(request):
            tell_places(request, uuid)
        answer: TemplateResponse = super().changelist_view(request, extra_context)
        return answer


@admin.register(RoomEvent)
class RoomEventAdmin(LogAdmin):
    """Every durable event."""

    list_display = ("room", "seq", "kind", "user", "uuid", "date_created")
    list_filter = (RoomFilter, KindFilter)

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, with that of the page of a message's way."""
        view = self.admin_site.admin_view(partial(trace_page, self))
        urls: list[URLPattern] = super().get_urls()
        return [path("trace/", view, name="roomlog_roomevent_trace"), *urls]


@admin.register(ChatMessage)
class ChatMessageAdmin(LogAdmin):
    """The messages; a deletion is a command, and the row stays without its text. By room: `room_messages`."""

    list_display = ("room", "seq", "number", "user", "text_start", "uuid", "date_created", "deleted_at")
    list_filter = (RoomFilter,)
    actions = ("delete_selected", "ask_to_mute", "ask_to_ban")

    def get_urls(self) -> list[Any]:
        """Return the addresses, with that of a room's messages."""
        view = self.admin_site.admin_view(self.room_view)
        return [path("room/<uuid:room>/", view, name="roomlog_chatmessage_room"), *super().get_urls()]

    def room_view(self, request: HttpRequest, room: UUID) -> HttpResponse:
        """Return a page of one room's messages, or carry out an action on some of them."""
        return room_messages(self, request, room)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether this person may take texts out of messages; no single row is deleted."""
        return obj is None and BoundedAdmin.has_delete_permission(self, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatMessage]:
        """Return the messages with the texts of their last edits."""
        edits = RoomEvent.objects.filter(room=OuterRef("room"), seq=OuterRef("edited_seq"))
        messages: QuerySet[ChatMessage] = super().get_queryset(request)
        return messages.annotate(edited_text=Subquery(edits.values("text")[:1]))

    @admin.action(description=_("Delete selected messages"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, queryset: QuerySet[ChatMessage]
    ) -> TemplateResponse | None:
        """Return Django's page that asks; once it was answered, ask the rooms' workers."""
        if few(request, queryset) is None:
            return None
        answer: TemplateResponse | None = delete_selected(self, request, queryset)
        return answer

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChatMessage]) -> None:
        """Ask the rooms' workers for the deletions."""
        ask_for_deletions(request, queryset.select_related("room"))

    @admin.display(description=_("text"))
    def text_start(self, message: ChatMessage) -> str:
        """Return what fits into a column of the present text."""
        edited: str | None = getattr(message, "edited_text", None)
        return (message.text if edited is None else edited)[:60]


def ask_for_deletions(request: HttpRequest, queryset: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Ask the rooms' workers to delete the messages, whose rooms are loaded; return those that will go."""
    person, are_archived, asked = person_of(request.user).pk, False, []
    for message in queryset:
        if message.room.archived_at is not None:
            are_archived = True
        elif message.deleted_at is None:
            command = DeleteMessage(uuid=uuid4().hex, room=message.room_id, message=message.pk)
            request_command(command, person, staff=True)
            asked.append(message)
    messages.info(request, SOON)
    if are_archived:
        messages.warning(request, _("Messages of archived rooms stay. Restore the room first."))
    return asked


def tell_places(request: HttpRequest, uuid: str) -> None:
    """Show where the command of this uuid is, with a link to each row that holds it."""
    places = places_of(uuid)
    if not places:
        messages.info(request, NOWHERE)
    for place in places:
        _tell(request, place)
    if request.user.has_perm("roomlog.view_roomevent"):
        address = f"{reverse('admin:roomlog_roomevent_trace')}?{urlencode({'uuid': uuid})}"
        messages.info(request, format_html('<a href="{}"><u>{}</u></a>', address, WAY))


def _tell(request: HttpRequest, place: Place) -> None:
    model, level, sentence = _ROWS[place.state]
    address = reverse(f"admin:roomlog_{model}_change", args=(place.row,))
    text = sentence.format(room=place.room.hex if place.room else "-", seq=place.seq)
    messages.add_message(
        request, level, format_html('{} <a href="{}"><u>{}</u></a>', text, address, _("Open"))
    )
