"""`roomlog demo` for real: from an empty folder to a chat, through kills, to the data alone, and again."""

import asyncio
import contextlib
import json
import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from roomlog_local import demo
from roomlog_local.errors import StartFailed
from tests.harness.stack import User
from tests.harness.waiting import eventually
from tests.harness.wire import Wire

DEADLINE_SECONDS = 60.0
ANSWER_SECONDS = 30.0
"""With both workers killed: their restart and ten seconds until another may take their leases."""
SECOND_START_SECONDS = 10.0


class Run:
    """One run of the demo on a folder, its console in a file."""

    def __init__(self, folder: Path, number: int, *words: str) -> None:
        self.folder = folder
        self._console = folder.with_name(f"console{number}")
        with self._console.open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "roomlog_local", "demo", "--folder", str(folder), *words],
                stdout=console,
                stderr=subprocess.STDOUT,
            )
        self.facts: dict[str, Any] = {}

    def wait_ready(self) -> None:
        """Waits until it says where it is, and reads what it wrote for scripts."""
        self.until(lambda: "Ctrl-C stops everything" in self.console())
        self.facts = json.loads((self.folder / "demo.json").read_text())

    def console(self) -> str:
        """All that it has said so far."""
        return self._console.read_text()

    def until(self, condition: Callable[[], object]) -> None:
        """Waits for a condition while the demo runs, at most the deadline."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert self.process.poll() is None, self.console()
            assert time.monotonic() < deadline, self.console()
            time.sleep(0.05)

    def ready_seconds(self) -> float:
        """What it said of its own start."""
        said = re.search(r"ready in ([\d.]+) s", self.console())
        assert said is not None
        return float(said[1])

    def started(self, name: str) -> list[int]:
        """The process ids of this name, oldest first."""
        return [int(pid) for pid in re.findall(rf"{name} started \((\d+)\)", self.console())]

    def family(self) -> list[psutil.Process]:
        """The supervisor and everything under it."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def interrupt(self) -> int:
        """Ctrl-C, and the exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(DEADLINE_SECONDS)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Run]]:
    """Starts runs on one folder and kills what a failed test leaves."""
    runs: list[Run] = []

    def start_one() -> Run:
        runs.append(Run(tmp_path / ".roomlog", len(runs)))
        runs[-1].wait_ready()
        return runs[-1]

    yield start_one
    for run in runs:
        if run.process.poll() is None:
            run.interrupt()


def allowed_seconds() -> float:
    """The second start's time on this machine: longer by as much as others keep its cores busy."""
    load, _, _ = os.getloadavg()
    return SECOND_START_SECONDS * max(1.0, load / (os.cpu_count() or 1))


def wire_of(run: Run, name: str) -> Wire:
    """Returns a connection of a sample user."""
    token = next(user["token"] for user in run.facts["users"] if user["name"] == name)
    return Wire(run.facts["websocket"], User(0, name, token))


async def hear(wire: Wire, uuid: str) -> None:
    """Waits until the message of this uuid has come."""

    def is_there() -> bool:
        return any(frame.get("uuid") == uuid and frame["status"] == "success" for frame in wire.frames)

    await eventually(is_there, ANSWER_SECONDS, f"message {uuid}")


