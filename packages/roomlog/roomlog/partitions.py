"""In how many partitions the database holds the log, beside how many the settings ask for.

No stage of the message's way. Migration 0014 makes them; nothing else asks how many there are, because
PostgreSQL finds a room's partition by itself.
"""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from .configuration import configuration

MOST_PARTITIONS: Final = 256
"""A statement that knows no room locks each partition and its indexes."""
MIGRATION: Final = ("roomlog", "0014_partitions")
TODO: Final = (
    "set PARTITIONS (ROOMLOG_PARTITIONS) to what the database has: the log is split once, while it is empty"
)


def partitions_of(connection: BaseDatabaseWrapper) -> int:
    """Return in how many partitions the log is; 0 if it is one table."""
    if connection.vendor != "postgresql":
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('roomlog_roomevent')")
        return int(cursor.fetchone()[0])


def difference(connection: BaseDatabaseWrapper) -> str | None:
    """Return in what the database differs from the settings; None before `migrate` has decided."""
    if MIGRATION not in MigrationRecorder(connection).applied_migrations():
        return None
    wanted, there = configuration().partitions, partitions_of(connection)
    return None if wanted == there else f"{there} in the database, {wanted} in the settings"
