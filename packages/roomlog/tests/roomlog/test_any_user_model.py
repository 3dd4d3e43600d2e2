"""The app in projects whose users are not Django's: any primary key, any name, deactivated or not."""

import os
import sys
from pathlib import Path

import pytest

from tests.harness.manage import run_python

PROGRAM_SECONDS = 120.0


@pytest.mark.parametrize("model", ["UuidAccount", "TextAccount"])
def test_the_log_does_not_care_what_a_user_is(model: str, tmp_path: Path) -> None:
    """Signing in, writing, being found and being deleted are the same for each."""
    environ = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "DJANGO_SETTINGS_MODULE": ""}
    words = ("-m", "tests.roomlog.accounts.program", model, str(tmp_path / "db.sqlite3"))
    done = run_python(*words, environ=environ, seconds=PROGRAM_SECONDS)
    assert done.returncode == 0, done.stderr
