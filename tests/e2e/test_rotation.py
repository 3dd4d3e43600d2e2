"""Runs the commands of docs/rotation.md as they stand there, while people write."""

from typing import Final

from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.e2e.load import Load
from tests.e2e.page_commands import ROOT, blocks, follow
from tests.e2e.people import make_rooms
from tests.harness.stack import User
from tests.judge.checker import report_on
from tests.judge.history import History

PEOPLE: Final = 4
CALM_SUCCESSES: Final = 30
"""Before the rotation, and after everybody has service again."""
TRIED: Final = {"PostgreSQL of the chart"}
BY_PROCESSES: Final = {"PostgreSQL of your own"}
"""Its SQL by tests/processes/configuration/test_rotation.py."""
UNTRIED: Final = {
    "Valkey of the chart",
    "Redis of your own",
    "Django's secret key",
    "TLS certificates",
    "Tokens of people and programs",
}
"""The page says so."""
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


def longest_wait(history: History) -> float:
    """Return the longest time from a message's first sending to its first success, in seconds."""
    ended = ((one.answered_at, one.attempts[0].invoked_at) for one in history.operations)
    return max((end - began for end, began in ended if end is not None), default=0.0)


async def test_a_new_database_password_loses_and_disconnects_nothing(
    cluster: Cluster, users: list[User]
) -> None:
    """Only pods that read it restart, no socket closes, and every answered message is in the log."""
    rooms = await make_rooms(cluster, users[:PEOPLE], count=2)
    url = await cluster.kubectl(
        "get",
        "secret",
        f"{settings.RELEASE}-postgresql",
        "--output",
        "go-template={{.data.url|base64decode}}",
    )
    kept = await started(cluster, "gateway", "valkey")
    replaced = await started(cluster, "worker", "api", "postgresql")
    async with Load(cluster, users[:PEOPLE], rooms, settings.SEED) as load:
        await load.succeed(CALM_SUCCESSES)
        async with load.fault("rotate", "postgresql", leaves_no_owner=True):
            await follow("rotation", "PostgreSQL of the chart", ROOT)
            await cluster.wait_until_whole()
        await load.reach_everybody()
        await load.succeed(CALM_SUCCESSES)
        history = await load.finish()
    verdict = report_on(history, min_successes=2 * CALM_SUCCESSES)
    print(f"\n{verdict.table()}\nlongest wait for an answer: {longest_wait(history):.1f} s")
    assert verdict.anomalies == []
    assert [operation for operation in history.operations if operation.is_open] == [], "something has no end"
    assert len(history.connections) == PEOPLE * settings.CONNECTIONS // settings.USERS, "a socket closed"
    assert await started(cluster, *kept) == kept
    after = await started(cluster, *replaced)
    assert not any(after[one] & replaced[one] for one in replaced)
    assert (await cluster.python(CONNECT, url)).splitlines()[0] == "refused"
