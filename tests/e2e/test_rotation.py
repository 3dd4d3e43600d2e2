"""Runs the commands of docs/rotation.md as they stand there, while people write."""

import json
import re
from functools import partial
from typing import Final
from uuid import uuid4

import pytest

from tests.e2e import settings
from tests.e2e.cluster import Cluster, wait_while
from tests.e2e.load import Load
from tests.e2e.page_commands import ROOT, blocks, follow
from tests.e2e.pages import Browser
from tests.e2e.people import make_administrator, make_rooms
from tests.harness.stack import User
from tests.judge.checker import report_on
from tests.judge.history import History

PEOPLE: Final = 4
CALM_SUCCESSES: Final = 30
"""Before the rotation, and after everybody has service again."""
TRIED: Final = {"PostgreSQL of the chart", "Valkey of the chart", "Django's secret key"}
BY_PROCESSES: Final = {"PostgreSQL of your own"}
"""Its SQL by tests/processes/configuration/test_rotation.py."""
UNTRIED: Final = {"Redis of your own", "TLS certificates", "Tokens of people and programs"}
"""The page says so."""
ONLY_FULL: Final = pytest.mark.skipif(not settings.IS_FULL, reason="SIZE=full alone")
PASSWORD: Final = "a-long-enough-password-for-tests"
LOCKED_OUT_SECONDS: Final = 240.0
"""For the refusals of half a minute, and the kubelet's pauses between some starts."""
LOCK_OUT: Final = """
import sys, psycopg
from psycopg import sql
url, password = sys.stdin.read().split()
with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
    connection.execute(sql.SQL("ALTER ROLE roomlog PASSWORD {}").format(password))
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
"""
PING: Final = """
import sys, redis
try:
    redis.Redis.from_url(sys.stdin.read().strip(), socket_timeout=5).ping()
    print("let in")
except redis.AuthenticationError:
    print("refused")
"""
CONNECT: Final = """
import sys, psycopg
try:
    psycopg.connect(sys.stdin.read().strip(), connect_timeout=5).close()
    print("let in")
except psycopg.OperationalError as refusal:
    print("refused" if "password authentication failed" in str(refusal) else refusal)
"""


def test_no_block_is_left_out() -> None:
    """Whoever adds a block adds its test, or says who tries it."""
    assert set(blocks("rotation")) == TRIED | BY_PROCESSES | UNTRIED


async def started(cluster: Cluster, *components: str) -> dict[str, set[str]]:
    """Return the identities of each component's pods."""
    return {one: {pod["metadata"]["uid"] for pod in await cluster.pods(one)} for one in components}


async def url_in(cluster: Cluster, server: str) -> str:
    """Return the address with the password, as the Secret of an embedded server has it now."""
    template = "go-template={{.data.url|base64decode}}"
    return await cluster.kubectl("get", "secret", f"{settings.RELEASE}-{server}", "--output", template)


def longest_wait(history: History) -> float:
    """Return the longest time from a message's first sending to its first success, in seconds."""
    ended = ((one.answered_at, one.attempts[0].invoked_at) for one in history.operations)
    return max((end - began for end, began in ended if end is not None), default=0.0)


async def rotate(cluster: Cluster, users: list[User], secret: str, heading: str) -> History:
    """Follow the page while people write; nothing may be lost. Return what they saw."""
    rooms = await make_rooms(cluster, users[:PEOPLE], count=2)
    async with Load(cluster, users[:PEOPLE], rooms, settings.SEED) as load:
        await load.succeed(CALM_SUCCESSES)
        async with load.fault("rotate", secret, leaves_no_owner=secret == "postgresql"):
            await follow("rotation", heading, ROOT)
            await cluster.wait_until_whole()
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        history = await load.finish()
    verdict = report_on(history, min_successes=2 * CALM_SUCCESSES)
    print(f"\n{verdict.table()}\nlongest wait for an answer: {longest_wait(history):.1f} s")
    assert verdict.anomalies == []
    assert [operation for operation in history.operations if operation.is_open] == [], "something has no end"
    return history


