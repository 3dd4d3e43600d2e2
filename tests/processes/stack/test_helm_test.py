"""What the chart's `helm test` runs, against a stack: with an account of ours, and in somebody's project."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.stack import MakeStack, Stack

SCRIPTS = Path(__file__).parents[3] / "deploy/helm/roomlog/files/test"
SECONDS = 60
NOBODY = "no worker answered: are workers ready, and do they own all shards?\n"


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """A gateway and a worker."""
    return make_stack()


def run(stack: Stack, script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the test's pod does."""
    return subprocess.run(
        [sys.executable, str(SCRIPTS / script), *words],
        env={**os.environ, **stack.environ, "DJANGO_SETTINGS_MODULE": "roomlog_api.settings"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_an_account_sends_and_reads_back(stack: Stack, tmp_path: Path) -> None:
    """The stand-alone project makes an account and a ticket; five messages come back and stay."""
    ticket = str(tmp_path / "ticket")
    made = run(stack, "account.py", ticket)
    assert made.returncode == 0, made.stderr
    chatted = run(stack, "roundtrip.py", stack.websocket(), ticket)
    assert chatted.returncode == 0, chatted.stderr
    assert "5 messages" in chatted.stdout
    stack.stop("worker-0")
    alone = run(stack, "roundtrip.py", stack.websocket(), ticket)
    assert (alone.returncode, alone.stderr) == (1, NOBODY)


def test_without_an_account_a_worker_must_refuse(stack: Stack) -> None:
    """In somebody's project the test knocks; it fails as soon as no worker is behind the gateway."""
    knocked = run(stack, "roundtrip.py", stack.websocket())
    assert knocked.returncode == 0, knocked.stderr
    assert "a worker refused an unknown ticket" in knocked.stdout
    stack.stop("worker-0")
    alone = run(stack, "roundtrip.py", stack.websocket())
    assert (alone.returncode, alone.stderr) == (1, NOBODY)
