"""One process: started, seen, signalled and ended, with everything it had started itself."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.errors import StartFailed
from tests.harness.waiting import wait_until

DEADLINE_SECONDS = 10.0
SLEEPER = "import time; time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); " + SLEEPER
PARENT = (
    "import subprocess, sys, time; "
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); "
    "print('started', flush=True); time.sleep(60)"
)

Start = Callable[..., Child]


def until(condition: Callable[[], object]) -> None:
    """Waits for a condition, at most the deadline."""
    wait_until(condition, DEADLINE_SECONDS, "what the test waits for")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts small Python programs and kills them after the test."""
    children: list[Child] = []

    def start_one(program: str, **environ: str) -> Child:
        name = f"child{len(children)}"
        command = Command(name, (sys.executable, "-u", "-c", program), {"SHARED": "s"})
        child = Child(command, tmp_path / f"{name}.log")
        children.append(child)
        child.start(environ)
        return child

    yield start_one
    for child in children:
        child.kill()


def test_its_output_and_errors_are_its_log(start: Start) -> None:
    """Both streams go to one file; settings of the command and of this start are seen."""
    child = start("import os, sys; print(os.environ['SHARED'], os.environ['OWN']); sys.exit('bad')", OWN="o")
    assert child.wait(DEADLINE_SECONDS)
    assert child.returncode == 1
    assert child.log.read_text() == "s o\nbad\n"


def test_a_child_that_obeys_is_not_killed(start: Start) -> None:
    """A running one is not started twice; one that is deaf is killed and named."""
    child = start(SLEEPER)
    with pytest.raises(StartFailed, match="runs already"):
        child.start()
    assert stop_all([child], DEADLINE_SECONDS) == []
    assert child.returncode == -signal.SIGTERM


def test_a_child_that_does_not_get_ready_is_given_up(tmp_path: Path) -> None:
    """One that ends before shows its log."""
    command = Command("short", (sys.executable, "-c", "exit('no database')"), is_ready=lambda: False)
    child = Child(command, tmp_path / "short.log")
    child.start()
    with pytest.raises(StartFailed, match=r"short ended with 1\.\nno database"):
        child.wait_ready(DEADLINE_SECONDS)
    child = Child(Command("slow", (sys.executable, "-c", SLEEPER), is_ready=lambda: False), tmp_path / "log")
    child.start()
    try:
        with pytest.raises(StartFailed, match="slow was not ready in 0 s"):
            child.wait_ready(0.1)
    finally:
        child.kill()


def test_a_child_that_is_deaf_is_killed_and_named(start: Start) -> None:
    """After the time for a clean end nothing is left."""
    child = start(DEAF)
    until(lambda: "deaf" in child.tail())
    assert stop_all([child], 0.2) == [child]
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("end", [Child.kill, lambda child: stop_all([child], DEADLINE_SECONDS)])
def test_grandchildren_end_too(start: Start, end: Callable[[Child], object]) -> None:
    """What a process had started does not outlive it, however it ends."""
    child = start(PARENT)
    until(lambda: "started" in child.tail())
    (grandchild,) = psutil.Process(child.pid).children()
    end(child)
    until(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's signal to orphans is Linux's")
def test_children_of_a_killed_supervisor_end(tmp_path: Path) -> None:
    """A supervisor that is killed outright leaves nothing behind."""
    program = (
        "import sys, time; from pathlib import Path; from roomlog_local.child import *\n"
        f"child = Child(Command('orphan', (sys.executable, '-c', {SLEEPER!r})), Path(sys.argv[1]))\n"
        "child.start(); print(child.pid, flush=True); time.sleep(60)"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        orphan = psutil.Process(int(supervisor.stdout.readline()))
        os.kill(supervisor.pid, signal.SIGKILL)
    until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)
