"""`roomlog demo`: from nothing to a chat page with users and rooms, and back to nothing but the data.

Around the message's way. Migrates, starts everything, makes the sample users and rooms, says where it is,
keeps it alive, ends it. It must not print secrets into the logs; the console is the user's own.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from roomlog_local.errors import LocalError, OlderData, StartFailed
from roomlog_local.folder import Folder
from roomlog_local.plan import Plan, make_plan
from roomlog_local.project import STANDALONE, Project, example
from roomlog_local.supervisor import Supervisor
from roomlog_runtime.logs import escaped
from roomlog_runtime.shutdown import Shutdown

FOLDER = ".roomlog"
OLDER_LAYOUT = "roomlog.E002"
"""The check of `migrate` that refuses the tables of an older Roomlog."""
COMMAND_SECONDS = 60.0
"""For one management command; the first migration of a slow machine takes some seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo until Ctrl-C or SIGTERM and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="roomlog demo", description="Run Roomlog on this machine with one command."
    )
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help="data folder (%(default)s)")
    parser.add_argument("--host", type=Path, help="run the project of examples/host, which is at this place")
    given = parser.parse_args(arguments)
    folder = Folder(given.folder)
    project = example(given.host, folder) if given.host else STANDALONE
    shutdown = Shutdown()
    shutdown.install()
    try:
        folder.make()
        with folder.hold():
            run(folder, shutdown, project)
    except LocalError as error:
        print(escaped(str(error)), file=sys.stderr)  # a server's or a library's words may be in it
        return 0 if shutdown.requested else 1
    return 0


def run(folder: Folder, shutdown: Shutdown, project: Project) -> None:
    """Start everything, say where it is, and keep it alive until the shutdown is requested.

    Raises:
        LocalError: when something could not be started; whatever had been is ended.
    """
    started_at = time.monotonic()
    plan = make_plan(folder, os.environ, project)
    for sentence in plan.moved:
        say(sentence)
    migrate(plan, folder)
    supervisor = Supervisor(folder.logs, say, shutdown)
    try:
        for stage in plan.stages:
            supervisor.start(stage)
        supervisor.wait_ready()
        facts = make_sample(plan)
        folder.write_demo(facts)
        say(f"ready in {time.monotonic() - started_at:.1f} s; logs in {folder.logs}")
        print(describe(facts, folder.demo, supervisor.pids()), flush=True)
        supervisor.watch()
        say("stopping")
    finally:
        supervisor.stop()


def migrate(plan: Plan, folder: Folder) -> None:
    """Brings the database up to date; skips a second of Django where our own file is known to be.

    Raises:
        OlderData: when our own file has tables that can't be migrated; they stay.
        StartFailed: when it fails for another reason.
    """
    if plan.migrates_sqlite and folder.is_migrated():
        return
    say("migrating the database")
    try:
        run_command(plan.project.management("migrate", "--verbosity", "0"), plan)
    except StartFailed as error:
        if plan.migrates_sqlite and OLDER_LAYOUT in str(error):
            raise OlderData(
                f"{folder.path} holds data of an older Roomlog:"
                " move the folder away or delete it (make clean), and start again."
            ) from error
        raise
    if plan.migrates_sqlite:
        folder.mark_migrated()


def make_sample(plan: Plan) -> dict[str, Any]:
    """Make the sample users and rooms, or find them again, and return all that demo.json holds."""
    output = run_command(plan.project.management(plan.project.sample), plan)
    try:
        sample = json.loads(output.splitlines()[-1])  # what is logged stands above it
    except (ValueError, IndexError) as error:
        raise StartFailed(
            f"{plan.project.sample} did not print one JSON object:\n{output[-2000:]}"
        ) from error
    return {
        "page": plan.page,
        "websocket": plan.websocket,
        "api": plan.api,
        "users": sample["users"],
        "rooms": sample["rooms"],
        "settings": dict(plan.environ),
    }


def run_command(arguments: Sequence[str], plan: Plan) -> str:
    """Run a management command to its end and return what it printed.

    Raises:
        StartFailed: when it fails or takes too long; the text has the end of its errors.
    """
    try:
        done = subprocess.run(
            arguments,
            env={**os.environ, **plan.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            start_new_session=True,  # Ctrl-C must not cut a migration in two
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StartFailed(f"{arguments[3]} took more than {COMMAND_SECONDS:g} s.") from error
    if done.returncode != 0:
        raise StartFailed(f"{arguments[3]} failed:\n{done.stderr[-2000:]}{done.stdout[-1000:]}")
    return done.stdout


def describe(facts: dict[str, Any], file: Path, pids: Mapping[str, int]) -> str:
    """Return what a newcomer needs: the page, two logins, a token, and lines to paste."""
    kills = "".join(f"\n              kill -9 {pid}   # {name}" for name, pid in pids.items())
    one, other = facts["users"][:2]
    room = next(room for room in facts["rooms"] if one["name"] in room["members"])
    hello = json.dumps({"uuid": "1", "action": "authenticate", "token": one["token"]})
    # Another uuid in each run: a repeat of yesterday's would be answered with yesterday's message.
    uuid = secrets.token_hex(4)
    message = json.dumps({"uuid": uuid, "action": "new_message", "room": room["id"], "text": "hello"})
    return f"""
  Chat page   {facts["page"]}
  Logins      {one["name"]} / {one["password"]}, in another browser {other["name"]} / {other["password"]}
  Token       {one["token"]} ({one["name"]})
  Terminal    (echo '{hello}'; cat) | websocat {facts["websocket"]}
              then a message into {room["name"]}: {message}
  {file} has all users and rooms, and the admin's password

  Break it    each of these is restarted, and no message is lost; each restart prints the new pid{kills}

  Ctrl-C stops everything; the data stays.
"""


def say(line: str) -> None:
    """Write one life-cycle line to the console."""
    print(f"roomlog | {line}", flush=True)
