"""What `migrate` asks the database before it makes a table, by Django's own checks of databases."""

from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections, router

from roomlog import partitions
from roomlog.older_layout import LABEL, has_older_layout

ENCODING: Final = "UTF8"
TODO: Final = (
    "Recreate it with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0; move existing data with pg_dump"
    " and a restore."
)
OLDER_LAYOUT: Final = "roomlog.E002"
"""Is looked for by whoever runs `migrate` and knows where the data are."""


@register(Tags.database)
def check_encoding(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse a database of PostgreSQL that can't hold every text that the wire allows."""
    encodings = {alias: server_encoding(alias) for alias in _ours(databases)}
    return [
        Error(f"The database's encoding is {encoding}, not {ENCODING}.", hint=TODO, id="roomlog.E001")
        for encoding in encodings.values()
        if encoding not in (None, ENCODING)
    ]


@register(Tags.database)
def check_layout(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **_: Any
) -> list[CheckMessage]:
    """Refuse tables of an older layout, which `migrate` would take for its own."""
    return [
        Error(
            "The database has tables of an older Roomlog, which can't be migrated.",
            hint="Give Roomlog an empty database, and keep this one for the Roomlog that made it.",
            id=OLDER_LAYOUT,
        )
        for alias in _ours(databases)
        if has_older_layout(connections[alias])
    ]


@register(Tags.database)
def check_partitions(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **_: Any
) -> list[CheckMessage]:
    """Say it where the log is split otherwise than the settings say: nothing will change that."""
    found = [partitions.difference(connections[alias]) for alias in _ours(databases)]
    hint = f"{partitions.TODO[0].upper()}{partitions.TODO[1:]}."
    return [
        Caution(f"Partitions of the log: {difference}.", hint=hint, id="roomlog.W016")
        for difference in found
        if difference
    ]


def _ours(databases: Sequence[str] | None) -> list[str]:
    """Return those of a project's databases that its routers let the app's tables be in."""
    return [alias for alias in databases or () if router.allow_migrate(alias, LABEL)]


def server_encoding(alias: str) -> str | None:
    """Return what PostgreSQL stores texts in; None for SQLite, which stores any."""
    connection = connections[alias]
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_encoding')")
        return str(cursor.fetchone()[0])
