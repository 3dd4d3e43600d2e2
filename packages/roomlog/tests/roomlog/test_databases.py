"""The settings that Roomlog's safety arguments count on, as the servers see them."""

from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from roomlog.comparing import moved_heads
from roomlog.databases import REPLICA, database, end_stuck_statements, with_replica
from tests.harness.databases import default_database, plan_of
from tests.harness.people import People, add_user, make_room
from tests.harness.pooler import running_pooler


def setting(name: str) -> str:
    """Return what the server says."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT current_setting('{name}')")
        return str(cursor.fetchone()[0])


def test_time_outs_are_set_and_not_asked_for_at_the_start(postgres: str) -> None:
    """A writer's session ends its own stuck work; a dead server is noticed while waiting."""
    assert setting("lock_timeout") == "1s"
    assert setting("statement_timeout") == "5s"
    assert setting("idle_in_transaction_session_timeout") == "5s"
    connection.ensure_connection()
    assert "options" not in connection.connection.info.get_parameters()
    connection.close()
    assert setting("lock_timeout") == "1s", "each session anew"
    parameters = connection.connection.info.get_parameters()
    assert (parameters["keepalives_idle"], parameters["keepalives_count"]) == ("5", "3")
    assert parameters["tcp_user_timeout"] == "10000"


def test_a_writer_looks_few_rooms_up_among_thousands(postgres: str) -> None:
    """No batch scans the heads of all rooms because a list of unknown length seems long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO roomlog_chatroom (id, name, kind, date_created)"
            " SELECT md5(n::text)::uuid, '', 'group', now() FROM generate_series(1, 10000) AS n"
        )
        cursor.execute(
            "INSERT INTO roomlog_roomhead (room_id, epoch, last_seq, messages)"
            " SELECT id, 'e', 0, 0 FROM roomlog_chatroom"
        )
        cursor.execute("ANALYZE roomlog_roomhead")
    with CaptureQueriesContext(connection) as captured:
        assert moved_heads([UUID(int=1)], [1], "e") == []
    assert "roomlog_roomhead_pkey" in plan_of(captured[0]["sql"])


def test_a_writer_works_behind_a_pooler_of_sessions(postgres: str) -> None:
    """It connects, has its time-outs, and its prepared statements with the transactions around them."""
    with running_pooler(postgres) as pooled, default_database(pooled):
        assert setting("statement_timeout") == "5s"
        people = People.make()
        for _ in range(3):
            assert make_room(people.alice)


def test_a_stuck_statement_is_trouble_of_the_database(postgres: str) -> None:
    """What serves people ends its own; others ask whether a kept connection lives."""
    with pytest.raises(OperationalError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)")
    assert add_user("alice")
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0; SET statement_timeout = 0")
    end_stuck_statements(connection)
    assert (setting("lock_timeout"), setting("statement_timeout")) == ("1s", "5s")
    assert setting("idle_in_transaction_session_timeout") == "5s"


def test_others_ask_whether_a_kept_connection_lives() -> None:
    """A thread of the api's never works with what a restarted server forgot; commands have no limits."""
    settings = database("postgres://me@localhost/db")
    assert (settings["CONN_HEALTH_CHECKS"], settings["CONN_MAX_AGE"]) == (True, 60)
    assert "options" not in settings["OPTIONS"]
    assert settings["OPTIONS"]["tcp_user_timeout"] == 10_000


def test_sqlite_is_durable_and_takes_turns(sqlite: str) -> None:
    """WAL, synced at each commit, foreign keys on; a writer takes its turn at BEGIN."""
    with connection.cursor() as cursor:
        values = [
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert values == ["wal", 2, 1, 20_000]
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_a_replica_stands_beside_its_primary() -> None:
    """Of several hosts a standby is preferred, unless the address says otherwise."""
    primary = database("postgres://u@one,two/chat")
    assert with_replica(primary, "") == {"default": primary}
    for query, wanted in (("", "prefer-standby"), ("?target_session_attrs=any", "any")):
        both = with_replica(primary, f"postgres://u@one,two/chat{query}")
        assert both["default"] == primary
        assert both[REPLICA]["OPTIONS"]["target_session_attrs"] == wanted
