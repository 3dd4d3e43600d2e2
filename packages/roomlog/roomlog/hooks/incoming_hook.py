"""The table of incoming hooks: addresses that post into a room without an account."""

from uuid import uuid4

from django.db import models
from django.utils.translation import gettext_lazy as _


class IncomingHook(models.Model):
    """An address that posts into one room under one name. Deleting the row revokes it."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    room = models.ForeignKey(
        "roomlog.ChatRoom", on_delete=models.PROTECT, related_name="incoming_hooks", verbose_name=_("room")
    )
    person = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("posts as"),
    )
    """The account of its messages: code, as with `rooms.post_as`; nobody can sign in as it."""
    digest = models.CharField(max_length=64, editable=False)
    """SHA-256 of the secret in the address."""
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("incoming webhook"), _("incoming webhooks")

    def __str__(self) -> str:
        return f"incoming webhook {self.id.hex}"
