"""The queue of reported messages: looked at, dismissed, or answered by a deletion, a mute or a ban."""

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from roomlog.models import ChatMessage, MessageReport, RoomEvent
from roomlog.people import person_of

from .confirmation import ask_first
from .filters import RoomFilter
from .log import ask_for_deletions
from .members import AuthorsAdmin
from .rooms import few

SHOWN: Final = 200
"""Code points of a text in the list."""


@admin.register(MessageReport)
class MessageReportAdmin(AuthorsAdmin):
    """What members have reported, what is open first. An action resolves the selected reports."""

    author = "author"
    list_display = (
        *("state", "reason", "text", "author", "room", "comment", "user"),
        *("date_created", "resolved_by", "resolved_at"),
    )
    list_select_related = ("room", "author", "user", "resolved_by")
    list_filter = ("state", "reason", "date_created", RoomFilter)
    ordering = ("state", "-id")
    actions = ("ask_to_dismiss", "ask_to_delete", "ask_to_mute", "ask_to_ban")

    def get_queryset(self, request: HttpRequest) -> QuerySet[MessageReport]:
        """Return the reports, each with what its message says now; a deleted one has nothing left."""
        message = ChatMessage.objects.filter(room=OuterRef("room"), seq=OuterRef("target"))
        edit = RoomEvent.objects.filter(room=OuterRef("room"), seq=OuterRef("edited_seq"))
        reports: QuerySet[MessageReport] = super().get_queryset(request)
        return reports.annotate(
            message=Subquery(message.values("pk")[:1]),
            said=Subquery(message.values("text")[:1]),
            edited=Subquery(message.annotate(last=Subquery(edit.values("text")[:1])).values("last")[:1]),
            gone=Subquery(message.values("deleted_at")[:1]),
        )

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may resolve reports."""
        return request.user.has_perm("roomlog.change_messagereport")

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may take texts out of messages."""
        return request.user.has_perm("roomlog.delete_chatmessage")

    @admin.display(description=_("message"))
    def text(self, report: Any) -> str:
        """Return what the message says now, with the way to it."""
        if report.gone is not None:
            return str(_("Message deleted"))
        words = report.said if report.edited is None else report.edited
        address = reverse("admin:roomlog_chatmessage_room", args=(report.room_id,))
        query = f"{address}?before={report.target + 1}"
        return format_html('<a href="{}"><u>{}</u></a>', query, (words or "")[:SHOWN])

    @admin.action(description=_("Dismiss"), permissions=["dismiss"])
    def ask_to_dismiss(
        self, request: HttpRequest, queryset: QuerySet[MessageReport]
    ) -> TemplateResponse | None:
        """Resolve the selected reports that are open; nothing else happens."""
        reports = self._few(request, queryset.filter(state=MessageReport.State.OPEN))
        if not reports:
            return None
        if question := ask_first(self, request, _names(reports)):
            return question
        with transaction.atomic():
            self._resolve(request, reports, MessageReport.State.DISMISSED)
        done = ngettext("{number} report dismissed.", "{number} reports dismissed.", len(reports))
        messages.success(request, done.format(number=len(reports)))
        return None

    @admin.action(description=_("Delete the message"), permissions=["erase"])
    def ask_to_delete(
        self, request: HttpRequest, queryset: QuerySet[MessageReport]
    ) -> TemplateResponse | None:
        """Ask the rooms' workers for the deletions, and resolve all open reports of these messages."""
        reports = self._few(request, queryset)
        if not reports:
            return None
        if question := ask_first(self, request, _names(reports)):
            return question
        pks = {report.message for report in reports}  # type: ignore[attr-defined] # annotated
        with transaction.atomic():
            asked = ask_for_deletions(request, ChatMessage.objects.filter(pk__in=pks).select_related("room"))
            concerned = Q(state=MessageReport.State.OPEN) | Q(pk__in=[report.pk for report in reports])
            for message in asked:
                self.log_change(request, message.room, f"Requested: delete message {message.pk}.")
                same = MessageReport.objects.filter(room=message.room_id, target=message.seq)
                self._resolve(request, same.filter(concerned))
        return None

    def after_change(self, request: HttpRequest, rows: Any) -> None:
        """Resolve the reports because of which something was done."""
        self._resolve(request, rows)

    def _few(self, request: HttpRequest, queryset: QuerySet[MessageReport]) -> list[MessageReport]:
        reports = few(request, queryset)
        if reports == []:
            messages.warning(request, _("None of these reports is unresolved."))
        return reports or []

    def _resolve(
        self,
        request: HttpRequest,
        reports: Iterable[MessageReport],
        state: MessageReport.State = MessageReport.State.ACTED_ON,
    ) -> None:
        """Mark reports as resolved by whoever asks, now."""
        person, now = person_of(request.user), timezone.now()
        for report in reports:
            report.state, report.resolved_by, report.resolved_at = state, person, now
            report.save(update_fields=["state", "resolved_by", "resolved_at"])
            self.log_change(request, report, f"{state.name.capitalize().replace('_', ' ')}.")


def _names(reports: Iterable[MessageReport]) -> dict[Any, str]:
    """Return what the question names: whose message it is, and where."""
    return {
        report.pk: f"{report.author}: {report.get_reason_display()} ({report.room})" for report in reports
    }
