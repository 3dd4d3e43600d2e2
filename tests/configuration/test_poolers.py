"""The services behind PgBouncer: they work where it keeps sessions apart, and refuse where it lends them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from roomlog_client import RoomlogClient
from roomlog_local import command
from roomlog_local.child import Child, stop_all
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import find_server
from tests.configuration.servers import running
from tests.configuration.test_redis_users import TOKEN, manage
from tests.faults.conftest import missing_postgres
from tests.faults.pgbouncer import pgbouncer
from tests.faults.postgres import PostgresServer, find_binaries

SECONDS = 90.0
STOP_SECONDS = 20.0
SENTENCE = (
    "leads to a pooler that lends sessions to others between transactions: set its pool_mode to session"
)


@pytest.fixture(scope="module")
def environ() -> Iterator[dict[str, str]]:
    """What all services share, on a migrated database without a pooler."""
    binaries = find_binaries()
    if binaries is None:
        missing_postgres()
    server = PostgresServer(binaries)
    try:
        server.start()
        environ = {
            "ROOMLOG_SECRET_KEY": "k" * 50,
            "ROOMLOG_DATABASE_URL": server.url(server.create()),
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:9/0",
        }
        manage(environ, "migrate", "--verbosity", "0")
        yield environ
    finally:
        server.stop()


async def test_an_install_works_behind_a_pooler_of_sessions(environ: dict[str, str], tmp_path: Path) -> None:
    """Rooms are made, and a message comes back."""
    port, *ports = (free_port() for _ in range(6))
    carrier = redis.Redis(port=port, socket_timeout=5.0)
    words = f"--port {port} --bind {LOOPBACK} --dir {tmp_path}".split()
    with pgbouncer(environ["ROOMLOG_DATABASE_URL"]) as pooled, running(find_server(), words, carrier):
        behind = {
            **environ,
            "ROOMLOG_DATABASE_URL": pooled,
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:{port}/0",
        }
        commands = (
            command.worker(0, behind, ports[0]),
            command.gateway("gateway", behind, ports[1], ports[2]),
            command.api(behind, ports[3], ports[4]),
        )
        children = [Child(each, tmp_path / f"{each.name}.log") for each in commands]
        try:
            for child in children:
                child.start()
            for child in children:
                child.wait_ready(SECONDS)
            manage(behind, "make_demo")
            token = manage(behind, "shell", "-c", TOKEN).split()[-1]
            async with RoomlogClient(f"ws://{LOOPBACK}:{ports[1]}/ws", token) as client:
                await client.ready(SECONDS)
                (room, *_) = client.rooms()
                assert (await client.send(room.id, "hello", timeout_seconds=SECONDS)).seq
        finally:
            stop_all(children, STOP_SECONDS)


@pytest.mark.parametrize("service", ["worker", "api"])
def test_a_pooler_that_lends_sessions_is_refused(environ: dict[str, str], service: str) -> None:
    """The process ends with a sentence that says what to do."""
    with pgbouncer(environ["ROOMLOG_DATABASE_URL"], "transaction") as pooled:
        behind = {**environ, "ROOMLOG_DATABASE_URL": pooled}
        commands = {
            "worker": command.worker(0, behind, free_port()),
            "api": command.api(behind, free_port(), free_port()),
        }
        done = subprocess.run(
            commands[service].arguments,
            env=os.environ | commands[service].environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode != 0
    assert SENTENCE in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_the_pooler(environ: dict[str, str]) -> None:
    """With the same words."""
    with pgbouncer(environ["ROOMLOG_DATABASE_URL"], "transaction") as pooled:
        done = subprocess.run(
            [sys.executable, "-m", "roomlog_api", "doctor"],
            env={
                **os.environ,
                **environ,
                "ROOMLOG_DATABASE_URL": pooled,
                "DJANGO_SETTINGS_MODULE": "roomlog_api.settings",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert "WRONG database pooler: lends sessions to others between transactions; set its" in done.stdout
