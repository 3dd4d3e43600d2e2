"""Keeps the processes alive, says what happens to them, and ends them in order.

Around the message's way. honcho ends everything as soon as one process ends, and all at the same time; here
a dead process comes back, and those that take messages in stop before those that write them down.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.errors import StartInterrupted
from roomlog_runtime.shutdown import Shutdown

START_SECONDS = 30.0
"""Until ready, on a slow machine that starts five Python processes at once."""
STOP_SECONDS = 20.0
"""For one stage: a gateway's drain of one laptop's connections, a worker's last batch."""
LOOK_SECONDS = 0.2
"""How soon a dead process is seen."""
FIRST_PAUSE_SECONDS = 0.5
"""Before a dead process is started again; doubles while it keeps dying young."""
LONGEST_PAUSE_SECONDS = 10.0
YOUNG_SECONDS = 15.0
"""A process that lived longer starts again without a longer pause."""


@dataclass(slots=True)
class Watch:
    """What the supervisor knows of one child."""

    child: Child
    started_at: float = 0.0
    """Monotonic seconds of the last start."""
    pause_seconds: float = 0.0
    """Before its last restart."""
    restart_at: float | None = None
    """Monotonic seconds of the next start of a dead child; None while it lives."""


class Supervisor:
    """Runs children in stages: started first to last, ended last to first."""

    def __init__(self, logs: Path, say: Callable[[str], None], shutdown: Shutdown) -> None:
        self._logs = logs
        self._say = say
        self._shutdown = shutdown
        self._stages: list[list[Watch]] = []

    def start(self, commands: Sequence[Command]) -> None:
        """Start one stage together; do not wait until it is ready."""
        stage = [Watch(Child(command, self._fresh_log(command.name))) for command in commands]
        self._stages.append(stage)
        for watch in stage:
            self._start(watch)

    def wait_ready(self) -> None:
        """Wait until every child is ready.

        Raises:
            StartFailed: when one is not in time, or ended.
            StartInterrupted: when the shutdown is requested meanwhile.
        """
        deadline = time.monotonic() + START_SECONDS
        for watch in self._watches():
            watch.child.wait_ready(deadline - time.monotonic(), self._pause)

    def pids(self) -> dict[str, int]:
        """Return the ids of the running processes, by name."""
        children = [watch.child for watch in self._watches()]
        return {child.command.name: child.pid for child in children if child.is_running and child.pid}

    def watch(self) -> None:
        """Start dead children again, until the shutdown is requested."""
        while not self._shutdown.wait(LOOK_SECONDS):
            for watch in self._watches():
                self._look_after(watch, time.monotonic())

    def stop(self) -> None:
        """End the stages, last to first, each before the next is asked."""
        for stage in reversed(self._stages):
            children = [watch.child for watch in stage]
            running = [child.command.name for child in children if child.is_running]
            for child in stop_all(children, STOP_SECONDS):
                self._say(f"{child.command.name} did not stop in {STOP_SECONDS:g} s and was killed")
            if running:
                self._say(f"{', '.join(running)} stopped")
        self._stages.clear()

    def _pause(self, seconds: float) -> None:
        if self._shutdown.wait(seconds):
            raise StartInterrupted("Stopped before everything was ready.")

    def _watches(self) -> list[Watch]:
        return [watch for stage in self._stages for watch in stage]

    def _start(self, watch: Watch) -> None:
        watch.child.start()
        watch.started_at = time.monotonic()
        watch.restart_at = None
        self._say(f"{watch.child.command.name} started ({watch.child.pid})")

    def _look_after(self, watch: Watch, now: float) -> None:
        if watch.child.is_running:
            return
        if watch.restart_at is None:
            self._plan_restart(watch, now)
        elif now >= watch.restart_at:
            self._start(watch)

    def _plan_restart(self, watch: Watch, now: float) -> None:
        child = watch.child
        child.kill()  # what the dead process had started must not work on beside its successor
        is_young = now - watch.started_at < YOUNG_SECONDS
        doubled = 2 * watch.pause_seconds if is_young else 0.0
        watch.pause_seconds = min(max(FIRST_PAUSE_SECONDS, doubled), LONGEST_PAUSE_SECONDS)
        watch.restart_at = now + watch.pause_seconds
        self._say(
            f"{child.command.name} ended with {child.returncode}; starts again in "
            f"{watch.pause_seconds:g} s (log: {child.log})"
        )

    def _fresh_log(self, name: str) -> Path:
        """Keep the last run's log beside this run's, and no older one."""
        log = self._logs / f"{name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        return log
