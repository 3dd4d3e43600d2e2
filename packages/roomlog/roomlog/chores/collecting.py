"""Deletes the files of messages that were deleted, and those that no message has claimed.

After the message's way, by whoever does the chores: nobody waits for the storage here. First a row is marked
(`attachment.drop`), so that no message can claim it any more; then its files go; then, when it counts for no
quota any more, the row. Every step may come again.
"""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from roomlog import file_store
from roomlog.attachment import drop
from roomlog.models import Attachment
from roomlog.uploading import DAY

UNCLAIMED: Final = timedelta(hours=24)
"""How long a file may wait for its message: a page that was offline over night sends it in the morning."""
AT_ONCE: Final = 100
"""Files in one turn."""


def collect() -> int:
    """Delete files that nobody may have any more, AT_ONCE at most; return how many.

    Raises:
        StoreUnavailable: the storage is away; what is left is tried again.
    """
    now = timezone.now()
    drop(Attachment.objects.filter(seq=None, date_created__lt=now - UNCLAIMED), now)
    dropped = Attachment.objects.filter(dropped_at__isnull=False)
    rows = list(dropped.exclude(file="").order_by("dropped_at")[:AT_ONCE])
    for row in rows:
        for name in filter(None, (row.thumbnail, row.file)):
            file_store.delete(name)
        Attachment.objects.filter(pk=row.pk).update(file="", thumbnail="")
    dropped.filter(file="", date_created__lt=now - DAY).delete()
    return len(rows)
