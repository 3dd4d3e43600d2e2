"""The migrations' Job on a new cluster, where everything starts at once."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.chart.render import NOTHING, pod_specs, render

pytestmark = pytest.mark.usefixtures("helm")


def test_the_migration_waits_for_its_database_before_it_fails(tmp_path: Path) -> None:
    """On a new cluster PostgreSQL starts later than the Job: its pod must not fail meanwhile."""
    (container,) = pod_specs(render(NOTHING))["migrate"]["spec"]["containers"]
    shell, option, script, name, *command = container["command"]
    assert (shell, option, name) == ("sh", "-c", "--")
    assert command == ["python", "-m", "django", "migrate", "--no-input"]
    assert run_script(tmp_path / "late", script, fails=3) == ["--plan"] * 4 + [""]
    assert run_script(tmp_path / "never", script, fails=1000) == ["--plan"] * 60 + [""]


def run_script(folder: Path, script: str, fails: int) -> list[str]:
    """Return the last word of each call of a command whose first `fails` calls end with an error."""
    folder.mkdir()
    calls, sleep = folder / "calls", folder / "sleep"
    program = f'echo "$1" >>{calls}; [ "$(wc -l <{calls})" -gt {fails} ]'
    sleep.write_text("#!/bin/sh\n", encoding="utf-8")
    sleep.chmod(0o755)
    words = ["sh", "-c", script, "--", "sh", "-c", program, "migrate"]
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(words, env=environment, check=False, timeout=60.0, capture_output=True)
    return calls.read_text(encoding="utf-8").splitlines()
