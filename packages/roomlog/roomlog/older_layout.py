"""Recognises a database whose tables an older layout of the app made.

Before the first migration. The initial migration was rewritten before the first release; such a database
counts as migrated and lacks tables or columns. One that a later release migrated has them and passes, because
releases run side by side and are rolled back. Reads only.
"""

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

LABEL: Final = "roomlog"
RETIRED_TABLES: Final = frozenset({"roomlog_store_roomevent"})
"""What an older layout made under another app label."""


def has_older_layout(connection: BaseDatabaseWrapper) -> bool:
    """Return True if the tables are not those of the applied migrations; False for an empty database."""
    tables = set(connection.introspection.table_names())
    if RETIRED_TABLES & tables:
        return True
    if MigrationRecorder.Migration._meta.db_table not in tables:
        return False
    loader = MigrationLoader(connection)
    applied = [key for key in loader.applied_migrations if key[0] == LABEL and key in loader.graph.nodes]
    return bool(applied) and not _has_tables_of(applied, loader, connection, tables)


def _has_tables_of(
    applied: list[tuple[str, str]],
    loader: MigrationLoader,
    connection: BaseDatabaseWrapper,
    tables: set[str],
) -> bool:
    """Return True if each column that the applied migrations make is there."""
    state = loader.project_state(applied)
    with connection.cursor() as cursor:
        for model in state.apps.get_app_config(LABEL).get_models():
            if model._meta.proxy:
                continue
            table = model._meta.db_table
            if table not in tables:
                return False
            found = {one.name for one in connection.introspection.get_table_description(cursor, table)}
            if not {field.column for field in model._meta.local_concrete_fields} <= found:
                return False
    return True
