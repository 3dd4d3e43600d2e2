"""The log in partitions: made while it is empty, and read in the room's partition alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any, Final
from unittest.mock import patch
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.transaction import atomic, set_rollback
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.admin.room_messages import _of, seq_at
from roomlog.doctor.database import look
from roomlog.models import ChatMessage, ChatRoom
from roomlog.partitions import MIGRATION, partitions_of
from roomlog.read_marks import mark_read
from roomlog.search.hits import Search, search
from roomlog.search.index import index
from roomlog_contract.commands import AddReaction, EditMessage, PinMessage
from roomlog_worker.log.pruning import prune
from tests.harness.databases import default_database, partition_of, partitions_read
from tests.harness.people import People, make_room, message, written
from tests.harness.stack_databases import PARTITIONS

ROOMS: Final = 40
"""Enough that nearly all partitions have some."""
FURTHER: Final = 300
"""Messages of each room beside those that were written."""
DEFINITIONS: Final = (
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attidentity FROM pg_attribute"
    " WHERE attrelid = 'roomlog_roomevent'::regclass AND attnum > 0",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = 'roomlog_roomevent'::regclass AND contype IN ('c', 'f', 'u', 'p')",
    "SELECT replace(pg_get_indexdef(indexrelid), ' ONLY ', ' ') FROM pg_index"
    " WHERE indrelid = 'roomlog_roomevent'::regclass",
    "SELECT has_table_privilege('reader', 'roomlog_roomevent', 'INSERT'),"
    " has_table_privilege('reader', 'roomlog_roomevent', 'DELETE'),"
    " has_sequence_privilege('reader', pg_get_serial_sequence('roomlog_roomevent', 'id'), 'USAGE')",
)
"""Columns, constraints, indexes, and what a role may do."""


def definitions() -> list[set[Any]]:
    """Return what the log is."""
    found = []
    with connection.cursor() as cursor:
        for query in DEFINITIONS:
            cursor.execute(query)
            found.append(set(cursor.fetchall()))
    return found


@contextmanager
def migrated(count: int) -> Iterator[None]:
    """Partition the log of the test's database meanwhile."""
    migration = import_module(f"roomlog.migrations.{MIGRATION[1]}")
    with atomic(), patch.dict(settings.ROOMLOG, PARTITIONS=count):
        migration.partition(apps, connection.schema_editor())
        yield
        set_rollback(True)


def test_a_partitioned_log_is_the_same_table(postgres: str) -> None:
    """In columns, checks, foreign keys, indexes and rights; only its primary key is another."""
    with atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE ROLE reader; GRANT SELECT, INSERT ON roomlog_roomevent TO reader")
        cursor.execute("GRANT USAGE ON roomlog_roomevent_id_seq TO reader")
        columns, constraints, indexes, rights = definitions()
        with migrated(3):
            assert partitions_of(connection) == 3
            new_columns, new_constraints, new_indexes, new_rights = definitions()
        set_rollback(True)
    assert (new_columns, new_rights) == (columns, rights)
    assert rights == {(True, False, True)}
    assert dict(constraints - new_constraints) == {
        "roomlog_roomevent_pkey": "PRIMARY KEY (id)",
        "seq_once": "UNIQUE (room_id, seq)",
    }
    assert dict(new_constraints - constraints) == {"seq_once": "PRIMARY KEY (room_id, seq)"}
    assert len(new_indexes) == len(indexes)
    assert [one for (one,) in new_indexes - indexes] == [
        "CREATE INDEX events_by_id ON public.roomlog_roomevent USING btree (id)"
    ]


def test_a_log_with_events_stays_as_it_is(database: str) -> None:
    """It is refused with a sentence, as SQLite is. Nothing happens where no partitions are wanted."""
    make_room(People.make().alice)
    why = "SQLite has no partitions" if connection.vendor == "sqlite" else "has events already"
    with pytest.raises(CommandError, match=why), migrated(3):
        pass
    with migrated(0):
        assert partitions_of(connection) == 0


