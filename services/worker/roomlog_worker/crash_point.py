"""A switch for tests: die or freeze at a named point, as if the node lost its power or its processor there.

Set only by ROOMLOG_CRASH_POINT, for example `after_commit:KILL` or `in_transaction:STOP`; a worker
without it passes every point.
"""

import os
import signal
from typing import Final

SIGNALS: Final = {"KILL": signal.SIGKILL, "STOP": signal.SIGSTOP}


class CrashPoint:
    """The point at which this process sends itself a signal, once; empty for none."""

    def __init__(self, setting: str = "") -> None:
        self._name, _, number = setting.partition(":")
        self._signal = SIGNALS[number or "KILL"]

    def reached(self, name: str) -> None:
        """Die or freeze where `name` is the chosen point; a frozen process goes on at SIGCONT."""
        if name == self._name:
            self._name = ""
            os.kill(os.getpid(), self._signal)
