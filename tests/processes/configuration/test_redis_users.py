"""An install whose services have the users of docs/configuration.md, and no right beside, works."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from redis.exceptions import NoPermissionError

from roomlog_contract.keyspace import Keyspace
from roomlog_local.child import Child
from roomlog_local.ports import LOOPBACK
from roomlog_runtime.redis_address import client
from tests.harness.manage import manage
from tests.processes.configuration import table
from tests.processes.configuration.install import SECONDS, running_services, say_hello
from tests.processes.configuration.servers import RIGHT, port_of, running_valkey

PREFIX: Final = "chat/production"


@pytest.fixture
def redis_port(tmp_path: Path) -> Iterator[int]:
    """A Redis with the documented users and no other."""
    with running_valkey(tmp_path, *RIGHT) as owner:
        for name, rules in table.redis_users().items():
            own = [re.sub("^([~&])roomlog:", rf"\1{PREFIX}:", rule) for rule in rules]
            assert owner.execute_command("ACL", "SETUSER", name, "on", ">pw", *own)  # type: ignore[no-untyped-call]
        owner.execute_command("ACL", "SETUSER", "default", "-@all", "+ping")  # type: ignore[no-untyped-call]
        yield port_of(owner)


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

    manage(environ, "migrate", "--verbosity", "0", seconds=SECONDS)
    with running_services(of, tmp_path) as running_install:
        yield running_install


async def test_documented_users_are_enough(install: tuple[str, list[Child]], environ: dict[str, str]) -> None:
    """Rooms are made, a message comes back, a right that ends is told; no service was denied anything."""
    url, children = install
    await say_hello(url, environ)
    said = "".join(child.log.read_text() for child in children)
    assert not re.search("NOPERM|NoPermission|no permission|redis_lost|redis_errors", said), said[-3000:]


def test_chores_and_the_api_may_ask_who_is_here(redis_port: int) -> None:
    """And chores nothing else."""
    channel = Keyspace(PREFIX).user_channel(1)
    for name in ("api", "chores"):
        url = f"redis://{name}:pw@{LOOPBACK}:{redis_port}/0"
        redis = client(url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
        assert redis.pubsub_numsub(channel) == [(channel.encode(), 0)]
    with pytest.raises(NoPermissionError):
        redis.publish(channel, b"")


def test_every_service_has_its_user() -> None:
    """And none may do all, or leave its prefix."""
    users = table.redis_users()
    assert set(users) == {"gateway", "worker", "api", "chores"}
    for rules in users.values():
        assert {"resetkeys", "resetchannels", "-@all", "~roomlog:*", "&roomlog:*"} <= set(rules)
        assert not {"+@all", "allkeys", "allchannels", "~*", "&*"} & set(rules)
