"""Pages of tables too long to be counted."""

from typing import Final

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

MAX_COUNTED: Final = 10_000
"""Rows. Counting a log of millions takes seconds, and nobody turns to page 101."""


class BoundedPaginator(Paginator):  # type: ignore[type-arg] # not generic at run time
    """Counts no further than MAX_COUNTED; later rows are reached by filters and search."""

    @cached_property
    def count(self) -> int:
        """Return the number of rows, or MAX_COUNTED where there are more."""
        rows = self.object_list
        return rows[:MAX_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)
