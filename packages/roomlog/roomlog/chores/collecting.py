"""Deletes the files of messages that were deleted, and those that no message has claimed.

After the message's way, by whoever does the chores: nobody waits for the storage here. First a row is marked
(`attachment.drop`), so that no message can claim it any more; then its files go; then, when it counts for no
quota any more, the row. Every step may come again.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from django.db import Error, connection
from django.utils import timezone

from roomlog import file_store
from roomlog.attachment import DAY, drop
from roomlog.models import Attachment
from roomlog_runtime.shutdown import Shutdown

from . import metrics

UNCLAIMED: Final = timedelta(hours=24)
"""How long a file may wait for its message: a page that was offline over night sends it in the morning."""
AT_ONCE: Final = 100
"""Files in one turn."""
PAUSE_SECONDS: Final = 10.0
"""Between two turns that leave nothing."""
TROUBLE_SECONDS: Final = 60.0
"""After a failure of the storage or the database."""

log = structlog.get_logger()


class Collector:
    """The thread that collects, while the process does the chores."""

    def __init__(self, shutdown: Shutdown, may_work: Callable[[], bool]) -> None:
        self._shutdown = shutdown
        self._may_work = may_work

    def run(self) -> None:
        """Collect until shutdown is requested."""
        while not self._shutdown.wait(self.turn()):
            pass
        connection.close()

    def turn(self) -> float:
        """Collect once; return how many seconds to wait until the next turn."""
        if not self._may_work() or file_store.store() is None:
            return PAUSE_SECONDS
        try:
            deleted = collect()
        except (file_store.StoreUnavailable, Error) as error:
            connection.close()
            metrics.COLLECTING_FAILURES.inc()
            # Its class alone: the text may hold an address, or the name of a file.
            log.warning("files_not_deleted", error=type(error.__cause__ or error).__name__)
            return TROUBLE_SECONDS
        metrics.FILES_DELETED.inc(deleted)
        return 0.0 if deleted == AT_ONCE else PAUSE_SECONDS


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
