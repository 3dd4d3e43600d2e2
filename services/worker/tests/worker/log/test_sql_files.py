"""The .sql files: each says what it does, is used, reaches its rows by an index, and is in the wheel."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from zipfile import ZipFile

import pytest
from django.db import connection

from roomlog_worker.log import sql, statements
from roomlog_worker.log.pg_roundtrip import Statement
from tests.harness.databases import by_the_log_s_names

FOLDER = Path(sql.__file__).parent
PROJECT = Path(__file__).parents[3]
FILES = sorted(path.name for path in FOLDER.glob("*.sql"))
STATEMENTS = statements._exchange._statements
NOW = datetime(2026, 2, 3, tzinfo=UTC)
ROOM = UUID(int=7)
ROOMS = f'["{ROOM.hex}"]'
REACTIONS = f'[{{"room": "{ROOM.hex}", "target": 2, "emoji": "👍", "person": 1}}]'
PARAMETERS = {
    "lock_leases": ("[7]",),
    "lock_heads": (ROOMS,),
    "read_commands": (NOW, f'[{{"uuid": "u", "room": "{ROOM.hex}", "person": 1}}]'),
    "hold_people": ("[7]",),
    "insert_events": (NOW, "[]"),
    "move_heads": (f'[{{"room": "{ROOM.hex}", "seq": 1, "messages": 1}}]',),
    "mark_changed": (f'[{{"room": "{ROOM.hex}", "seq": 1, "edit": 2, "pin": 3}}]',),
    "remove_reactions": (REACTIONS,),
    "add_reactions": ("[]",),
    "remove_mentions": (f'[{{"room": "{ROOM.hex}", "target": 2}}]',),
    "add_mentions": ("[]",),
    "append_single": (NOW, 7, ROOM, 1, ROOM, "epoch", 2, 1, 1, 9, "u", "hash", "text"),
    "reserve_ids": (2,),
}
BUILD_SECONDS = 60


def name_of(statement: Statement) -> str:
    return statement.name.removeprefix("roomlog_")


def comment_of(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("--").strip() for line in lines if line.startswith("--")]


def indexes_of(name: str) -> set[str]:
    """Return the names of indexes that a file says find its rows: those before a semicolon."""
    _, _, said = " ".join(comment_of(name)).partition("Index: ")
    return set(re.findall(r"\b(?:\w+_pkey|\w+_once)\b", said.partition(";")[0]))


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_what_it_does_what_it_locks_and_by_which_index(name: str) -> None:
    """At its head, before the statement."""
    comment = comment_of(name)
    assert (FOLDER / name).read_text(encoding="utf-8").startswith("-- ")
    assert re.match(r"[A-Z][a-z]+ .*", comment[0])
    for word in ("Locks: ", "Index: "):
        assert [line for line in comment if line.startswith(word)], word


def test_every_file_is_a_statement_s() -> None:
    """None is left over, and both databases' forms are there but for what only PostgreSQL has."""
    used = {f"{name_of(one)}.postgresql.sql" for one in STATEMENTS}
    used |= {f"{name_of(one)}.sqlite.sql" for one in STATEMENTS if one.for_sqlite}
    assert used == set(FILES)


@pytest.mark.parametrize("database", ["postgres", "partitioned"], indirect=True)
@pytest.mark.parametrize("statement", STATEMENTS, ids=name_of)
def test_postgresql_finds_the_rows_by_the_index_that_the_file_names(
    database: str, statement: Statement
) -> None:
    """Not because the tables are small: a scan of them is forbidden. So it is in each partition."""
    with connection.cursor() as cursor:  # nor by what earlier tests had in them: the planner remembers
        cursor.execute("TRUNCATE roomlog_person, roomlog_chatroom CASCADE")
        cursor.execute("DELETE FROM pg_statistic WHERE starelid::regclass::text LIKE 'roomlog_%'")
    statements.reserve_ids(1)  # the session prepares them all
    values = ", ".join(f"'{value}'" for value in PARAMETERS[name_of(statement)])
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN EXECUTE {statement.name} ({values})")
        plan = by_the_log_s_names("\n".join(line for (line,) in cursor.fetchall()))
    assert "Seq Scan" not in plan
    assert set(re.findall(r"Index (?:Only )?Scan using (\w+)", plan)) == indexes_of(
        f"{name_of(statement)}.postgresql.sql"
    )


@pytest.mark.parametrize("statement", [one for one in STATEMENTS if one.for_sqlite], ids=name_of)
def test_sqlite_scans_no_table(sqlite: str, statement: Statement) -> None:
    """Only what the statement was given, which is a JSON array, is read from one end to the other."""
    values = [str(value) for value in PARAMETERS[name_of(statement)]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement.for_sqlite}", values)
        steps = [step for *_, step in cursor.fetchall()]
    assert [step for step in steps if step.startswith("SCAN ") and "json_each" not in step] == []


def test_the_wheel_has_them(tmp_path: Path) -> None:
    """What the worker's image installs."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, timeout=BUILD_SECONDS)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = {Path(name).name for name in archive.namelist() if "/log/sql/" in name}
    assert packed == {*FILES, "__init__.py"}
