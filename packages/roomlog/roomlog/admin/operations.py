"""What keeps the workers in order, and what they could not do."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from roomlog.models import DeadLetter, PendingCommand, RoomHead, ShardLease, Worker

from .bounded import BoundedAdmin
from .filters import RoomFilter
from .read_only import ReadOnlyAdmin


@admin.register(RoomHead)
class RoomHeadAdmin(ReadOnlyAdmin):
    """How far each room's log is."""

    list_display = ("room", "epoch", "last_seq", "messages")
    list_select_related = ("room",)
    list_filter = (RoomFilter,)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Live worker processes."""

    list_display = ("ordinal", "uuid", "beat")
    ordering = ("ordinal", "id")


@admin.register(ShardLease)
class ShardLeaseAdmin(ReadOnlyAdmin):
    """Who owns each of the 64 shards."""

    list_display = ("shard", "owner", "epoch")
    list_per_page = 64
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
    """Commands that failed five times; their senders were told `internal`. Delete what you have looked at."""

    actions = ()

    list_display = ("id", "action", "error", "shard", "room", "uuid", "date_created")
    list_filter = (RoomFilter,)
    search_fields = ("uuid__exact",)
    ordering = ("-id",)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether this person may: no log has a hole without a dead letter."""
        return BoundedAdmin.has_delete_permission(self, request, obj)
