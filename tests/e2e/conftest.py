"""The install under test, its people, and the report that is printed and written at the end."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import uuid4

import pytest

from tests.e2e import breaking, figures, settings
from tests.e2e.cluster import Cluster
from tests.e2e.people import make_users
from tests.harness.stack import User
from tests.judge.checker.report import git_revision

_users: Final[list[User]] = []
"""Made once a session: the loop of a test ends with it, the users don't."""
_found: Final[list[figures.Figures]] = []


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """The install that `make kind-up` made, whole."""
    async with Cluster() as cluster:
        await cluster.wait_until_whole()
        yield cluster


@pytest.fixture
async def elsewhere(cluster: Cluster) -> AsyncIterator[Cluster]:
    """An empty namespace that enforces the restricted profile, and is gone afterwards."""
    name = f"e2e-{uuid4().hex[:8]}"
    await cluster.kubectl("create", "namespace", name)
    await cluster.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    async with Cluster(name) as elsewhere:
        try:
            yield elsewhere
        finally:
            await cluster.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
async def users(cluster: Cluster) -> list[User]:
    """The people of the session."""
    if not _users:
        _users.extend(await make_users(cluster))
    return _users


@pytest.fixture
def report() -> list[figures.Figures]:
    """Takes the figures of each fault."""
    return _found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints and writes the figures at the end, whatever happened."""
    if not _found:
        return
    wanted = {breaking.describe(fault, n) for fault in breaking.chosen() for n in range(settings.ROUNDS)}
    passed = [test.nodeid for test in terminalreporter.getreports("passed")]
    is_complete = not settings.FAULT and all(any(f"[{name}]" in test for test in passed) for name in wanted)
    figures.save(_found, git_revision(), is_complete)
    terminalreporter.section("what people saw")
    terminalreporter.write_line(figures.table(_found))
    terminalreporter.write_line(f"all figures: {settings.REPORT}")