@pytest.mark.stack
async def test_a_newcomer_chats_through_a_kill_and_a_restart(start: Callable[[], Run]) -> None:
    """Two users chat, both workers are killed, the demo ends and starts again: each message is there once."""
    run = await asyncio.to_thread(start)
    lobby = next(room["id"] for room in run.facts["rooms"] if room["name"] == "lobby")
    async with aiohttp.ClientSession() as session, session.get(run.facts["page"]) as page:
        assert page.status == 200
    async with wire_of(run, "alice") as alice, wire_of(run, "bob") as bob:
        await alice.authenticate()
        await bob.authenticate()
        await alice.send("new_message", "m1", room=lobby, text="before the kill")
        for wire in (alice, bob):
            await hear(wire, "m1")
        for name in ("worker-0", "worker-1"):
            (printed,) = re.findall(rf"kill -9 (\d+)   # {name}", run.console())
            os.kill(int(printed), signal.SIGKILL)
        await alice.send("new_message", "m2", room=lobby, text="while no worker lives")
        for wire in (alice, bob):
            await hear(wire, "m2")
        await asyncio.to_thread(
            run.until, lambda: len(run.started("worker-0") + run.started("worker-1")) == 4
        )
        family = run.family()
    assert await asyncio.to_thread(run.interrupt) == 0
    assert [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    assert "was killed" not in run.console()

    again = await asyncio.to_thread(start)
    assert again.ready_seconds() < allowed_seconds()
    assert (again.facts["users"], again.facts["rooms"]) == (run.facts["users"], run.facts["rooms"])
    async with wire_of(again, "carol") as carol:
        await carol.authenticate()
        history = await carol.ask("select_room", room=lobby)
    texts = [message["text"] for message in history["room_messages"]]
    assert [text for text in texts if "kill" in text or "worker" in text] == [
        "before the kill",
        "while no worker lives",
    ]
    assert stat.S_IMODE((again.folder / "demo.json").stat().st_mode) == 0o600


def test_what_is_printed_can_be_pasted(tmp_path: Path) -> None:
    """The terminal line is one shell command whose text is a frame, and the message line is another frame."""
    facts = {
        "page": "http://127.0.0.1:8000/",
        "websocket": "ws://127.0.0.1:8080/ws",
        "users": [{"name": name, "password": "p", "token": f"t-{name}"} for name in ("alice", "bob")],
        "rooms": [{"id": "r1", "name": "lobby", "members": ["alice", "bob"]}],
    }
    lines = demo.describe(facts, tmp_path, {"worker-0": 41}).splitlines()
    terminal = next(line.partition("Terminal")[2] for line in lines if "Terminal" in line)
    command, _, address = terminal.strip().partition(" | websocat ")
    pasted = subprocess.run(
        ["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=5
    )
    assert json.loads(pasted.stdout) == {"uuid": "1", "action": "authenticate", "token": "t-alice"}
    assert address == "ws://127.0.0.1:8080/ws"
    message = next(line.partition("lobby: ")[2] for line in lines if "lobby: " in line)
    assert json.loads(message)["room"] == "r1"
    assert "kill -9 41   # worker-0" in [line.strip() for line in lines]


def test_a_failed_command_is_one_error_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A management command that fails ends the start with what it said last."""
    plan = type("EmptyPlan", (), {"environ": {}})()
    failing = (sys.executable, "-c", "import sys; sys.exit('no such table')", "migrate")
    with pytest.raises(StartFailed, match=r"migrate failed:\nno such table"):
        demo.run_command(failing, plan)


def test_data_of_an_older_layout_is_left_alone_and_said(tmp_path: Path) -> None:
    """One sentence says what to do, the exit status is not 0, and nothing is lost."""
    folder = tmp_path / ".roomlog"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "roomlog.sqlite3")) as older:
        older.execute("CREATE TABLE roomlog_store_roomevent (text TEXT)")
        older.execute("INSERT INTO roomlog_store_roomevent VALUES ('precious')")
        older.commit()
    run = Run(folder, 0)
    assert run.process.wait(DEADLINE_SECONDS) == 1
    *said, last = run.console().splitlines()
    said = [line for line in said if "is taken by another program" not in line]
    assert said == ["roomlog | migrating the database"]
    assert last == (
        f"{folder} holds data of an older Roomlog: move the folder away or delete it (make clean),"
        " and start again."
    )
    with contextlib.closing(sqlite3.connect(folder / "roomlog.sqlite3")) as older:
        assert older.execute("SELECT text FROM roomlog_store_roomevent").fetchall() == [("precious",)]
