"""An install whose services have the users of docs/configuration.md, and no right beside, works."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import redis

from roomlog_client import RoomlogClient
from roomlog_local import command
from roomlog_local.child import Child, stop_all
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import find_server
from tests.configuration import table
from tests.configuration.servers import running

PREFIX: Final = "chat/production"
SECONDS: Final = 90.0
STOP_SECONDS: Final = 20.0


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A Redis with the three users and no other."""
    port = free_port()
    words = f"--port {port} --bind {LOOPBACK} --maxmemory 64mb --maxmemory-policy noeviction --dir {tmp_path}"
    with running(find_server(), words.split(), redis.Redis(port=port, socket_timeout=5.0)) as _:
        with redis.Redis(port=port, socket_timeout=5.0) as owner:
            for name, rules in table.redis_users().items():
                own = [re.sub("^([~&])roomlog:", rf"\1{PREFIX}:", rule) for rule in rules]
                assert owner.execute_command("ACL", "SETUSER", name, "on", ">pw", *own)
            owner.execute_command("ACL", "SETUSER", "default", "-@all", "+ping")
        yield port


@pytest.fixture
def environ(redis_port: int, tmp_path: Path) -> dict[str, str]:
    """What all services share."""
    return {
        "ROOMLOG_SECRET_KEY": "k" * 50,
        "ROOMLOG_DATABASE_URL": f"sqlite:///{tmp_path}/chat.sqlite3",
        "ROOMLOG_REDIS_PREFIX": PREFIX,
        "ROOMLOG_REDIS_URL": f"redis://api:pw@{LOOPBACK}:{redis_port}/0",
    }


@pytest.fixture
def install(environ: dict[str, str], redis_port: int, tmp_path: Path) -> Iterator[tuple[str, list[Child]]]:
    """The gateway's address, and the processes of all three services."""

    def of(name: str) -> dict[str, str]:
        return {**environ, "ROOMLOG_REDIS_URL": f"redis://{name}:pw@{LOOPBACK}:{redis_port}/0"}

    ports = [free_port() for _ in range(5)]
    manage(environ, "migrate", "--verbosity", "0")
    commands = (
        command.worker(0, of("worker"), ports[0]),
        command.gateway("gateway", of("gateway"), ports[1], ports[2]),
        command.api(of("api"), ports[3], ports[4]),
    )
    children = [Child(each, tmp_path / f"{each.name}.log") for each in commands]
    try:
        for child in children:
            child.start()
        for child in children:
            child.wait_ready(SECONDS)
        yield f"ws://{LOOPBACK}:{ports[1]}/ws", children
    finally:
        stop_all(children, STOP_SECONDS)


async def test_the_documented_users_are_enough(
    install: tuple[str, list[Child]], environ: dict[str, str]
) -> None:
    """Rooms are made, a message comes back, a right that ends is told; no service was denied anything."""
    url, children = install
    manage(environ, "make_demo")
    token = manage(environ, "shell", "-c", TOKEN).split()[-1]
    async with RoomlogClient(url, token) as client:
        await client.ready(SECONDS)
        for room in client.rooms():
            assert (await client.send(room.id, "hello", timeout_seconds=SECONDS)).seq
        assert client.rooms()
    said = "".join(child.log.read_text() for child in children)
    assert not re.search("NOPERM|NoPermission|no permission|redis_lost|redis_errors", said), said[-3000:]


def test_every_service_has_its_user() -> None:
    """And none may do all, or leave its prefix."""
    users = table.redis_users()
    assert set(users) == {"gateway", "worker", "api"}
    for rules in users.values():
        assert {"resetkeys", "resetchannels", "-@all", "~roomlog:*", "&roomlog:*"} <= set(rules)
        assert not {"+@all", "allkeys", "allchannels", "~*", "&*"} & set(rules)


TOKEN: Final = (
    "from rest_framework.authtoken.models import Token; print(Token.objects.get(user__username='alice').key)"
)


def manage(environ: dict[str, str], *words: str) -> str:
    """Run a command of the api's."""
    done = subprocess.run(
        command.management(*words),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
