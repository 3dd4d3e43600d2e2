"""The api under gunicorn is one process: what would start a second one beside it is refused."""

import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from roomlog_local.command import Command, api
from roomlog_local.ports import free_port
from tests.harness.manage import manage, run
from tests.harness.waiting import wait_until

START_SECONDS = 60.0
TURN_SECONDS = 20.0
SIGNALS = ("SIGHUP", "SIGTTIN", "SIGUSR2")
"""gunicorn starts a process at each, while the old one still has the health port."""


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """An api on a SQLite file without tables."""
    environ = {
        "ROOMLOG_SECRET_KEY": "only-for-tests",
        "ROOMLOG_DATABASE_URL": f"sqlite:///{tmp_path / 'api.sqlite3'}",
    }
    return api(environ, free_port(), free_port())


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the process says."""
    return tmp_path / "api.log"


@pytest.fixture
def process(command: Command, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The api, ready to serve."""
    environ = os.environ | command.environ
    manage(command.environ, "migrate", "-v", "0", seconds=START_SECONDS)
    with (
        log.open("w") as said,
        subprocess.Popen(command.arguments, env=environ, stdout=said, stderr=said) as process,
    ):
        try:
            wait_until(command.is_ready, START_SECONDS, "the api is ready")
            yield process
        finally:
            process.kill()


def has_said(log: Path, words: str) -> bool:
    """Tell whether a line of the log has these words."""
    return words in log.read_text()


def test_a_reload_is_ignored_and_the_api_serves_on(
    command: Command, log: Path, process: "subprocess.Popen[bytes]"
) -> None:
    """Each of these would end the api for good: the second process finds the health port in use.

    SIGTERM still ends it.
    """
    for name in SIGNALS:
        process.send_signal(signal.Signals[name])
        wait_until(partial(has_said, log, f"{name} is ignored"), TURN_SECONDS, f"{name} is ignored")
    assert command.is_ready()
    assert log.read_text().count("Booting worker") == 1
    process.terminate()
    assert process.wait(START_SECONDS) == 0


def test_more_than_one_process_is_refused_with_a_sentence(command: Command) -> None:
    """The second would find the health port in use, and end the first with it."""
    config, application = command.arguments[-2:]
    done = run(
        (*command.arguments[:-2], config, "--workers", "2", application), command.environ, START_SECONDS
    )
    assert done.returncode == 1
    assert "runs one worker, not 2" in done.stderr
    assert "Traceback" not in done.stderr
