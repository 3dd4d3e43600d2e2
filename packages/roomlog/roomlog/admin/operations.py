"""What keeps the workers in order, and what they could not do."""

from typing import Final

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from roomlog.models import DeadLetter, PendingCommand, RoomHead, ShardLease, Worker
from roomlog.retries import retry

from .bounded import BoundedAdmin
from .confirmation import ask_first
from .filters import RoomFilter
from .read_only import ReadOnlyAdmin
from .rooms import MAX_NAMED, few, tell_requested

KEPT: Final = _("{number} cannot be retried and stay: {some}.")


@admin.register(RoomHead)
class RoomHeadAdmin(ReadOnlyAdmin):
    """How far each room's log is."""

    list_display = ("room", "epoch", "first_seq", "last_seq", "messages")
    list_select_related = ("room",)
    list_filter = (RoomFilter,)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Live worker processes."""

    list_display = ("ordinal", "uuid", "beat")
    ordering = ("ordinal", "id")


@admin.register(ShardLease)
class ShardLeaseAdmin(ReadOnlyAdmin):
    """Who owns each of the shards."""

    list_display = ("shard", "owner", "epoch")
    list_per_page = 128
    ordering = ("shard",)


@admin.register(PendingCommand)
class PendingCommandAdmin(ReadOnlyAdmin):
    """Commands that wait for a worker; usually none."""

    list_display = ("id", "shard", "room", "user", "uuid", "date_created")
    list_select_related = ("user",)
    list_filter = (RoomFilter,)
    search_fields = ("uuid__exact",)
    ordering = ("id",)


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Commands that failed five times; their senders were told `internal`. Retried or deleted by people."""

    actions = ("ask_to_retry",)

    list_display = ("id", "action", "error", "shard", "room", "uuid", "date_created")
    list_filter = (RoomFilter,)
    search_fields = ("uuid__exact",)
    ordering = ("-id",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether this person may: no log has a hole without a dead letter."""
        return BoundedAdmin.has_delete_permission(self, request, obj)

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may have commands tried again, in the names of their senders."""
        return request.user.has_perm("roomlog.change_deadletter")

    @admin.action(description=_("Retry"), permissions=["retry"])
    def ask_to_retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> TemplateResponse | None:
        """Let the commands wait for their rooms' workers again, oldest first; tell what stays, and why."""
        letters = few(request, queryset.order_by("id"))
        if not letters:
            return None
        names = {letter.pk: f"{letter}: {letter.error} ({letter.uuid})" for letter in letters}
        if question := ask_first(self, request, names):
            return question
        reasons = {letter: self._retry(request, letter) for letter in letters}
        kept = {str(letter): reason for letter, reason in reasons.items() if reason is not None}
        if len(kept) < len(letters):
            tell_requested(request, len(letters) - len(kept))
        if kept:
            some = ", ".join(f"{name} ({reason})" for name, reason in list(kept.items())[:MAX_NAMED])
            messages.warning(request, KEPT.format(number=len(kept), some=some))
        return None

    @transaction.atomic
    def _retry(self, request: HttpRequest, letter: DeadLetter) -> str | None:
        """Retry one letter, with its line in the history; return why it stays."""
        reason = retry(letter)
        if reason is None:
            self.log_change(request, letter, f"Retried: {letter.action} {letter.uuid}.")
        return reason