async def test_a_new_database_password_loses_and_disconnects_nothing(
    cluster: Cluster, users: list[User]
) -> None:
    """Only pods that read it restart, no socket closes, and every answered message is in the log."""
    url = await url_in(cluster, "postgresql")
    kept = await started(cluster, "gateway", "valkey")
    replaced = await started(cluster, "worker", "api", "postgresql")
    history = await rotate(cluster, users, "postgresql", "PostgreSQL of the chart")
    assert len(history.connections) == PEOPLE * settings.CONNECTIONS // settings.USERS, "a socket closed"
    assert await started(cluster, *kept) == kept
    after = await started(cluster, *replaced)
    assert not any(after[one] & replaced[one] for one in replaced)
    assert (await cluster.python(CONNECT, url)).splitlines()[0] == "refused"


@ONLY_FULL
async def test_a_new_redis_password_loses_nothing(cluster: Cluster, users: list[User]) -> None:
    """Everything that talks to Valkey restarts, its pod too; the old password does not fit any more."""
    url = await url_in(cluster, "valkey")
    kept = await started(cluster, "postgresql")
    replaced = await started(cluster, "gateway", "worker", "api", "valkey")
    await rotate(cluster, users, "valkey", "Valkey of the chart")
    assert await started(cluster, *kept) == kept
    after = await started(cluster, *replaced)
    assert not any(after[one] & replaced[one] for one in replaced)
    assert (await cluster.python(PING, url)).splitlines() == ["refused"]
    assert (await cluster.python(PING, await url_in(cluster, "valkey"))).splitlines() == ["let in"]


@ONLY_FULL
async def test_a_new_secret_key_ends_no_session_before_its_time(cluster: Cluster) -> None:
    """A login of before is good while the fallback stands, and is renewed by its use; no socket closes."""
    await make_administrator(cluster, name := f"key-{uuid4().hex[:8]}", PASSWORD)
    kept = await started(cluster, "gateway", "valkey", "postgresql")
    async with Browser() as present, Browser() as absent:
        for browser in (present, absent):
            await browser.sign_in(name, PASSWORD)
            assert await browser.get("/") == (200, "/")
        await follow("rotation", "Django's secret key", ROOT, block=0)
        await cluster.wait_until_whole()
        assert await present.get("/") == (200, "/")
        await follow("rotation", "Django's secret key", ROOT, block=1)
        await cluster.wait_until_whole()
        assert await present.get("/") == (200, "/")
        assert await absent.get("/") == (200, "/login/")
    assert await started(cluster, *kept) == kept


@ONLY_FULL
async def test_a_secret_that_is_corrected_later_is_read_without_a_hand(cluster: Cluster) -> None:
    """The password changes behind everybody's back; once the Secret has it, workers and api come back."""
    url = await url_in(cluster, "postgresql")
    before = {name: await restarts(cluster, name) for name in ("worker", "api")}
    kept = await started(cluster, "gateway", "worker", "api", "postgresql")
    password = uuid4().hex
    await cluster.python(LOCK_OUT, f"{url}\n{password}")
    for name, count in before.items():
        await wait_while(partial(not_ended, cluster, name, count), LOCKED_OUT_SECONDS)
    renewed = {"password": password, "url": re.sub(r"(?<=:)[^:@]+(?=@)", password, url)}
    patch = json.dumps({"stringData": renewed})
    await cluster.kubectl("patch", "secret", f"{settings.RELEASE}-postgresql", "--patch", patch)
    await cluster.wait_until_whole(LOCKED_OUT_SECONDS)
    assert await started(cluster, *kept) == kept, "a pod was replaced: somebody had a hand in it"
    assert "median" in await cluster.helm_test()


async def restarts(cluster: Cluster, component: str) -> int:
    """Return how often the component's containers were started again."""
    pods = await cluster.pods(component)
    return sum(one["restartCount"] for pod in pods for one in pod["status"]["containerStatuses"])


async def not_ended(cluster: Cluster, component: str, before: int) -> str:
    """Return what is missing until a process of the component has ended because its login is refused."""
    return "" if await restarts(cluster, component) > before else f"no process of {component} has ended"
