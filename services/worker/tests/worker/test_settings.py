"""The worker's own settings: what other programs do with them, with Redis away."""

import os
import subprocess
import sys
from pathlib import Path

from tests.harness.manage import run_python

PROGRAM = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_user("alice").delete()
"""
KEYS = "from django.conf import settings; print(settings.SECRET_KEY_FALLBACKS)"
SECONDS = 120.0


def run(program: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program with the worker's settings, a database of its own and no Redis."""
    own = {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "DJANGO_SETTINGS_MODULE": "roomlog_worker.settings",
        "ROOMLOG_SECRET_KEY": "only for this program, and for no other one",
        "ROOMLOG_REDIS_URL": "redis://127.0.0.1:1/0",
        "ROOMLOG_DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }
    return run_python("-c", program, environ={**own, **environ}, seconds=SECONDS)


def test_a_program_saves_and_deletes_users_while_redis_is_away(tmp_path: Path) -> None:
    """It says once that nobody could be told."""
    done = run(PROGRAM, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == done.stdout.count("redis_lost") == 1


def test_earlier_keys_reach_the_worker(tmp_path: Path) -> None:
    """It reads tickets that the api signed before the key changed."""
    assert run(KEYS, tmp_path).stdout == "[]\n"
    assert (
        run(KEYS, tmp_path, ROOMLOG_SECRET_KEY_FALLBACKS="before, long ago").stdout
        == "['before', 'long ago']\n"
    )
