"""Management commands in processes of their own, as an operator runs them."""

import os
import subprocess
from collections.abc import Mapping

from roomlog_local.command import management


def manage(environ: Mapping[str, str], *words: str, seconds: float) -> str:
    """Run a management command of the api's and return what it printed; fails with what it complained of."""
    done = subprocess.run(
        management(*words),
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
