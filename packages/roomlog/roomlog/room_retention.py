"""What a room keeps of its log, where that is not what the install keeps.

Beside the log: operators write it (`retention`), the room's owner reads it before it prunes.
"""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import REPEAT_DAYS


class RoomRetention(models.Model):
    """How long one room keeps its events. Change it by `retention.retain` alone."""

    room = models.OneToOneField(
        "roomlog.ChatRoom",
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="retention",
        verbose_name=_("room"),
    )
    days = models.PositiveIntegerField(
        _("days"), null=True, blank=True, validators=[MinValueValidator(REPEAT_DAYS)]
    )
    """None: as long as the install."""
    is_held = models.BooleanField(_("legal hold"), default=False)
    """Nothing of the room is pruned."""

    class Meta:
        verbose_name, verbose_name_plural = _("retention of a room"), _("retention of rooms")
        constraints = [
            models.CheckConstraint(
                condition=Q(days=None) | Q(days__gte=REPEAT_DAYS), name="room_outlasts_repeats"
            )
        ]

    def __str__(self) -> str:
        return f"retention of {self.room_id}"
