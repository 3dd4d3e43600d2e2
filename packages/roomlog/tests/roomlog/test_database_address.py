"""What an address of a database may say, and the one sentence for those that say nothing."""

import pytest
from django.db import connection
from psycopg.conninfo import conninfo_to_dict

from roomlog.database_address import PostgresAddress, SqliteAddress, parse_database_url
from roomlog.databases import database
from roomlog_runtime.settings import SettingError
from tests.harness.databases import default_database

POSTGRES = {
    "postgres://me:secret@db.example:5433/chat": (
        "user=me password=secret host=db.example port=5433 dbname=chat"
    ),
    "postgresql://db/chat": "host=db dbname=chat",
    "postgres://me:p%40%2F%3F%23%25@db/chat": "user=me password=p@/?#% host=db dbname=chat",
    "postgres://me:a?b#c@db/chat": "user=me password=a?b#c host=db dbname=chat",
    "postgres://[2001:db8::1]:5433/chat": "host=2001:db8::1 port=5433 dbname=chat",
    "postgres://%2Frun%2Fpostgresql/chat": "host=/run/postgresql dbname=chat",
    "postgres:///chat?host=/run/postgresql": "host=/run/postgresql dbname=chat",
    "postgres://db/chat?sslmode=verify-full&sslrootcert=/ca.pem": (
        "host=db dbname=chat sslmode=verify-full sslrootcert=/ca.pem"
    ),
    "postgres://a:1,b:2/chat": "host=a,b port=1,2 dbname=chat target_session_attrs=read-write",
    "postgres://a,b/chat?target_session_attrs=any": "host=a,b dbname=chat target_session_attrs=any",
    "postgres://db/chat?options=-c%20work_mem%3D8MB": "host=db dbname=chat options='-c work_mem=8MB'",
    "postgres://db/chat?currentSchema=chat": "host=db dbname=chat options='-c search_path=chat'",
    "postgres://db/chat?options=-c%20work_mem%3D8MB&currentSchema=my%20chat,public&sslmode=require": (
        r"host=db dbname=chat options='-c work_mem=8MB -c search_path=my\\ chat,public' sslmode=require"
    ),
    "postgres:///?service=chat": "service=chat",
}
"""Each address, and the same in the words of libpq."""
WRONG = [
    "",
    "secret",
    "secret://db/chat",
    "mysql://me:secret@db/chat",
    "POSTGRES://me:secret@db/chat",
    "postgres:/me:secret@db/chat",
    "postgres://me:secret@db",
    "postgres://me:secret@db/",
    "postgres://me:sec%ZZret@db/chat",
    "postgres://me:sec/ret@db/chat",
    "postgres://me:secret@db:secret/chat",
    "postgres://me:secret@db:99999/chat",
    "postgres://me:secret@db:0/chat",
    "postgres://a:1,b:2,c/chat?port=1,2",
    "postgres://me:secret@db/chat?secret=1",
    "postgres://me:secret@db/chat?sslmode=secret",
    "postgres://me:secret@db/chat?target_session_attrs=secret",
    "postgres://me:secret@[::1/chat",
    "sqlite://secret.sqlite3",
    "sqlite:///secret.sqlite3",
    "sqlite:////secret/",
    "sqlite:////secret?timeout=1",
    "sqlite:////",
]


@pytest.mark.parametrize(("url", "words"), POSTGRES.items())
def test_an_address_means_what_it_means_to_psql(url: str, words: str) -> None:
    """Nothing that it says is dropped, whoever reads it."""
    parameters = {name: str(value) for name, value in conninfo_to_dict(words).items()}
    assert parse_database_url(url) == PostgresAddress(parameters)
    for is_writer in (False, True):
        settings = database(url, writer=is_writer)
        known = {name.lower(): settings[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}
        said = {**settings["OPTIONS"], **known, "dbname": settings["NAME"]}
        for name, value in parameters.items():
            assert value in said[name]


@pytest.mark.parametrize("path", ["/var/lib/chat.sqlite3", "/with space/a%b"])
def test_a_file_has_four_slashes(path: str) -> None:
    """Three for the address, one for the path."""
    assert parse_database_url(f"sqlite:///{path.replace('%', '%25')}") == SqliteAddress(path)


def test_tests_may_live_in_memory() -> None:
    """Where one process is all there is."""
    assert parse_database_url("sqlite://:memory:") == SqliteAddress(":memory:")


@pytest.mark.parametrize("url", WRONG)
def test_a_wrong_address_is_one_sentence(url: str) -> None:
    """It names the variable and nothing of the value, which may be a password; neither does its cause."""
    with pytest.raises(SettingError, match=r"^ROOMLOG_DATABASE_URL ") as refused:
        parse_database_url(url)
    assert "secret" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__


@pytest.mark.parametrize("is_writer", [True, False])
@pytest.mark.parametrize("option", ["currentSchema=elsewhere", "options=-c%20search_path%3Delsewhere"])
def test_workers_and_api_look_at_the_address_s_schema(postgres: str, option: str, is_writer: bool) -> None:
    """What the worker sets for itself stands beside it."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
    with default_database(f"{postgres}?{option}", writer=is_writer), connection.cursor() as cursor:
        cursor.execute("SELECT current_schema(), current_setting('lock_timeout')")
        assert cursor.fetchone() == ("elsewhere", "1s" if is_writer else "0")
