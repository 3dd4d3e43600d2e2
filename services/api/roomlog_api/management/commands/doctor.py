"""Looks at all that Roomlog rests on and says what to do.

Beside the message's way; reads only. No line holds an address, a user or a password.
"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from roomlog_api.doctor import bounds, carrier, truth
from roomlog_contract.keyspace import Keyspace


class Command(BaseCommand):
    """`roomlog doctor`."""

    help = "Check Redis, database, owners of shards and clocks; print what memory the limits allow."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each look and fail where something is wrong."""
        wrong = 0
        keyspace = Keyspace(settings.ROOMLOG_REDIS_PREFIX)
        for finding in (*carrier.look(settings.ROOMLOG_REDIS_URL, keyspace), *truth.look()):
            self.stdout.write(str(finding))
            wrong += finding.is_wrong
        for line in bounds.look():
            self.stdout.write(line)
        if wrong:
            raise CommandError(f"{wrong} to look at")
