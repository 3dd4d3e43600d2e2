"""One process and its log file: start, signal, end, by its own id and never by name.

Under the supervisor and under the tests' harness. It must not decide when to restart.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypedDict

from roomlog_local.command import Command
from roomlog_local.errors import StartFailed

POLL_SECONDS = 0.05
"""Between two readiness questions: short against a Python process's start of half a second."""
KILL_SECONDS = 10.0
"""A killed process is gone in milliseconds; longer means a system in trouble."""
PR_SET_PDEATHSIG = 1
"""prctl(2), Linux: the signal that the kernel sends when the parent is gone."""


class Account(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that choose a user."""

    user: str
    group: int
    extra_groups: tuple[()]


class Child:
    """A process in a group of its own: Ctrl-C reaches the supervisor alone, a kill reaches all of it."""

    def __init__(self, command: Command, log: Path) -> None:
        self.command = command
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running or last process; None before the first start."""
        return self._process.pid if self._process else None

    @property
    def returncode(self) -> int | None:
        """How it ended, negative for a signal; None while it runs or before the first start."""
        return self._process.poll() if self._process else None

    @property
    def is_running(self) -> bool:
        """Says whether the process is there; a stopped (SIGSTOP) one is."""
        return self._process is not None and self._process.poll() is None

    def start(self, environ: Mapping[str, str] | None = None) -> None:
        """Start it, its log appended to; `environ` is added for this start only.

        On Linux it gets SIGTERM when the thread that calls this ends, so a killed supervisor leaves nothing.
        """
        if self.is_running:
            raise StartFailed(f"{self.command.name} runs already as {self.pid}.")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command.arguments,
                env={**os.environ, **self.command.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **account(self.command.user),
                preexec_fn=_end_with_parent(),  # noqa: PLW1509 - one call that takes no lock
            )

    def check_ready(self) -> bool:
        """Ask once whether it is ready.

        Raises:
            StartFailed: when it ended; the text has the end of its log.
        """
        if self.command.is_ready():
            return True
        if not self.is_running:
            raise StartFailed(f"{self.command.name} ended with {self.returncode}.\n{self.tail()}")
        return False

    def wait_ready(self, seconds: float, pause: Callable[[float], object] = time.sleep) -> None:
        """Ask until it is ready, with pauses between.

        Raises:
            StartFailed: when it ended or the time is over; the text has the end of its log.
        """
        deadline = time.monotonic() + seconds
        while not self.check_ready():
            if time.monotonic() > deadline:
                raise StartFailed(f"{self.command.name} was not ready in {seconds:.0f} s.\n{self.tail()}")
            pause(POLL_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to its main process, as a kubelet does; nothing if it is gone."""
        if self._process is not None:
            self._process.send_signal(number)

    def send_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and all that it started; nothing if they are gone."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            self._process.poll()

    def kill(self) -> None:
        """End the whole group at once and wait for it, as a lost node would."""
        self.send_group(signal.SIGKILL)
        self.wait(KILL_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait for its end and return whether it came."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            return False
        return True

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def stop_all(children: list[Child], seconds: float) -> list[Child]:
    """Ask them to end together, wait, kill the rest, and return those that had to be killed."""
    deadline = time.monotonic() + seconds
    for child in children:
        child.send(signal.SIGTERM)
    late = [child for child in children if not child.wait(deadline - time.monotonic())]
    for child in children:
        # Also after a clean end: what the process itself had started must not stay behind.
        child.kill()
    return late


def account(user: str | None) -> Account:
    """Return what `subprocess` needs to run something as this user and with none of our own groups."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": ()}


def _end_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: between fork and exec only one call is safe
    return lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
