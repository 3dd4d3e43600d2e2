"""The index of the search for people by how their names begin.

Raw, because each database compares without case in a way of its own; it changes no table.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

NAME = "people_by_beginning"
COLUMNS = {
    "postgresql": "(upper(name::text) text_pattern_ops)",
    "sqlite": "(name COLLATE NOCASE)",
}
"""As `istartswith` asks: by UPPER and LIKE, which needs the order of bytes; SQLite's LIKE knows no case."""


def create_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make the index."""
    schema_editor.execute(f"CREATE INDEX {NAME} ON roomlog_person {COLUMNS[schema_editor.connection.vendor]}")


def drop_index(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop it."""
    schema_editor.execute(f"DROP INDEX {NAME}")


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0015_shards'),
    ]

    operations = [migrations.RunPython(create_index, drop_index)]
