"""Members and bans, changed by command: a worker carries it out, as for everybody else."""

from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from roomlog.ban import FOREVER, Ban, lasting
from roomlog.models import ChatMessage, ChatRoom, Membership, MessageReport, Person
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog_contract.commands import BanUser, MuteUser, RemoveUser, UnbanUser, UnmuteUser

from .confirmation import NO_END, LengthForm, ask_first
from .filters import RoomFilter, is_by_a_member
from .read_only import ReadOnlyAdmin
from .rooms import few, tell_requested

Row = TypeVar("Row", Membership, Ban, ChatMessage, MessageReport)
ENDING = (MuteUser, BanUser)
"""What may have an end."""


class ModeratingAdmin(ReadOnlyAdmin):
    """Rows that have a room and concern a person, who can be muted or banned there."""

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may change rooms."""
        return request.user.has_perm("roomlog.change_chatroom")

    def ask_for_change(
        self, request: HttpRequest, rows: QuerySet[Row], kind: Any, what: str
    ) -> TemplateResponse | None:
        """Return the page that asks; once it was answered, ask the rooms' workers for a command about each.

        One for each room and person. Direct rooms stay as they are. Too many ask for nothing.
        """
        selected = few(request, rows)
        if selected is None:
            return None
        asked = [row for row in selected if row.room.kind != ChatRoom.Kind.DIRECT]
        form = LengthForm(request.POST if "seconds" in request.POST else None) if kind in ENDING else None
        names = {row.pk: f"{self.concerned(row)} ({row.room})" for row in asked}
        if asked and (question := ask_first(self, request, names, form)):
            return question
        end = {"until": form.until()} if asked and form else {}
        concerned = {(row.room_id, self.concerned(row).pk): row.room for row in asked}
        with transaction.atomic():
            for (room, person), shown in concerned.items():
                command = kind(uuid=uuid4().hex, room=room, user=person, **end)
                request_command(command, person_of(request.user).pk, staff=True)
                self.log_change(request, shown, f"Requested: {what} person {person}{_until(end)}.")
            self.after_change(request, asked)
        if asked:
            tell_requested(request, len(concerned))
        if len(asked) < len(selected):
            messages.warning(request, _("Direct rooms stay as they are."))
        return None

    def concerned(self, row: Row) -> Person:
        """Return whom a row concerns."""
        person: Person = row.user
        return person

    def after_change(self, request: HttpRequest, rows: list[Row]) -> None:
        """Do what belongs to the change of these rows, in its transaction."""


class AuthorsAdmin(ModeratingAdmin):
    """Rows with an author, who can be muted or banned in the room."""

    author: ClassVar[str] = "user"
    """The field that says who the author is."""

    def concerned(self, row: Row) -> Person:
        """Return the author."""
        person: Person = getattr(row, self.author)
        return person

    @admin.action(description=_("Mute the author"), permissions=["remove"])
    def ask_to_mute(self, request: HttpRequest, queryset: QuerySet[Row]) -> TemplateResponse | None:
        """Ask the rooms' workers to let the authors only read who are members still."""
        return self.ask_for_change(request, queryset.filter(is_by_a_member(self.author)), MuteUser, "mute")

    @admin.action(description=_("Ban the author from the room"), permissions=["remove"])
    def ask_to_ban(self, request: HttpRequest, queryset: QuerySet[Row]) -> TemplateResponse | None:
        """Ask the rooms' workers to keep the authors out."""
        return self.ask_for_change(request, queryset, BanUser, "ban")


class OfRoomsAdmin(ModeratingAdmin):
    """What a room has to do with a person, by the room and the person's name."""

    list_select_related = ("room", "user")
    list_filter = (RoomFilter,)
    search_fields = ("user__name__exact",)  # not "=": that ignores case, and no index does


@admin.register(Membership)
class MembershipAdmin(OfRoomsAdmin):
    """The members of each room; commands mute, remove and ban them."""

    list_display = ("room", "user", "role", "muted", "read_seq")
    search_help_text = _("A member's full name.")
    actions = ("ask_to_mute", "ask_to_unmute", "ask_to_remove", "ask_to_ban")

    @admin.display(description=_("muted until"))
    def muted(self, member: Membership) -> str | None:
        """Return until when the member can't write, if now."""
        end = member.muted_until
        if end is None or end <= timezone.now():
            return None
        return str(NO_END) if end == FOREVER else _shown(end)

    @admin.action(description=_("Mute"), permissions=["remove"])
    def ask_to_mute(self, request: HttpRequest, queryset: QuerySet[Membership]) -> TemplateResponse | None:
        """Ask the rooms' workers to let the selected members only read."""
        return self.ask_for_change(request, queryset, MuteUser, "mute")

    @admin.action(description=_("Unmute"), permissions=["remove"])
    def ask_to_unmute(self, request: HttpRequest, queryset: QuerySet[Membership]) -> TemplateResponse | None:
        """Ask the rooms' workers to let those write again who are muted of the selected members."""
        muted = queryset.filter(muted_until__gt=timezone.now())
        return self.ask_for_change(request, muted, UnmuteUser, "unmute")

    @admin.action(description=_("Remove from the room"), permissions=["remove"])
    def ask_to_remove(self, request: HttpRequest, queryset: QuerySet[Membership]) -> TemplateResponse | None:
        """Ask the rooms' workers to end the selected memberships."""
        return self.ask_for_change(request, queryset, RemoveUser, "remove")

    @admin.action(description=_("Ban from the room"), permissions=["remove"])
    def ask_to_ban(self, request: HttpRequest, queryset: QuerySet[Membership]) -> TemplateResponse | None:
        """Ask the rooms' workers to end the selected memberships and to let nobody invite these people."""
        return self.ask_for_change(request, queryset, BanUser, "ban")


@admin.register(Ban)
class BanAdmin(OfRoomsAdmin):
    """The bans of each room that have not ended; a command lifts them."""

    list_display = ("room", "user", "ends")
    search_help_text = _("A person's full name.")
    actions = ("ask_to_unban",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ban]:
        """Return the bans that last."""
        bans: QuerySet[Ban] = super().get_queryset(request)
        return bans.filter(lasting(timezone.now()))

    @admin.display(description=_("until"))
    def ends(self, ban: Ban) -> str:
        """Return until when it lasts."""
        return str(NO_END) if ban.until is None else _shown(ban.until)

    @admin.action(description=_("Lift the ban"), permissions=["remove"])
    def ask_to_unban(self, request: HttpRequest, queryset: QuerySet[Ban]) -> TemplateResponse | None:
        """Ask the rooms' workers to let these people be invited again."""
        return self.ask_for_change(request, queryset, UnbanUser, "unban")


def _until(end: dict[str, int | None]) -> str:
    """Return what a room's history says of an end: in UTC, whoever reads it later."""
    seconds = end.get("until")
    return f" until {datetime.fromtimestamp(seconds, UTC).isoformat()}" if seconds else ""


def _shown(moment: Any) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
