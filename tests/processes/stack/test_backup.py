"""A backup under load, restored with the runbook's own options, loses nothing that was accepted before it."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from roomlog_client import RoomlogClient
from roomlog_local.ports import LOOPBACK
from tests.harness.postgres import find_binaries
from tests.harness.stack import MakeStack, Room, Stack
from tests.harness.waiting import eventually
from tests.harness.wire import Wire
from tests.processes.stack.test_client_resumes import a_room_of
from tests.processes.stack.test_new_epoch import COMMAND_SECONDS, TOLD_SECONDS, operate, resets

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"


def run_from_runbook(stack: Stack, program: str, folder: Path) -> None:
    """Run the page's pg_dump, pg_restore or psql in a folder, on the stack's database."""
    found = re.search(rf"^  {program} .*", RUNBOOK.read_text(), re.MULTILINE)
    assert found is not None, f"the runbook says nothing of {program}"
    server, name = stack.database.url.rsplit("/", 1)
    command = re.sub(r"(--dbname|custom) roomlog", rf"\1 {name}", found[0])
    places = {
        "PGHOST": LOOPBACK,
        "PGPORT": server.rsplit(":", 1)[1],
        "PATH": f"{find_binaries()}:/usr/bin:/bin",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=places,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def partitions_in(stack: Stack) -> int:
    """Return how many partitions the log has; 0 while there is none."""
    inherits = "SELECT count(*) FROM pg_inherits WHERE inhparent = to_regclass('roomlog_roomevent')"
    ((count,),) = stack.sql(inherits)
    return int(count)


async def talk(client: RoomlogClient, room: Room) -> None:
    """Say one thing after the other until somebody ends it."""
    number = 0
    while True:
        await client.send(room.id, f"meanwhile {number}")
        number += 1


@pytest.mark.parametrize("databases", ["postgres", "partitioned"], indirect=True)
async def test_a_restored_backup_has_all_that_was_accepted_before_it(
    make_stack: MakeStack, tmp_path: Path
) -> None:
    """The talk goes on during the dump; after the restore the log is gapless and goes on where it ended.

    Where the log is in partitions, the schema is emptied first.
    """
    stack = await asyncio.to_thread(make_stack)
    room = await a_room_of(stack)
    alice, bob = room.members
    async with Wire(stack.websocket(), alice) as live, RoomlogClient(stack.websocket(), bob.token) as talker:
        await live.authenticate()
        for number in range(10):
            await live.ask("new_message", room=room.id, text=f"kept {number}")
        talking = asyncio.create_task(talk(talker, room))
        await eventually(lambda: len(live.texts(room)) > 20, TOLD_SECONDS, "the other talks")
        accepted = live.texts(room)
        await asyncio.to_thread(run_from_runbook, stack, "pg_dump", tmp_path)
        during = len(live.texts(room))
        await eventually(lambda: len(live.texts(room)) > during, TOLD_SECONDS, "the talk goes on")
        talking.cancel()
        await live.ask("new_message", room=room.id, text="after the dump")
        await asyncio.to_thread(stack.stop, "worker-0")
        parts = partitions_in(stack)
        if parts:
            await asyncio.to_thread(run_from_runbook, stack, "psql", tmp_path)
        await asyncio.to_thread(run_from_runbook, stack, "pg_restore", tmp_path)
        assert partitions_in(stack) == parts
        done = await asyncio.to_thread(operate, stack, "new-epoch")
        assert done.returncode == 0, done.stderr
        await asyncio.to_thread(stack.start, "worker-0")
        await eventually(lambda: resets(live, room), TOLD_SECONDS, "the open socket is told")
        rows = stack.database.query("SELECT seq, text FROM roomlog_roomevent ORDER BY seq")
        texts = [text for _, text in rows]
        assert [seq for seq, _ in rows] == list(range(1, len(rows) + 1))
        assert texts[: len(accepted)] == accepted
        assert "after the dump" not in texts
        state = await live.ask("select_room", room=room.id)
        assert (state["epoch"], state["seq"]) == (resets(live, room)[0]["epoch"], len(rows))
        sent = await live.ask("new_message", room=room.id, text="goes on")
        assert sent["seq"] == len(rows) + 1
    stack.assert_no_traceback()
