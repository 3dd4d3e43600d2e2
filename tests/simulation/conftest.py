"""Fixtures of the simulation's tests: a real Valkey, to which the model is held."""

from collections.abc import Iterator

import pytest
from pytest_django.plugin import DjangoDbBlocker

from roomlog_local.child import Child
from roomlog_local.ports import free_port
from roomlog_local.valkey import valkey
from tests.simulation.many import collect_less

START_SECONDS = 20.0

collect_less()


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Valkey of the tests' own."""
    directory, port = tmp_path_factory.mktemp("valkey"), free_port()
    child = Child(valkey(port, directory), directory / "valkey.log")
    child.start()
    child.wait_ready(START_SECONDS)
    yield port
    child.kill()


@pytest.fixture(autouse=True)
def _databases(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Let every test have a database: each makes one of its own."""
    with django_db_blocker.unblock():
        yield
