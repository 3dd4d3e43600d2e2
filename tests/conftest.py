"""Databases of both kinds, and stacks of real processes that are gone after the test."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.harness.postgres import running_postgres
from tests.harness.redis_cluster import RedisCluster
from tests.harness.sentinels import RedisGroup
from tests.harness.stack import MakeStack, Stack, build_stack, running_stack
from tests.harness.stack_databases import PARTITIONS, Databases, PostgresDatabases, SqliteFiles


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that can start a stack; those that share one come last, lest it idle."""
    items.sort(key=lambda item: "shared_stack" in getattr(item, "fixturenames", ()))
    for item in items:
        if {"make_stack", "shared_stack"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    """Fresh SQLite files."""
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Fresh databases of the session's PostgreSQL."""
    with running_postgres() as server:
        yield PostgresDatabases(server)


@pytest.fixture(scope="session")
def partitioned_databases(postgres_databases: PostgresDatabases) -> PostgresDatabases:
    """Fresh databases of the same server whose logs are in partitions."""
    return PostgresDatabases(postgres_databases.server, PARTITIONS)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Fresh databases of both kinds, one after the other."""
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture
def make_stack(databases: Databases, tmp_path: Path) -> Iterator[MakeStack]:
    """Starts stacks on fresh databases of both kinds; after the test all of them end when asked."""
    late: list[str] = []
    numbers = count()

    with ExitStack() as stacks:

        def make(**wanted: Any) -> Stack:
            stack = build_stack(tmp_path / f"stack{next(numbers)}", databases, **wanted)
            stacks.callback(lambda: late.extend(stack.close()))
            stack.start()
            return stack

        yield make
    assert late == []


@pytest.fixture
def redis_group(tmp_path: Path) -> Iterator[RedisGroup]:
    """A primary, a replica and three Sentinels."""
    group = RedisGroup(tmp_path)
    try:
        group.start()
        yield group
    finally:
        group.close()


@pytest.fixture
def redis_cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    """Three primaries with a replica each."""
    cluster = RedisCluster(tmp_path)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="session")
def shared_stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two gateways, two workers and an api for all tests that leave them running.

    Each test makes users and rooms of its own and looks at no others.
    """
    directory = tmp_path_factory.mktemp("shared") / "stack"
    with running_stack(directory, databases, gateways=2, workers=2, api=True) as stack:
        yield stack
