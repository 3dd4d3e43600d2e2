"""Programs and management commands in processes of their own, as an operator runs them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from roomlog_local.project import STANDALONE


def manage(environ: Mapping[str, str], *words: str, seconds: float) -> str:
    """Run a management command of the api's and return what it printed; fails with what it complained of."""
    done = run(STANDALONE.management(*words), environ, seconds)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_python(*words: str, environ: Mapping[str, str], seconds: float) -> subprocess.CompletedProcess[str]:
    """Run this Python with further words of its command line, as `run` does."""
    return run((sys.executable, *words), environ, seconds)


def run(
    words: Sequence[str | Path],
    environ: Mapping[str, str],
    seconds: float,
    folder: Path | None = None,
    *,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a program that must end in time, in this environment and `environ`, and return all that it said."""
    env = {**os.environ, **environ}
    return subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=seconds, check=check
    )
