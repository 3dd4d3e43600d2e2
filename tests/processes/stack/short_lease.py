"""An app with which `roomlog chores` takes a dead process's lease after a second: for a single process.

How long two of them wait for each other is shown with the product's own time, by the chores' test.
"""

from typing import Final

from django.apps import AppConfig

DEAD_SECONDS: Final = 1.0


class ShortLease(AppConfig):
    """Shortens the lease in the process that has the app."""

    name = "tests.processes.stack.short_lease"

    def ready(self) -> None:
        """Set what `roomlog/chores/lease.py` goes by."""
        from roomlog.chores import lease

        vars(lease)["DEAD_SECONDS"] = DEAD_SECONDS
