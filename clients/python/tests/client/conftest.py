"""Fixtures of the client's tests."""

from pathlib import Path

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


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave neither a token in the environment, nor a login, nor a demo in the folder."""
    for name in ("ROOMLOG_TOKEN", "ROOMLOG_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
