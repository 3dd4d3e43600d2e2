"""Who is in a room, as what, how far they have read it, and of what they want to be told.

Workers alone write here, with the event that says so; read marks and levels of notifications are no events.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Membership(models.Model):
    """A person in a room."""

    class Role(models.TextChoices):
        """What a member may do."""

        OWNER = "owner", _("Owner")
        ADMIN = "admin", _("Admin")
        MEMBER = "member", _("Member")
        READER = "reader", _("Reader")

    class Notify(models.TextChoices):
        """Of which messages a member wants to be told."""

        ALL = "all", _("All messages")
        MENTIONS = "mentions", _("Mentions only")
        NONE = "none", _("Nothing")

    room = models.ForeignKey(
        "roomlog.ChatRoom",
        on_delete=models.CASCADE,
        related_name="memberships",
        db_index=False,
        verbose_name=_("room"),
    )
    user = models.ForeignKey(
        "roomlog.Person", on_delete=models.PROTECT, related_name="memberships", verbose_name=_("user")
    )
    role = models.CharField(_("role"), max_length=16, choices=Role.choices, default=Role.MEMBER)
    read_seq = models.BigIntegerField(_("read seq"), default=0)
    """The read mark; `read_marks` moves it, forward only."""
    read_number = models.BigIntegerField(_("read number"), default=0)
    """Messages up to the mark. If it equals `RoomHead.messages`, nothing is unread."""
    muted_until = models.DateTimeField(_("muted until"), null=True, blank=True)
    """`ban.FOREVER`: without an end. It counts by the clock: no event tells of an end that has come."""

    notify = models.CharField(
        _("notifications"), max_length=16, choices=Notify.choices, default=Notify.ALL, db_default=Notify.ALL
    )

    class Meta:
        verbose_name, verbose_name_plural = _("membership"), _("memberships")
        constraints = [
            models.UniqueConstraint(fields=["room", "user"], name="member_once"),
            models.CheckConstraint(
                condition=Q(role__in=["owner", "admin", "member", "reader"]), name="role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(notify__in=["all", "mentions", "none"]), name="notify_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.room_id}"
