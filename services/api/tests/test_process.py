"""The api under gunicorn is one process: what would start a second one beside it is refused."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.harness.manage import run
from tests.harness.waiting import wait_until
from tests.test_requests_in_full import Server, serving

START_SECONDS = 60.0
TURN_SECONDS = 20.0
SIGNALS = ("SIGHUP", "SIGTTIN", "SIGUSR2")
"""gunicorn starts a process at each, while the old one still has the health port."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The api, ready to serve."""
    with serving(tmp_path) as server:
        yield server


def has_said(log: Path, words: str) -> bool:
    """Tell whether a line of the log has these words."""
    return words in log.read_text()


def test_a_reload_is_ignored_and_the_api_serves_on(server: Server) -> None:
    """Each of these would end the api for good: the second process finds the health port in use.

    SIGTERM still ends it.
    """
    for name in SIGNALS:
        server.process.send_signal(signal.Signals[name])
        wait_until(partial(has_said, server.log, f"{name} is ignored"), TURN_SECONDS, f"{name} is ignored")
    assert server.command.is_ready()
    assert server.log.read_text().count("Booting worker") == 1
    server.process.terminate()
    assert server.process.wait(START_SECONDS) == 0


def test_more_than_one_process_is_refused_with_a_sentence(server: Server) -> None:
    """The second would find the health port in use, and end the first with it."""
    *words, config, application = server.command.arguments
    done = run((*words, config, "--workers", "2", application), server.command.environ, START_SECONDS)
    assert done.returncode == 1
    assert "runs one worker, not 2" in done.stderr
    assert "Traceback" not in done.stderr
