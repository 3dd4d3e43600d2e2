"""Fixtures of the client's tests."""

import pytest

from tests.client.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A client that has not connected yet."""
    return Bench()


@pytest.fixture
def online(bench: Bench) -> Bench:
    """The same, authenticated, with nothing waiting for the application."""
    bench.online().items()
    return bench
