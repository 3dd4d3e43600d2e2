"""gunicorn's hooks for a service of one process: a second one, or a reload, would end it.

Before the message's way; imported by gunicorn's settings alone. Metrics and the health port belong to one
process. gunicorn starts the new worker before the old one ends, on SIGHUP, SIGTTIN and SIGUSR2, finds the
health port in use, and gives up both.
"""

import signal
import sys
from types import FrameType
from typing import Any, Final

REFUSED: Final = (signal.SIGHUP, signal.SIGTTIN, signal.SIGUSR2)
"""Each starts a process beside the one that serves."""


def on_starting(server: Any) -> None:
    """End with a sentence where more than one worker is asked for, on the command line too."""
    if server.cfg.workers != 1:
        sys.stderr.write(
            f"This service runs one worker, not {server.cfg.workers}: start more processes, each with its own"
            " health port.\n"
        )
        sys.exit(1)


def when_ready(server: Any) -> None:
    """Refuse signals that would reload or multiply; gunicorn has set its own handlers by now."""

    def refuse(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        server.log.warning("%s is ignored: settings are read only at start, so restart the service.", name)

    for number in REFUSED:
        signal.signal(number, refuse)
