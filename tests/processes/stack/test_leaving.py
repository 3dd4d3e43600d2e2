"""Workers that die amid an erasure and amid the departure of a deleted account: nothing is left half done."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

import pytest

from tests.harness.host import Host, started_host
from tests.harness.looking import read_log
from tests.harness.stack import MakeStack, Stack, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS
from tests.processes.stack.test_delivery import connect

ROOMS: Final = 20
"""More than a worker lets somebody leave in one transaction, or has erased in one."""
SPOKEN: Final = 3
"""Rooms in which something was said."""
ERASE: Final = """
from django.core.management import call_command
call_command("roomlog", "erase", "--person", str(person))
"""


async def carry_out(stack: Stack, host: Host, user: User, program: str, point: str) -> None:
    """Run a program whose commands kill the first worker that takes them, and let the next one end them."""
    await asyncio.to_thread(stack.stop, "worker-0")
    await host.run(user, program)
    assert pending(stack)
    await asyncio.to_thread(stack.spawn, "worker-0", ROOMLOG_CRASH_POINT=f"{point}:KILL")
    await eventually(lambda: not stack.child("worker-0").is_running, SECONDS, "the worker has died")
    assert pending(stack)
    await asyncio.to_thread(stack.start, "worker-0")
    await eventually(lambda: not pending(stack), SECONDS, "all is carried out")


def pending(stack: Stack) -> int:
    """Return how many commands wait in the database."""
    ((count,),) = stack.sql("SELECT count(*) FROM roomlog_pendingcommand")
    return int(str(count))


@pytest.mark.parametrize("point", ["in_transaction", "after_commit"])
async def test_a_successor_ends_what_a_dead_worker_began(make_stack: MakeStack, point: str) -> None:
    """Each text goes, each room is left once, every seq stays, and a repeat is answered as one."""
    stack = await asyncio.to_thread(make_stack, polls_often=True)
    gone, other = await asyncio.to_thread(stack.make_users, 2)
    rooms = await asyncio.to_thread(stack.make_rooms, [[gone, other]] * ROOMS)
    async with AsyncExitStack() as group:
        wire, bystander = [await connect(group, stack, user) for user in (gone, other)]
        host = await group.enter_async_context(started_host(stack))
        for room in rooms[:SPOKEN]:
            await wire.ask("new_message", "u", room=room.id, text="hers")
            await bystander.ask("new_message", room=room.id, text="his")
        await carry_out(stack, host, gone, ERASE, point)
        for room in rooms[:SPOKEN]:
            repeat = await wire.ask("new_message", "u", room=room.id, text="a guess")
            assert (repeat["seq"], repeat["duplicate"], repeat["message"]["text"]) == (1, True, "")
        await carry_out(stack, host, gone, "user.delete()", point)
        await eventually(
            lambda: all(
                bystander.events(room)[-1:] and "member" in bystander.events(room)[-1] for room in rooms
            ),
            SECONDS,
            "everybody has heard of it",
        )
        heard = {room.id: [event["seq"] for event in bystander.events(room)] for room in rooms}
    log = await read_log(stack)
    for number, room in enumerate(rooms):
        said = [("new_message", ""), ("new_message", "his")] if number < SPOKEN else []
        rows = sorted(row for row in log if row.room == room.id)
        assert [(row.kind, row.text) for row in rows] == [*said, ("remove_user", "")]
        assert [row.seq for row in rows] == heard[room.id] == list(range(1, len(said) + 2))
    assert stack.sql("SELECT user_id FROM roomlog_membership WHERE user_id = %s", gone.id) == []
    assert stack.sql("SELECT id FROM roomlog_deadletter") == []
    stack.assert_no_traceback()
