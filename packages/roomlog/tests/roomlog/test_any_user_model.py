"""The app in projects whose users are not Django's: any primary key, any name, deactivated or not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM_SECONDS = 120.0


@pytest.mark.parametrize("model", ["UuidAccount", "TextAccount"])
def test_the_log_does_not_care_what_a_user_is(model: str, tmp_path: Path) -> None:
    """Signing in, writing, being found and being deleted are the same for each."""
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run(
        [sys.executable, "-m", "tests.roomlog.accounts.program", model, str(tmp_path / "db.sqlite3")],
        env={**os.environ, "PYTHONPATH": path, "DJANGO_SETTINGS_MODULE": ""},
        timeout=PROGRAM_SECONDS,
        check=True,
    )
