"""The worker's own settings: what other programs do with them, without Redis."""

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


def test_a_program_without_redis_saves_and_deletes_users_in_silence(tmp_path: Path) -> None:
    """These settings know no Redis: nobody is told, and nothing is logged of an attempt to."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "DJANGO_SETTINGS_MODULE": "roomlog_worker.settings",
            "ROOMLOG_SECRET_KEY": "only for this program, and for no other one",
            "ROOMLOG_DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
