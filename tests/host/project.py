"""A project as `django-admin startproject` makes it, in a folder, with the lines of docs/your-project.md.

Beside the message's way. Its commands are processes of their own, with nothing of these tests' settings.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from roomlog_local.command import Command

COMMAND_SECONDS: Final = 180.0
PYTHON: Final = os.environ.get("ROOMLOG_HOST_PYTHON", sys.executable)
"""Another environment's, to try the wheels in one that has nothing else."""
APPS: Final = 'INSTALLED_APPS += ["roomlog", "roomlog_worker"]'
SQLITE: Final = 'DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}'
ADDRESSES: Final = 'path("chat/", include("roomlog.urls")),'
Ready = Callable[[], bool]


class Project:
    """A folder with `manage.py`."""

    def __init__(self, folder: Path, python: str = PYTHON) -> None:
        self.folder = folder
        self.python = python
        folder.mkdir()
        self._run(python, "-m", "django", "startproject", "shop", ".")

    def set(self, *lines: str) -> None:
        """Add lines to the end of the settings."""
        self._append("settings.py", *lines)

    def add_roomlog(self) -> None:
        """Write what docs/your-project.md says."""
        self.set(APPS, SQLITE)
        self._append("urls.py", "from django.urls import include", f"urlpatterns += [{ADDRESSES}]")

    def write(self, name: str, text: str) -> None:
        """Write a file of the project's."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def manage(self, *words: str, fails: bool = False) -> str:
        """Run a command of the project's and return all that it printed."""
        return self._run(self.python, "manage.py", *words, fails=fails)

    def shell(self, program: str) -> str:
        """Run a program among the project's models and return what it printed."""
        return self.manage("shell", "--command", program)

    def process(self, name: str, words: tuple[str, ...], environ: dict[str, str], ready: Ready) -> Command:
        """Return a long-lived command of the project's, which runs as if in its folder."""
        return Command(
            name=name,
            arguments=(self.python, *words),
            environ={**_plain(), "PYTHONPATH": str(self.folder), "DJANGO_SETTINGS_MODULE": "", **environ},
            is_ready=ready,
        )

    def _append(self, name: str, *lines: str) -> None:
        with (self.folder / "shop" / name).open("a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def _run(self, *words: str, fails: bool = False) -> str:
        done = subprocess.run(
            words,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if name not in _plain()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout


def _plain() -> dict[str, str]:
    """Return variables of these tests, which no project has, as empty."""
    return {
        name: "" for name in os.environ if name.startswith("ROOMLOG_") or name == "DJANGO_SETTINGS_MODULE"
    }
