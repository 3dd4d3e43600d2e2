"""Databases of both kinds, and stacks of real processes that are gone after the test."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.harness.postgres import running_postgres
from tests.harness.sentinels import RedisGroup
from tests.harness.stack import MakeStack, Stack, build_stack
from tests.harness.stack_databases import Databases, PostgresDatabases, SqliteFiles


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test that can start a stack."""
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


@pytest.fixture(scope="module")
def shared_stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two gateways and two workers for the tests of a module that leave all of them running."""
    stack = build_stack(tmp_path_factory.mktemp("shared") / "stack", databases, gateways=2, workers=2)
    try:
        stack.start()
        yield stack
        stack.assert_no_traceback()
    finally:
        late = stack.close()
    assert late == []
