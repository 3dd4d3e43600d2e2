"""How often one person may do something, counted by the rows that it leaves.

So it holds after a restart, and for all processes together. Reads only.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

MINUTE: Final = timedelta(minutes=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


def wait_ms(rows: QuerySet[Any], most: int, span: timedelta, now: datetime) -> int | None:
    """Return how many milliseconds the next row has to wait; None: it may come now.

    `rows` are the person's, with `date_created`: at most so many may come in any `span`.
    """
    lately = rows.filter(date_created__gt=now - span).order_by("-date_created")
    earliest: list[datetime] = list(lately.values_list("date_created", flat=True)[most - 1 : most])
    if not earliest:
        return None
    # The row may be of the caller's own batch, and later than now.
    return max(1, min(earliest[0] + span - now, span) // _MILLISECOND)
