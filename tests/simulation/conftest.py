"""Fixtures of the simulation's tests: a real Valkey and a real worker, to which the models are held."""
# ruff: noqa: E402 - models can be imported only once Django knows its settings

import os
from collections.abc import Iterator
from pkgutil import extend_path

import django
import pytest

import tests

# pytest makes the namespace from this folder alone; the stage of store and worker is in their projects.
tests.__path__ = extend_path(list(tests.__path__), "tests")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from roomlog_local.child import Child
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from roomlog_worker import bus, consumer
from tests.harness.databases import sqlite, sqlite_url
from tests.simulation.sides import ModelSide, RealSide, Side

__all__ = ["sqlite", "sqlite_url"]

START_SECONDS = 20.0


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Valkey of the tests' own."""
    directory, port = tmp_path_factory.mktemp("valkey"), free_port()
    child = Child(valkey(port, directory), directory / "valkey.log")
    child.start()
    child.wait_ready(START_SECONDS)
    yield port
    child.kill()


@pytest.fixture(params=["model", "real"])
def side(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Side]:
    """A worker with its streams and tables: the model, and the product on a real Valkey and SQLite."""
    if request.param == "model":
        yield from _closing(ModelSide())
        return
    request.getfixturevalue("sqlite")
    port = request.getfixturevalue("redis_port")
    monkeypatch.setattr(bus, "BLOCK_MS", 1)
    monkeypatch.setattr(consumer, "SQLITE_PAUSE_SECONDS", 0.0)
    yield from _closing(RealSide(f"redis://{LOOPBACK}:{port}/0"))


def _closing(side: Side) -> Iterator[Side]:
    yield side
    side.close()