def test_a_setting_that_came_too_late_is_told(
    postgres: str, partitioned_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `check` and by the doctor, once the migration has decided; it changes nothing."""
    assert differences() == []
    monkeypatch.setitem(settings.ROOMLOG, "PARTITIONS", 3)
    assert differences() == ["0 in the database, 3 in the settings"] * 2
    with default_database(partitioned_url):
        assert differences() == [f"{PARTITIONS} in the database, 3 in the settings"] * 2
    with atomic():
        MigrationRecorder(connection).record_unapplied(*MIGRATION)
        assert differences() == []
        set_rollback(True)


def differences() -> list[str]:
    """Return what is said of partitions, by each who says it."""
    told = [one.msg for one in run_checks(databases=["default"]) if one.id == "roomlog.W016"]
    told += [one.fact for one in look() if one.what == "partitions"]
    return [one.removeprefix("Partitions of the log: ").removesuffix(".") for one in told]


@pytest.fixture
def people(partitioned: str) -> People:
    """Alice, Bob and Carol."""
    return People.make()


@pytest.fixture
def room(people: People) -> UUID:
    """A room among many, with a message that was edited, pinned and reacted to."""
    for _ in range(ROOMS):
        room = make_room(people.carol)
    room = make_room(people.alice, [people.bob])
    for number in range(9):
        written(message(room, f"tea {number}"), people.alice)
    said = ChatMessage.objects.get(room=room, text="tea 8").pk
    written(EditMessage(uuid="e", room=room, message=said, text="tea better"), people.alice)
    written(PinMessage(uuid="p", room=room, message=said), people.alice)
    written(AddReaction(uuid="r", room=room, message=said, emoji="👍"), people.bob)
    while index([room]).behind:
        pass
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO roomlog_roomevent (room_id, seq, number, kind, user_id, uuid, body_hash, text,"
            " date_created) SELECT room_id, last_seq + n, messages + n, 'new_message', %s, n, '', 'x', now()"
            " FROM roomlog_roomhead, generate_series(1, %s) AS n",
            [people.alice, FURTHER],
        )
        cursor.execute(
            "UPDATE roomlog_roomhead SET last_seq = last_seq + %s, messages = messages + %s", [FURTHER] * 2
        )
        cursor.execute("ANALYZE")
    return room


def reads(people: People, room: UUID) -> dict[str, Callable[[], Any]]:
    """Return what is asked of one room's log, by what asks."""
    chat_room = ChatRoom.objects.select_related("head").get(pk=room)
    head = chat_room.head.last_seq
    return {
        "get_history": lambda: selectors.in_present_state(selectors.last_messages(room, 14, 10), people.bob),
        "get_history after": lambda: selectors.messages_after(room, 5, 10),
        "select_room since": lambda: selectors.events_after(room, 5, head, 100),
        "list_pins": lambda: selectors.pins_of(room, people.bob),
        "unread": lambda: selectors.summaries_by_user([people.bob]),
        "mark_read": lambda: mark_read(room, people.bob, 9),
        "search": lambda: search(people.bob, Search(text="tea")).messages,
        "admin": lambda: list(_of(chat_room, 1, head)[:50]),
        "admin by time": lambda: seq_at(chat_room, timezone.now()),
        "retention": lambda: atomic(prune)(room, timezone.now() + timedelta(days=8)).events,
    }


def test_a_room_s_log_is_read_in_its_partition_alone(
    people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads it: the others' are not looked at, neither by the plan nor when it runs."""
    monkeypatch.setitem(settings.ROOMLOG, "RETENTION_DAYS", 7)
    partition = {partition_of(room)}
    for name, read in reads(people, room).items():
        with CaptureQueriesContext(connection) as captured:
            assert read(), name
        asked = [one["sql"] for one in captured.captured_queries if "roomlog_roomevent" in one["sql"]]
        assert asked, name
        for statement in asked:
            assert partitions_read(statement) <= partition, (name, statement)
