"""The table of invitations to rooms: whoever knows one's token may join. `inviting` makes and ends them.

Workers alone count uses, inside the transaction that appends the event of the joining.
"""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Invitation(models.Model):
    """A token by which people join one room, until an end. The token itself is shown once."""

    class Role(models.TextChoices):
        """What whoever joins by it may do."""

        READER = "reader", _("Reader")
        MEMBER = "member", _("Member")

    id = models.UUIDField(primary_key=True, editable=False)
    room = models.ForeignKey(
        "roomlog.ChatRoom", on_delete=models.PROTECT, related_name="invitations", verbose_name=_("room")
    )
    creator = models.ForeignKey(
        "roomlog.Person", on_delete=models.PROTECT, related_name="invitations", verbose_name=_("creator")
    )
    uuid = models.CharField(max_length=64, editable=False)
    """The creator's name of the request: a repeat makes no second one."""
    digest = models.CharField(max_length=64, unique=True, editable=False)
    """SHA-256 of the token."""
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.MEMBER)
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)
    until = models.DateTimeField(_("until"))
    most_uses = models.PositiveIntegerField(_("most uses"), null=True, blank=True)
    """Null: without a bound."""
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("invitation"), _("invitations")
        constraints = [
            models.UniqueConstraint(fields=["creator", "room", "uuid"], name="invitation_once"),
            models.CheckConstraint(
                condition=Q(most_uses=None) | Q(uses__lte=F("most_uses")), name="invitation_is_not_overused"
            ),
        ]

    def __str__(self) -> str:
        return f"invitation {self.id.hex}"


def opening(now: datetime) -> Q:
    """Return the condition of the invitations that let people in."""
    is_left = Q(most_uses=None) | Q(uses__lt=F("most_uses"))
    return Q(revoked_at=None, until__gt=now) & is_left
