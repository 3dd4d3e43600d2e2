"""The worker's own settings: what other programs do with them, with Redis away."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
User.objects.create_user("alice").delete()
"""
SECONDS = 120.0


def test_a_program_saves_and_deletes_users_while_redis_is_away(tmp_path: Path) -> None:
    """It says once that nobody could be told."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "DJANGO_SETTINGS_MODULE": "roomlog_worker.settings",
            "ROOMLOG_SECRET_KEY": "only for this program, and for no other one",
            "ROOMLOG_REDIS_URL": "redis://127.0.0.1:1/0",
            "ROOMLOG_DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == done.stdout.count("redis_lost") == 1
