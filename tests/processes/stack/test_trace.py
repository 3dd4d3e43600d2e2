"""`roomlog trace` against real processes: what was stored, refused and never sent."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

from tests.harness.stack import Stack
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS
from tests.processes.stack.test_delivery import connect
from tests.processes.stack.test_new_epoch import operate


def traced(stack: Stack, uuid: str, *, is_stored: bool = False) -> dict[str, Any]:
    """Return what `roomlog trace --json` says; its exit status says whether a room has it."""
    done = operate(stack, "trace", uuid, "--json")
    assert done.returncode == (0 if is_stored else 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def test_each_process_tells_its_part_of_a_message(shared_stack: Stack) -> None:
    """Of a stored message every stage, in words too; of others who refused them, or that nobody had them."""
    stack = shared_stack
    member, other, stranger = await asyncio.to_thread(stack.make_users, 3)
    (room,) = await asyncio.to_thread(stack.make_rooms, [[member, other]])
    async with AsyncExitStack() as group:
        inside = await connect(group, stack, member)
        reader = await connect(group, stack, other, gateway=1)
        outside = await connect(group, stack, stranger)
        stored = await inside.send("new_message", room=room.id, text="secret words")
        await eventually(lambda: reader.texts(room), SECONDS, "the message")
        by_worker = await outside.ask("new_message", room=room.id, text="x")
        by_gateway = await outside.ask("new_message", room=room.id, text=" ")

    async def trace_of(uuid: str, steps: int, *, is_stored: bool = False) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        async def is_whole() -> bool:
            found.append(await asyncio.to_thread(traced, stack, uuid, is_stored=is_stored))
            return len(found[-1]["steps"]) >= steps

        async with asyncio.timeout(SECONDS):
            while not await is_whole():
                pass
        return found[-1]

    whole = await trace_of(stored, 5, is_stored=True)
    assert (whole["fate"], whole["places"][0]["seq"]) == ("stored", 1)
    steps = {step["step"]: step for step in whole["steps"]}
    assert list(steps) == ["queued", "decided", "written", "ended"] or steps.keys() == {
        "queued",
        "decided",
        "written",
        "ended",
    }
    handed = [step["connections"] for step in whole["steps"] if step["step"] == "written"]
    assert handed == [1, 1]
    assert (steps["decided"]["result"], steps["decided"]["is_published"]) == ("event", True)
    assert steps["queued"]["user"] == member.id
    assert steps["ended"]["how"] == "event"
    refused = await trace_of(by_worker["uuid"], 3)
    assert (refused["fate"], "not_member, by worker" in refused["verdict"]) == ("refused", True)
    refused = await trace_of(by_gateway["uuid"], 1)
    assert (refused["fate"], "empty_text, by gateway" in refused["verdict"]) == ("refused", True)
    told = await asyncio.to_thread(operate, stack, "trace", stored)
    assert "Stored in room" in told.stdout
    assert "secret" not in told.stdout
    never = await asyncio.to_thread(operate, stack, "trace", "never-sent")
    assert (never.returncode, "Never arrived: no gateway" in never.stdout) == (1, True)
