"""Reports of messages: what members tell the install's moderators, beside the log.

The room is not told. A report quotes nothing, so a deletion of the message leaves nothing of it here.
`reporting` stores them; the admin resolves them.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import REPORT_COMMENT_CODE_POINTS


class MessageReport(models.Model):
    """What one person has said against one message; a second report of theirs is none."""

    class Reason(models.TextChoices):
        """Why; the wire's words."""

        SPAM = "spam", _("Spam")
        ABUSE = "abuse", _("Abuse")
        OTHER = "other", _("Something else")

    class State(models.IntegerChoices):
        """What became of it, in the order of the queue."""

        OPEN = 0, _("Unresolved")
        DISMISSED = 1, _("Dismissed")
        ACTED_ON = 2, _("Acted on")

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(
        "roomlog.ChatRoom",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("room"),
    )
    target = models.BigIntegerField(_("seq"))
    """The message's seq."""
    author = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("author"),
    )
    user = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        related_name="reports",
        db_index=False,
        verbose_name=_("reported by"),
    )
    reason = models.CharField(_("reason"), max_length=16, choices=Reason.choices)
    comment = models.CharField(_("comment"), max_length=REPORT_COMMENT_CODE_POINTS, blank=True)
    """The reporter's own words: an erasure of what they have said empties it."""
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)
    state = models.PositiveSmallIntegerField(_("state"), choices=State.choices, default=State.OPEN)
    resolved_by = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("resolved by"),
    )
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("report"), _("reports")
        constraints = [
            models.UniqueConstraint(fields=["room", "target", "user"], name="report_once"),
            models.CheckConstraint(
                condition=Q(state=0, resolved_at=None) | Q(state__gt=0, resolved_at__isnull=False),
                name="resolved_report_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="reports_by_state"),
            models.Index(fields=["user", "date_created"], name="reports_by_user"),
        ]

    def __str__(self) -> str:
        return f"report of {self.target} in {self.room_id}"
