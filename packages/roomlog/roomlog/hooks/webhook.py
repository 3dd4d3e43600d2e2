"""The tables of outgoing webhooks. Their queue is the log: a cursor by webhook and room is all that is kept.

So an event costs no row and no write, a crash loses nothing, and what was scrubbed is not sent later.
"""

import base64
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from roomlog_contract.actions import EVENTS

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what each begins with
KINDS: Final = sorted(EVENTS)
"""What can be subscribed to: the wire's names of a log's events."""


def new_signing_secret() -> str:
    """Return 256 random bits, as Standard Webhooks writes them."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def check_address(url: str, *, allows_private: bool) -> None:
    """Refuse what is no address to deliver to; where its name leads is asked when it is connected to.

    Raises:
        ValidationError: it is no URL, has a name and password in it, or has no https where that is needed.
    """
    URLValidator(schemes=["https", "http"] if allows_private else ["https"])(url)
    if urlsplit(url).username is not None:
        raise ValidationError(_("An address must not hold a name or password."))


class Webhook(models.Model):
    """An address that is told of events, from the moment at which this row was made."""

    class Stop(models.TextChoices):
        """Why nothing is sent."""

        NONE = "", _("Active")
        ADMIN = "admin", _("Stopped in the admin")
        FAILING = "failing", _("Stopped: failing for days")
        GONE = "gone", _("Stopped: the receiver answered 410")

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100)
    url = models.CharField(_("address"), max_length=500)
    room = models.ForeignKey(
        "roomlog.ChatRoom",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="webhooks",
        verbose_name=_("room"),
        help_text=_("Empty: all rooms, direct ones too."),
    )
    kinds = models.JSONField(_("events"), default=list, blank=True)
    """Of KINDS; an empty list: all."""
    secret = models.CharField(max_length=100, default=new_signing_secret, editable=False)
    """Signs; readable here, because a signature needs it."""
    date_created = models.DateTimeField(_("date created"), default=timezone.now, editable=False)
    stopped = models.CharField(
        _("state"), max_length=16, choices=Stop.choices, default=Stop.NONE, blank=True, db_default=""
    )

    class Meta:
        verbose_name, verbose_name_plural = _("outgoing webhook"), _("outgoing webhooks")

    def __str__(self) -> str:
        return self.name

    def wants(self, kind: str) -> bool:
        """Tell whether events of this kind are sent."""
        kinds: list[Any] = self.kinds
        return not kinds or kind in kinds

    def stop(self, why: Stop) -> bool:
        """Send nothing until `start`; False if it was stopped already."""
        return Webhook.objects.filter(pk=self.pk, stopped="").update(stopped=why) == 1

    def start(self) -> None:
        """Go on where it stands, at once: earlier failures don't count."""
        failing = WebhookCursor.objects.filter(webhook=self, attempts__gt=0)
        failing.update(attempts=0, failing_since=None, next_try_at=None)
        Webhook.objects.filter(pk=self.pk).update(stopped=Webhook.Stop.NONE)


class WebhookCursor(models.Model):
    """How far one webhook was told of one room, and what stands in its way."""

    id = models.BigAutoField(primary_key=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="cursors", db_index=False)
    room = models.ForeignKey(
        "roomlog.ChatRoom", on_delete=models.CASCADE, related_name="+", verbose_name=_("room")
    )
    seq = models.BigIntegerField(_("seq"), default=0)
    """The last event that was sent or passed over."""
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    """How often the next event was sent in vain."""
    failing_since = models.DateTimeField(_("failing since"), null=True)
    next_try_at = models.DateTimeField(_("next try at"), null=True)
    last_error = models.CharField(_("last error"), max_length=100, blank=True)
    """A status or the class of an error; never what the receiver has written."""

    class Meta:
        verbose_name, verbose_name_plural = _("undelivered room"), _("undelivered rooms")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "room"], name="webhook_cursor_once"),
            models.CheckConstraint(
                condition=models.Q(attempts=0, failing_since=None)
                | models.Q(attempts__gt=0, failing_since__isnull=False),
                name="failing_webhook_says_since",
            ),
        ]

    def __str__(self) -> str:
        return f"webhook {self.webhook_id} in {self.room_id} at {self.seq}"
