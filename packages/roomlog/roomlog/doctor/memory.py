"""Asks gateway and worker what they may hold at worst.

Each knows its own limits and settings, so each is asked in a process of its own where it is installed, and
where to ask is said where it is not.
"""

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Final

from django.apps import apps
from django.conf import settings

SECONDS: Final = 30.0
COMMANDS: Final = {
    "gateway": ("roomlog_gateway", ("-m", "roomlog_gateway.memory")),
    "worker": ("roomlog_worker", ("-m", "django", "memory_bounds", "--settings")),
}
"""The package of each service, and how its interpreter is asked."""


def look() -> Iterator[str]:
    """Yield the lines of each service, or where to ask."""
    for service, (package, start) in COMMANDS.items():
        words = (*start, _settings_of_workers()) if service == "worker" else start
        if find_spec(package) is None:
            yield f"worst-case memory of a {service}: run `python {' '.join(words)}` in its image"
        else:
            yield from _ask(service, words)


def _settings_of_workers() -> str:
    """Return the settings under which workers run: this project's own, or those of the stand-alone worker."""
    own: str = settings.SETTINGS_MODULE
    return own if apps.is_installed("roomlog_worker") else "roomlog_worker.settings"


def _ask(service: str, words: tuple[str, ...]) -> Iterator[str]:
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter and words of our own
            [sys.executable, *words], capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        yield f"worst-case memory of a {service}: no answer: {type(error).__name__}"
    else:
        yield from done.stdout.splitlines()
