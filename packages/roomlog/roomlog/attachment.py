"""Files that messages bring: what the database knows of each. Their bytes are in Django's storage.

Beside the log. REST stores a row with each upload. A worker claims it with the message's event, or marks it
as dropped with a deletion, in the same transaction. Chores alone delete files, then rows
(`chores.collecting`): a storage is slow, and knows no transactions.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import ATTACHMENT_NAME_CODE_POINTS, UUID_CODE_POINTS

DAY: Final = timedelta(days=1)
"""The span of a person's quota: so long a row counts, whatever became of its file."""


class Attachment(models.Model):
    """One uploaded file."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    room = models.ForeignKey(
        "roomlog.ChatRoom",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("room"),
    )
    user = models.ForeignKey(
        "roomlog.Person",
        on_delete=models.PROTECT,
        related_name="attachments",
        db_index=False,
        verbose_name=_("uploaded by"),
    )
    uuid = models.CharField(_("uuid"), max_length=UUID_CODE_POINTS)
    """The client's name of the upload: a repeat is the same file."""
    digest = models.CharField(max_length=64)
    """SHA-256 of what was uploaded: a repeat with another content is a conflict."""
    name = models.CharField(_("file name"), max_length=ATTACHMENT_NAME_CODE_POINTS)
    """As people see it; empty once it is dropped."""
    size = models.BigIntegerField(_("bytes"))
    type = models.CharField(_("media type"), max_length=100)
    width = models.PositiveIntegerField(_("width"), null=True)
    height = models.PositiveIntegerField(_("height"), null=True)
    file = models.CharField(max_length=100)
    """Its name in the storage: no id of the wire, so that knowing a message opens no storage."""
    thumbnail = models.CharField(max_length=100, blank=True)
    """Likewise; empty for what is no image."""
    is_stored = models.BooleanField(default=False)
    """The storage has its bytes. Until then only its row is there: no file is without one."""
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)
    seq = models.BigIntegerField(_("seq"), null=True)
    """The message that has claimed it; null: none has."""
    dropped_at = models.DateTimeField(_("dropped at"), null=True)
    """From here on nobody gets it, and the collector deletes it."""

    class Meta:
        verbose_name, verbose_name_plural = _("attachment"), _("attachments")
        constraints = [
            models.UniqueConstraint(fields=["uuid", "room", "user"], name="upload_once"),
            models.CheckConstraint(condition=Q(size__gte=1), name="attachment_has_bytes"),
            models.CheckConstraint(
                # IS NOT NULL too: a comparison with NULL alone is no violation.
                condition=Q(width=None, height=None)
                | Q(width__isnull=False, height__isnull=False, width__gte=1, height__gte=1),
                name="attachment_has_both_sides_or_none",
            ),
        ]
        indexes = [
            models.Index(
                fields=["room", "seq"], condition=Q(seq__isnull=False), name="attachments_by_message"
            ),
            models.Index(fields=["user", "date_created"], name="attachments_by_user"),
            models.Index(
                fields=["date_created"], condition=Q(seq__isnull=True), name="unclaimed_attachments"
            ),
            models.Index(
                fields=["dropped_at"], condition=Q(dropped_at__isnull=False), name="dropped_attachments"
            ),
        ]

    def __str__(self) -> str:
        return f"attachment {self.pk}"

    @property
    def described(self) -> tuple[str | int | None, ...]:
        """Return what an event keeps of it: the fields of the wire's Attachment."""
        return (self.pk.hex, self.name, self.size, self.type, self.width, self.height)


def claimable(room: UUID, person: int, files: Iterable[UUID]) -> "models.QuerySet[Attachment]":
    """Return those of the files that a message of the person in the room may bring."""
    free = Attachment.objects.filter(is_stored=True, seq=None, dropped_at=None)
    return free.filter(room=room, user=person, pk__in=files)


def drop(files: "models.QuerySet[Attachment, Any]", now: datetime) -> int:
    """Let nobody have these files any more, and forget their names; return how many there were."""
    return files.filter(dropped_at=None).update(dropped_at=now, name="")
