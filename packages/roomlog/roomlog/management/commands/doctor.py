"""Looks at all that Roomlog rests on and says what to do.

Beside the message's way; reads only. No line holds an address, a user or a password.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.utils import InterfaceError
from redis import RedisError

from roomlog.configuration import configuration
from roomlog.doctor import database, holder, listening, memory, redis
from roomlog.doctor.finding import Finding
from roomlog_runtime.redis_address import client

TIMEOUT_SECONDS: Final = 5.0


class Command(BaseCommand):
    """`roomlog doctor`."""

    help = "Check Redis, database, shard owners and clocks; print the worst-case memory."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a line for each look and fail where something is wrong."""
        wrong = 0
        for finding in _findings():
            self.stdout.write(str(finding))
            wrong += finding.is_wrong
        for line in memory.look():
            self.stdout.write(line)
        if wrong:
            raise CommandError(f"{wrong} WRONG: see above")


def _findings() -> Iterator[Finding]:
    settings = configuration()
    keyspace = settings.keyspace
    connection = client(
        settings.redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
    with connection:
        yield from redis.look(connection, keyspace)
        yield from database.look()
        try:
            yield holder.look(connection, keyspace)
            yield from listening.compare(listening.listen(connection, keyspace))
        except (RedisError, OSError, DatabaseError, InterfaceError):
            return  # which of both can't be asked has been said
