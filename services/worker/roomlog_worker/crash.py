"""A switch for tests: die at a named point, as if the node lost its power there.

Set only by ROOMLOG_CRASH_POINT; a worker without it passes every point.
"""

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CrashPoint:
    """The point at which this process dies; empty for none."""

    name: str = ""

    def reached(self, name: str) -> None:
        """End the process without any clean-up where `name` is the chosen point."""
        if name == self.name:
            os.kill(os.getpid(), signal.SIGKILL)
