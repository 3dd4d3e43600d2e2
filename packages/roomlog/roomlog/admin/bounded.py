"""Admin pages whose cost does not grow with the tables behind them: lists, and what a deletion shows."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

from roomlog.pagination import BoundedPaginator

from .theme import ModelAdmin

MAX_SHOWN: Final = 100
"""Objects named on the page that asks whether to delete them."""


class BoundedAdmin(ModelAdmin):
    """A list that is never counted to its end, and deletions that don't walk what refers to a row.

    For models whose deletion nothing forbids.
    """

    paginator = BoundedPaginator
    show_full_result_count = False

    def get_deleted_objects(
        self, objs: Iterable[Model], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Return the first objects' names and the number of all.

        Django's own collects what refers to them: of a group it shows each of its people.
        """
        names: list[Any] = [str(row) for row in objs]
        shown = names[:MAX_SHOWN] + ([_("… and more")] if len(names) > MAX_SHOWN else [])
        return shown, {str(self.opts.verbose_name_plural): len(names)}, set(), []
