"""A room's row: what everybody in it is told of it. Its log, head and members have rows of their own.

Workers alone write it, inside the transaction that appends the event of the change.
"""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import TOPIC_CODE_POINTS

if TYPE_CHECKING:
    from .models import Membership


class ChatRoom(models.Model):
    """A room; its id is derived from who made it, so that a repeated create_room is the same room."""

    class Kind(models.TextChoices):
        """Who may come in."""

        GROUP = "group", _("Group")
        DIRECT = "direct", _("Direct")

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    topic = models.CharField(_("topic"), max_length=TOPIC_CODE_POINTS, blank=True, default="", db_default="")
    """What it is about."""
    receipts = models.BooleanField(_("shows who has read"), default=False, db_default=False)
    """Those who watch it are told how far its members have read, as long as they are few."""
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.GROUP)
    creator = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("creator"),
    )
    """The person who asked for it: bounds on rooms, in all and a minute, count by this."""
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    is_discoverable = models.BooleanField(_("discoverable"), default=False, db_default=False)
    """Everybody may find it and join. Never of a direct room."""
    users: "models.ManyToManyField[models.Model, Membership]" = models.ManyToManyField(
        "roomlog.Person", through="roomlog.Membership", related_name="rooms"
    )

    class Meta:
        verbose_name, verbose_name_plural = _("chat room"), _("chat rooms")
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["group", "direct"]), name="room_kind_is_known")
        ]
        indexes = [
            models.Index(fields=["creator", "date_created"], name="rooms_by_creator"),
            models.Index(fields=["name", "id"], name="discoverable_rooms", condition=Q(is_discoverable=True)),
        ]

    def __str__(self) -> str:
        return self.name or self.id.hex
