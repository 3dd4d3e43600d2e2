"""A second environment with the newest Django that a Python of this machine takes, beside the pinned one.

Beside the message's way. It holds what docs/your-project.md installs, and no tool of the workshop.
"""

import os
import sys
from pathlib import Path
from typing import Final

from tests.harness import manage

ROOT: Final = Path(__file__).parents[2]
VARIABLE: Final = "ROOMLOG_NEWEST_PYTHON"
"""Path of a Python newer than the tests' own: Django 6.0 needs 3.12."""
PACKAGES: Final = ("packages/contract", "packages/runtime", "packages/roomlog", "services/worker")
INSTALL_SECONDS: Final = 600.0
_UV: Final = Path(sys.executable).with_name("uv")


def make_environment(folder: Path) -> str:
    """Return the environment's Python, once everything is installed there, and say which Django it has."""
    base = os.environ.get(VARIABLE, sys.executable)
    python = str(folder / "bin" / "python")
    _run(str(_UV), "venv", "--quiet", "--no-python-downloads", "--python", base, str(folder))
    packages = [str(ROOT / path) for path in PACKAGES]
    _run(str(_UV), "pip", "install", "--quiet", "--upgrade", "--python", python, "django", *packages)
    django = _run(python, "-c", "import django; print(django.__version__)").strip()
    print(f"newest: Django {django} on {_run(python, '--version').strip()}")
    return python


def _run(*words: str) -> str:
    done = manage.run(words, {}, INSTALL_SECONDS, ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout
