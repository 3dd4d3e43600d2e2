"""The table of the metrics is what the code declares."""

import sys

from tests.harness.manage import run
from tests.rules.metrics_page import PAGE

SECONDS = 60


def test_the_page_of_the_metrics_is_true() -> None:
    """In a process of its own: other tests have declared metrics in this one."""
    command = [sys.executable, "-m", "tests.rules.metrics_page", "--check"]
    found = run(command, {}, SECONDS, PAGE.parents[1])
    assert (found.returncode, found.stderr) == (0, "")
