"""Statements that travel together: what they see, what an error leaves, and when they are prepared again."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import DataError, connection, transaction
from psycopg.pq import TransactionStatus

from roomlog_worker.log.pg_roundtrip import Call, Exchange, Rows, Statement
from tests.harness.waiting import wait_until


def note(name: str, kind: str, sql: str) -> Statement:
    """Return a statement of one parameter of this type, which stands in it as %s."""
    return Statement(name, f"PREPARE {name} ({kind}) AS {sql.replace('%s', '$1')}", sql)


ECHO = note("echo", "text", "SELECT %s")
DAY = note("day", "timestamptz", "SELECT date(%s)")
ADD = note("add_one", "text", "INSERT INTO notes VALUES (%s)")
COUNT = note("count_others", "text", "SELECT count(*) FROM notes WHERE text <> %s")
LOCK = note("lock_note", "text", "SELECT text FROM notes WHERE text = %s FOR UPDATE")
DIVIDE = note("divide", "text", "SELECT 1 / %s::integer")

WAIT_SECONDS = 15.0
TEXTS = ["", "it's", 'say "hi"', "back\\slash", "\\'; DROP TABLE notes; --", "100 %s", "; COMMIT", "ünï 🙂\n"]


@pytest.fixture
def exchange(database: str) -> Exchange:
    """Return an exchange on each database."""
    return make_exchange()


def make_exchange() -> Exchange:
    """Return an exchange of the statements above, with their table."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS notes")
        cursor.execute("CREATE TABLE notes (text text)")
    return Exchange([ECHO, DAY, ADD, COUNT, LOCK, DIVIDE])


def status() -> TransactionStatus:
    """Return what PostgreSQL's session is doing."""
    return TransactionStatus(connection.connection.pgconn.transaction_status)


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_arrives_as_it_is(exchange: Exchange, text: str) -> None:
    """Nothing in it is taken for SQL."""
    with transaction.atomic():
        assert exchange.ask(Call(ECHO, (text,)), Call(ADD, (text,)), Call(COUNT, ("?",))) == [
            [(text,)],
            [],
            [(1,)],
        ]


def test_they_belong_to_the_caller_s_transaction(exchange: Exchange) -> None:
    """What is rolled back never was; a time arrives in UTC, on both databases."""
    with transaction.atomic():
        ((day,),) = exchange.ask(Call(DAY, (datetime(2026, 2, 3, 23, 59, tzinfo=UTC),)))[0]
    assert str(day) == "2026-02-03"
    with pytest.raises(ZeroDivisionError):
        _add_and_fail(exchange)
    with transaction.atomic():
        assert exchange.ask(Call(COUNT, ("?",))) == [[(0,)]]


def test_a_commit_and_an_error_end_them(postgres: str) -> None:
    """What came before an error is undone; after a commit the session holds nothing."""
    exchange = make_exchange()
    with transaction.atomic():
        exchange.ask(Call(ADD, ("a",)))
        assert status() is TransactionStatus.INTRANS
        assert exchange.ask(Call(ADD, ("b",)), Call(COUNT, ("?",)), commits=True) == [[], [(2,)]]
        assert status() is TransactionStatus.IDLE
    exchange = make_exchange()
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        exchange.ask(Call(ADD, ("a",)), Call(DIVIDE, ("0",)), Call(ADD, ("b",)), commits=True)
    with transaction.atomic():
        assert exchange.ask(Call(COUNT, ("?",))) == [[(0,)]]


def test_each_sees_what_was_committed_while_an_earlier_one_waited(postgres: str) -> None:
    """Else a command could be looked up in a state that is older than the lock that it waited for."""
    exchange = make_exchange()
    with transaction.atomic():
        exchange.ask(Call(ADD, ("held",)))
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            exchange.ask(Call(LOCK, ("held",)), Call(ADD, ("late",)))
            asked = other.submit(_lock_and_count, exchange)
            wait_for_a_waiting_session()
        assert asked.result(WAIT_SECONDS) == [[("held",)], [(2,)]]


def _lock_and_count(exchange: Exchange) -> list[Rows]:
    try:
        with transaction.atomic():
            return exchange.ask(Call(LOCK, ("held",)), Call(COUNT, ("?",)))
    finally:
        connection.close()


def wait_for_a_waiting_session() -> None:
    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return int(cursor.fetchone()[0])

    wait_until(waiting, WAIT_SECONDS, "a session waits")


def _add_and_fail(exchange: Exchange) -> None:
    with transaction.atomic():
        exchange.ask(Call(ADD, ("a",)))
        raise ZeroDivisionError
