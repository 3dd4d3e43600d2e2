"""A database of an older layout is refused by `migrate` with a sentence, and left as it is."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, router, transaction
from django.db.migrations.recorder import MigrationRecorder

from roomlog.checks.database import OLDER_LAYOUT


class Elsewhere:
    """A router that keeps the app out of every database that it is asked about."""

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "roomlog" else None


def refusals() -> list[str | None]:
    """Return the ids of what the checks of `migrate` say."""
    return [message.id for message in run_checks(databases=["default"])]


@pytest.fixture
def undone(database: str) -> Iterator[None]:
    """What the test changes in the tables is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("undone")
def test_the_layout_of_now_and_an_empty_one_pass(database: str) -> None:
    """And what a later release migrated: the release before it runs beside it."""
    assert OLDER_LAYOUT not in refusals()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE django_migrations RENAME TO elsewhere")
    assert OLDER_LAYOUT not in refusals()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE roomlog_person RENAME COLUMN name TO nickname",
        "ALTER TABLE roomlog_logintry RENAME TO another",
        "CREATE TABLE roomlog_store_roomevent (id integer)",
    ],
)
@pytest.mark.usefixtures("undone")
def test_tables_of_an_older_layout_are_refused(statement: str) -> None:
    """A column or a table that the recorded migrations make is missing, or the models had another label."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert OLDER_LAYOUT in refusals()


@pytest.mark.usefixtures("undone")
def test_what_is_not_an_older_layout_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later release's migrations, and databases of other apps."""
    MigrationRecorder(connection).record_applied("roomlog", "0099_later")
    assert OLDER_LAYOUT not in refusals()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE roomlog_logintry RENAME TO another")
    assert OLDER_LAYOUT in refusals()
    monkeypatch.setattr(router, "routers", [Elsewhere()])
    assert OLDER_LAYOUT not in refusals()
