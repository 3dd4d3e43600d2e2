"""`python -m django memory_bounds --settings roomlog_worker.settings`: what a worker may hold at worst."""

from typing import Any

from django.core.management.base import BaseCommand

from roomlog_runtime.memory import container_limit, describe
from roomlog_worker.memory import worst_case


class Command(BaseCommand):
    """Asks neither Redis nor the database."""

    help = "Print the worst-case memory that a worker's limits allow."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write("\n".join(describe("a worker", worst_case(), container_limit())))
