"""A database is told from its copies."""

import os
from pathlib import Path

import pytest
from django.db import connection

from roomlog.identity import identity


def elsewhere(monkeypatch: pytest.MonkeyPatch, name: str) -> str:
    """Return the identity of another database by its name."""
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "NAME", name)
        try:
            return identity()
        finally:
            connection.close()


def test_a_database_stays_itself(database: str) -> None:
    """Over connections."""
    before = identity()
    connection.close()
    assert identity() == before
    assert len(before) == 16


def test_a_copy_is_another_database(sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is in it."""
    before = identity()
    path = Path(connection.settings_dict["NAME"])
    (tmp_path / "copy").write_bytes(path.read_bytes())
    assert elsewhere(monkeypatch, str(tmp_path / "copy")) != before
    os.link(path, tmp_path / "same")
    assert elsewhere(monkeypatch, str(tmp_path / "same")) == before


def test_another_database_of_the_server_is_another(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy by template has all that stands in the original."""
    assert elsewhere(monkeypatch, "postgres") != identity()


def test_a_role_that_may_not_ask_for_the_cluster_gets_an_answer(postgres: str) -> None:
    """A weaker one: some hosters deny what every role may by default."""
    before = identity()
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS guest; CREATE ROLE guest")
        cursor.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        try:
            cursor.execute("SET ROLE guest")
            assert len(identity()) == 16
            assert identity() != before
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC; DROP ROLE guest")
