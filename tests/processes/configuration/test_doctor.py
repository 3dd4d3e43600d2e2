"""`roomlog doctor` and `migrate` on installs that are set up wrong: each fault has a line with what to do."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.limits import STREAM_ENTRIES
from roomlog_local.ports import LOOPBACK
from tests.harness.manage import run_python
from tests.harness.postgres import PostgresServer, running_postgres
from tests.processes.configuration.servers import RIGHT, port_of, running_valkey

COMMAND_SECONDS = 90.0
TURN_SECONDS = 0.1


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    """A server for the databases of this file."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def migrated(postgres: PostgresServer) -> str:
    """The name of a database with all tables, to be copied."""
    name = postgres.create()
    done = operate("django", "migrate", url=postgres.url(name))
    assert done.returncode == 0, done.stderr
    return name


@pytest.fixture
def database(postgres: PostgresServer, migrated: str) -> str:
    """The address of a good database."""
    return postgres.url(postgres.create(migrated))


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis with the right settings."""
    with running_valkey(tmp_path, *RIGHT) as client:
        yield client


def operate(
    *words: str, url: str, redis_url: str = "redis://127.0.0.1:9"
) -> subprocess.CompletedProcess[str]:
    """Run an operator's command as it is run everywhere."""
    settings = {
        "ROOMLOG_SECRET_KEY": "k" * 50,
        "ROOMLOG_DATABASE_URL": url,
        "ROOMLOG_REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "roomlog_api.settings",
    }
    return run_python("-m", *words, environ=settings, seconds=COMMAND_SECONDS)


def report(url: str, carrier: redis.Redis | None = None, login: str = "") -> dict[str, str]:
    """Return the doctor's lines by what they are about; it never ends with a traceback."""
    port = port_of(carrier) if carrier else 9
    done = operate("roomlog_api", "doctor", url=url, redis_url=f"redis://{login}{LOOPBACK}:{port}/0")
    assert "Traceback" not in done.stderr, done.stderr
    assert (done.returncode == 1) == ("WRONG" in done.stdout)
    return {line[6:].partition(":")[0]: line for line in done.stdout.splitlines() if line[5:6] == " "}


def allow(carrier: redis.Redis, *rules: str) -> None:
    """Make a user `api` that may do this and nothing else, under the default prefix."""
    carrier.acl_setuser(
        "api",
        enabled=True,
        passwords=["+pw"],
        keys=["roomlog:*"],
        channels=["roomlog:*"],
        commands=list(rules),
    )


def set_up(url: str, *statements: str) -> None:
    """Change a database as its owner."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def meanwhile(turn: Callable[[], object]) -> Iterator[None]:
    """Do something again and again until the context ends."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(TURN_SECONDS):
            turn()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_database_that_can_t_hold_every_text_gets_no_tables(postgres: PostgresServer) -> None:
    """`migrate` refuses it before the first message does; the doctor says the same."""
    set_up(
        postgres.url("postgres"),
        "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
    )
    done = operate("django", "migrate", url=postgres.url("latin"))
    assert done.returncode == 1
    assert "The database's encoding is LATIN1, not UTF8." in done.stderr
    assert "TEMPLATE template0" in done.stderr
    assert "Traceback" not in done.stderr
    line = report(postgres.url("latin"))["database encoding"]
    assert line.startswith("WRONG")
    assert "TEMPLATE template0" in line


def test_a_commit_that_may_not_stay_is_wrong(postgres: PostgresServer, database: str) -> None:
    """Accepted means committed: what makes that untrue is named, and so is a database without writes."""
    name = database.rpartition("/")[2]
    set_up(
        database,
        f"ALTER DATABASE {name} SET synchronous_commit = off",
        f"ALTER DATABASE {name} SET default_transaction_read_only = on",
    )
    lines = report(database)
    assert "lose accepted messages" in lines["synchronous_commit"]
    assert lines["fsync"].startswith("ok")
    assert "read-only; point ROOMLOG_DATABASE_URL to the primary" in lines["database role"]


def test_a_role_without_grants_is_told_which(postgres: PostgresServer, database: str) -> None:
    """Missing rights are named one by one, not as a database that can't be asked."""
    set_up(
        database,
        "DROP ROLE IF EXISTS guest",
        "CREATE ROLE guest LOGIN",
        "GRANT USAGE ON SCHEMA public TO guest",
    )
    line = report(database.replace("roomlog@", "guest@"))["database rights"]
    assert "SELECT on " in line
    assert "grant the role" in line
    set_up(
        database,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest",
        "REVOKE INSERT ON roomlog_roomevent FROM guest",
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO guest",
    )
    line = report(database.replace("roomlog@", "guest@"))["database rights"]
    assert "no INSERT on roomlog_roomevent;" in line
    set_up(database, "GRANT INSERT ON roomlog_roomevent TO guest")
    assert "database rights" not in report(database.replace("roomlog@", "guest@"))


