"""The table of bots' tokens: several for one account, each with a name and an end. `bots` reads it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BotToken(models.Model):
    """What a program signs in with, as the account of a person. The token itself is shown once."""

    id = models.BigAutoField(primary_key=True)
    person = models.ForeignKey(
        "roomlog.Person", on_delete=models.PROTECT, related_name="bot_tokens", verbose_name=_("person")
    )
    name = models.CharField(_("name"), max_length=100)
    """Where it is used, for whoever revokes it."""
    digest = models.CharField(max_length=64, unique=True, editable=False)
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)
    """At most an hour old while it is in use."""

    class Meta:
        verbose_name, verbose_name_plural = _("bot token"), _("bot tokens")
        constraints = [models.UniqueConstraint(fields=["person", "name"], name="bot_token_name_once")]

    def __str__(self) -> str:
        return self.name
