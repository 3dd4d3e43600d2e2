"""`roomlog chores` beside real processes: who counts as away, and what a killed process leaves undone."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import pytest
from redis import Redis

from roomlog_contract.keyspace import DEFAULT_PREFIX, Keyspace
from roomlog_local.child import Child, stop_all
from roomlog_local.command import chores
from roomlog_local.ports import free_port
from tests.harness.stack import MakeStack, Room, Stack, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire
from tests.processes.stack.told import DEADLY, FILE

BIND: Final = "ROOMLOG_HEALTH_BIND"
ROOT: Final = Path(__file__).parents[3]
DEAD_SECONDS: Final = 10.0
"""As in `roomlog/chores/lease.py`."""
TAKE_OVER_SECONDS: Final = DEAD_SECONDS + SECONDS
Told = list[list[Any]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the project writes down what it was told."""
    path = tmp_path / "told"
    path.touch()
    return path


@contextmanager
def two_chores(stack: Stack, file: Path) -> Iterator[list[Child]]:
    """Two processes, of which the first was started first, not yet ready."""
    environ = {**stack.environ, FILE: str(file), "PYTHONPATH": str(ROOT)}
    commands = [
        replace(chores(environ, free_port(), "tests.processes.stack.away_settings"), name=name)
        for name in ("chores-0", "chores-1")
    ]
    children = [Child(command, file.with_name(f"{command.name}.log")) for command in commands]
    try:
        yield children
    finally:
        assert stop_all(children, SECONDS) == []


def has_taken(child: Child) -> bool:
    """Tell whether the process has got the lease, and has not ended."""
    assert child.is_running, child.tail()
    return child.log.exists() and "chores_taken" in child.log.read_text()


def asked(child: Child, path: str) -> str:
    """Return what its health port answers; empty if it is not there or not ready."""
    try:
        with urlopen(f"http://{child.command.environ[BIND]}{path}", timeout=SECONDS) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def told(file: Path) -> Told:
    """Return what the project was told."""
    return [json.loads(line) for line in file.read_text().splitlines()]


async def leave(stack: Stack, wire: Wire) -> None:
    """Close a connection, and wait until the gateway listens for this user no more."""
    await wire.__aexit__()
    channel = Keyspace(DEFAULT_PREFIX).user_channel(wire.user.id)
    with Redis.from_url(stack.redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis:
        await eventually(
            lambda: redis.pubsub_numsub(channel)[0][1] == 0, SECONDS, f"{wire.user.name} is away"
        )


async def say(wire: Wire, room: Room, text: str) -> None:
    """Write a message, which must be accepted."""
    assert (await wire.ask("new_message", room=room.id, text=text))["status"] == "success"


async def test_the_project_is_told_at_least_once_by_one_of_two(make_stack: MakeStack, file: Path) -> None:
    """Also of what the first was told just when it was killed; who is connected is not told of."""
    stack = make_stack()
    users = stack.make_users(3)
    (room,) = stack.make_rooms([users])
    bob, carol = (key_of(stack, user) for user in users[1:])
    with two_chores(stack, file) as (first, second):
        first.start()
        await eventually(lambda: has_taken(first), SECONDS, "the first works")
        begun = "SELECT 1 FROM roomlog_choreslease WHERE has_begun"
        await eventually(lambda: stack.sql(begun), SECONDS, "it has begun")
        second.start()
        async with Wire(stack.websocket(), users[0]) as alice:
            await alice.authenticate()
            his = await Wire(stack.websocket(), users[1]).__aenter__()
            await his.authenticate()
            await say(alice, room, "hello")
            expected: Told = [["hello", [carol]]]
            await eventually(lambda: told(file) == expected, SECONDS, "Carol alone is told")
            await leave(stack, his)
            await say(alice, room, "again")
            expected.append(["again", [bob, carol]])
            await eventually(lambda: told(file) == expected, SECONDS, "both are told")
            assert not has_taken(second)
            for child, owned in ((first, 1.0), (second, 0.0)):
                await eventually(partial(asked, child, "/readyz"), SECONDS, "it is ready")
                assert asked(child, "/livez") == "ok\n"
                assert f"roomlog_chores_lease_owned {owned}" in asked(child, "/metrics")
            assert "roomlog_chores_late_seconds_count 2.0" in asked(first, "/metrics")
            await say(alice, room, DEADLY)
            expected += [[DEADLY, [bob, carol]]] * 2
            await eventually(lambda: told(file) == expected, TAKE_OVER_SECONDS, "it is told again")
            assert first.returncode == -signal.SIGKILL
            first.start()
            assert stop_all([second], SECONDS) == []
            await say(alice, room, "goodbye")
            expected.append(["goodbye", [bob, carol]])
            await eventually(lambda: told(file) == expected, DEAD_SECONDS, "at once, after an orderly end")
    assert "hello" not in first.log.read_text() + second.log.read_text()


def key_of(stack: Stack, user: User) -> int:
    """Return the primary key of a user's account."""
    ((key,),) = stack.sql("SELECT user_id FROM roomlog_person WHERE id = %s", user.id)
    return int(key)
