"""The supervisor: dead processes come back, the order of the end is kept, and everything is said."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from roomlog_local import supervisor as supervisor_module
from roomlog_local.command import Command
from roomlog_local.errors import StartFailed, StartInterrupted
from roomlog_local.supervisor import Supervisor
from roomlog_runtime.shutdown import Shutdown
from tests.harness.waiting import wait_until

DEADLINE_SECONDS = 10.0
STUB = """
import os, signal, sys, time
name, trace = sys.argv[1:]
def write(what):
    with open(trace, "a") as file: file.write(f"{what} {name} {os.getpid()}\\n")
def end(number, frame):
    time.sleep(0.1)
    write("end")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
write("start")
time.sleep(60)
"""


class Scene:
    """A supervisor of stub processes that write their starts and ends into one file."""

    def __init__(self, directory: Path) -> None:
        self.trace = directory / "trace"
        self.trace.touch()
        self.said: list[str] = []
        self.shutdown = Shutdown()
        self.logs = directory / "logs"
        self.logs.mkdir()
        self.supervisor = Supervisor(self.logs, self.said.append, self.shutdown)

    def stub(self, name: str) -> Command:
        """A process that lives until it is asked to end, and then takes a moment."""
        return Command(name, (sys.executable, "-c", STUB, name, str(self.trace)))

    def lines(self, what: str) -> list[list[str]]:
        """Who started or ended so far, in order, with process ids."""
        lines = [line.split() for line in self.trace.read_text().splitlines()]
        return [line[1:] for line in lines if line[0] == what]

    def until(self, condition: Callable[[], object]) -> None:
        """Waits for a condition, at most the deadline."""
        wait_until(condition, DEADLINE_SECONDS, f"after {self.said}")

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Lets the supervisor watch until the context ends."""
        watcher = Thread(target=self.supervisor.watch)
        watcher.start()
        try:
            yield
        finally:
            self.shutdown.request()
            watcher.join(DEADLINE_SECONDS)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A scene that leaves no process behind."""
    made = Scene(tmp_path)
    yield made
    made.supervisor.stop()
    made.shutdown.close()


def test_stages_end_in_the_reverse_order(scene: Scene) -> None:
    """A stage is gone before the one that it stands on is asked; one stage ends together."""
    for stage in (["valkey"], ["worker-0", "worker-1"], ["gateway"]):
        scene.supervisor.start([scene.stub(name) for name in stage])
    scene.until(lambda: len(scene.lines("start")) == 4)
    scene.supervisor.stop()
    ended = [name for name, _ in scene.lines("end")]
    assert ended[0] == "gateway"
    assert sorted(ended[1:3]) == ["worker-0", "worker-1"]
    assert ended[3] == "valkey"
    assert scene.said[-3:] == ["gateway stopped", "worker-0, worker-1 stopped", "valkey stopped"]


def test_a_killed_process_comes_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill -9 is said with its status, a new process takes the place, and the others are left alone."""
    monkeypatch.setattr(supervisor_module, "LOOK_SECONDS", 0.02)
    scene.supervisor.start([scene.stub("worker-0"), scene.stub("worker-1")])
    scene.until(lambda: len(scene.lines("start")) == 2)
    pids = dict(scene.lines("start"))
    with scene.watched():
        os.kill(int(pids["worker-0"]), signal.SIGKILL)
        scene.until(lambda: len(scene.lines("start")) == 3)
    assert scene.lines("start")[2][0] == "worker-0"
    assert any(line.startswith("worker-0 ended with -9; starts again in") for line in scene.said)
    assert dict(scene.lines("start"))["worker-1"] == pids["worker-1"]


def test_a_dying_process_is_started_more_slowly(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash loop doubles its pause up to the longest instead of burning the machine."""
    monkeypatch.setattr(supervisor_module, "LOOK_SECONDS", 0.005)
    monkeypatch.setattr(supervisor_module, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(supervisor_module, "LONGEST_PAUSE_SECONDS", 0.04)
    scene.supervisor = Supervisor(scene.logs, scene.said.append, scene.shutdown)
    scene.supervisor.start([Command("broken", ("/bin/false",))])
    with scene.watched():
        scene.until(lambda: sum("ended with" in line for line in scene.said) >= 4)
    pauses = [line.split(" in ")[1].split(" s")[0] for line in scene.said if "ended with" in line]
    assert pauses[:4] == ["0.01", "0.02", "0.04", "0.04"]


def test_a_process_that_ends_before_it_is_ready_fails_the_start(scene: Scene) -> None:
    """A start is an error with a reason, not an endless restart."""
    never = Command("gateway", (sys.executable, "-c", "exit('port taken')"), is_ready=lambda: False)
    scene.supervisor.start([never])
    with pytest.raises(StartFailed, match="port taken"):
        scene.supervisor.wait_ready()


def test_a_stop_during_the_start_is_heard(scene: Scene) -> None:
    """Ctrl-C while processes start does not wait for their readiness."""
    scene.supervisor.start([Command("slow", ("/bin/sleep", "60"), is_ready=lambda: False)])
    scene.shutdown.request()
    with pytest.raises(StartInterrupted):
        scene.supervisor.wait_ready()


def test_the_last_runs_log_is_kept(scene: Scene) -> None:
    """A new run writes a new log; the one before is beside it, older ones are gone."""
    log = scene.logs / "worker-0.log"
    log.write_text("last run\n")
    scene.supervisor.start([Command("worker-0", ("/bin/echo", "this run"))])
    scene.until(lambda: log.exists() and log.read_text() == "this run\n")
    assert (scene.logs / "worker-0.log.1").read_text() == "last run\n"
