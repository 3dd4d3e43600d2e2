"""Looks at what PostgreSQL promises: that a commit stays, in every character, by a role that may write it."""

from collections.abc import Iterator
from typing import Final

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from roomlog.checks import database as checks

from .finding import Finding, found

PRIVILEGES: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
SETTINGS: Final = ("synchronous_commit", "fsync", "full_page_writes")
LOSSES: Final = {
    "synchronous_commit": "a crash would lose accepted messages",
    "fsync": "a crash could corrupt the database",
    "full_page_writes": "a crash could corrupt the database",
}


def look() -> Iterator[Finding]:
    """Yield what is to be said of PostgreSQL's settings; nothing of SQLite, whose are ours."""
    if connection.vendor != "postgresql":
        return
    encoding = str(checks.server_encoding(connection.alias))
    yield found("database encoding", encoding, encoding == checks.ENCODING, checks.TODO)
    for name, value in _settings().items():
        todo = f"set {name}=on for server, database and role: {LOSSES[name]}"
        yield found(name, value, value != "off", todo)
    yield _writable()


def missing_rights() -> list[str]:
    """Return what this role may not do to our tables, as in `INSERT on roomlog_message`."""
    if connection.vendor != "postgresql":
        return []
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)})
    asked = [(table, right) for table in tables for right in PRIVILEGES]
    asked.append((MigrationRecorder.Migration._meta.db_table, "SELECT"))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, wanted FROM unnest(%s::text[], %s::text[]) AS asked(name, wanted)"
            " WHERE to_regclass(quote_ident(name)) IS NOT NULL"
            " AND NOT has_table_privilege(to_regclass(quote_ident(name)), wanted)",
            [[table for table, _ in asked], [right for _, right in asked]],
        )
        missing = [f"{wanted} on {name}" for name, wanted in cursor.fetchall()]
        cursor.execute(
            "SELECT sequence.relname FROM unnest(%s::text[]) AS asked(name)"
            " JOIN pg_depend ON refobjid = to_regclass(quote_ident(name)) AND deptype IN ('a', 'i')"
            " JOIN pg_class AS sequence ON sequence.oid = objid"
            # CASE keeps the order: the function raises at what is no sequence.
            " WHERE CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(sequence.oid, 'USAGE') END",
            [tables],
        )
        return missing + [f"USAGE on {name}" for (name,) in cursor.fetchall()]


def _settings() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in SETTINGS))
        return dict(zip(SETTINGS, map(str, cursor.fetchone()), strict=True))


def _writable() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'")
        is_standby, is_read_only = cursor.fetchone()
    fact = "a standby" if is_standby else "read-only" if is_read_only else "accepts writes"
    todo = "point ROOMLOG_DATABASE_URL to the primary, or turn off default_transaction_read_only"
    return found("database role", fact, not (is_standby or is_read_only), todo)