def test_a_user_without_info_is_no_fault(database: str, carrier: redis.Redis) -> None:
    """The doctor says what it may not ask, and looks at all else."""
    allow(carrier, "+xadd", "+publish", "+client|setinfo", "+select")
    lines = report(database, carrier, "api:pw@")
    for what in ("Redis INFO", "streams", "Redis clock", "claim on the prefix", "notices on the prefix"):
        assert lines[what].startswith("ok"), lines[what]
        assert "may not" in lines[what]
    assert lines["Redis rights"].startswith("ok")
    assert lines["database encoding"].startswith("ok")


def test_a_user_without_what_the_api_needs_is_told(database: str, carrier: redis.Redis) -> None:
    """Commands and channels that are missing are named."""
    allow(carrier, "+xadd", "+info", "+client|setinfo", "+select")
    assert "may not: PUBLISH; give the user" in report(database, carrier, "api:pw@")["Redis rights"]


def test_a_database_without_its_tables_is_named(tmp_path: Path) -> None:
    """Migrations come first: nothing else can be said then."""
    assert "run `migrate`" in report(f"sqlite:///{tmp_path}/empty.sqlite3")["migrations"]


@pytest.mark.parametrize("policy", ["volatile-lru", "allkeys-lru"])
def test_an_eviction_policy_is_wrong(database: str, carrier: redis.Redis, policy: str) -> None:
    """Every policy but one throws commands away; no append-only file is only a notice."""
    carrier.config_set("maxmemory-policy", policy)
    lines = report(database, carrier)
    assert lines["eviction"].startswith("WRONG")
    assert "noeviction" in lines["eviction"]
    assert lines["persistence"].startswith("ok")
    assert lines["notices on the prefix"].startswith("ok")


def test_a_stream_that_nobody_empties_is_named(database: str, carrier: redis.Redis) -> None:
    """A long stream has no owner that keeps up."""
    for _ in range(STREAM_ENTRIES // 10 + 1):
        carrier.xadd(Keyspace().in_stream(7), {b"e": b""})
    line = report(database, carrier)["streams"]
    assert line.startswith("WRONG")
    assert "(roomlog:{s07}:in)" in line


def test_another_install_on_the_prefix_is_heard(database: str, carrier: redis.Redis) -> None:
    """Its rooms are unknown to this database; one on another prefix is nobody's business."""
    mine, theirs = Keyspace().room_channel(uuid4()), Keyspace("other").room_channel(uuid4())
    with meanwhile(lambda: (carrier.publish(theirs, b""), carrier.publish("roomlog:gateway:x", b""))):
        assert report(database, carrier)["notices on the prefix"].startswith("ok")
    carrier.set(Keyspace().install_key, "ffffffffffffffff 64")
    with meanwhile(lambda: carrier.publish(mine, b"")):
        lines = report(database, carrier)
    for what in ("notices on the prefix", "claim on the prefix"):
        assert lines[what].startswith("WRONG")
        assert "its own ROOMLOG_REDIS_PREFIX" in lines[what]
    assert "by another database" in lines["claim on the prefix"]


def test_a_worker_s_clock_and_its_lost_redis_are_named(database: str, carrier: redis.Redis) -> None:
    """Tickets live for a minute by the worker's clock; a worker without Redis serves nobody."""
    columns = "INSERT INTO roomlog_worker (uuid, ordinal, beat, reaches_redis) VALUES "
    set_up(database, columns + f"('{uuid4()}', 0, 0, true), ('{uuid4()}', 1, 0, false)")
    turn = (
        "UPDATE roomlog_worker SET beat = beat + 1,"
        " clock = extract(epoch FROM clock_timestamp()) + 90 * ordinal"
    )
    with meanwhile(lambda: set_up(database, turn)):
        lines = report(database, carrier)
    assert "+9" in lines["workers' clocks"] or "+89" in lines["workers' clocks"]
    assert "NTP" in lines["workers' clocks"]
    assert "[1]; check their ROOMLOG_REDIS_URL" in lines["workers without Redis"]


def test_two_live_processes_of_one_ordinal_are_named(database: str, carrier: redis.Redis) -> None:
    """Both beat; a row that stands still is one that died."""
    insert = "INSERT INTO roomlog_worker (uuid, ordinal, beat) VALUES "  # its clock says nothing yet
    set_up(database, insert + ", ".join(f"('{uuid4()}', {ordinal}, 0)" for ordinal in (3, 3, 5, 5)))
    beat = "UPDATE roomlog_worker SET beat = beat + 1 WHERE ordinal = 3"
    with meanwhile(lambda: set_up(database, beat)):
        line = report(database, carrier)["worker ordinals"]
    assert "several live processes have [3]; stop one of each" in line
