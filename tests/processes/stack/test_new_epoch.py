"""After a restored database: `roomlog new-epoch` voids every cursor, and clients go on by themselves."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable

from roomlog_client import Event, RoomlogClient, RoomReset
from tests.harness.manage import run_python
from tests.harness.stack import MakeStack, Room, Stack
from tests.harness.waiting import eventually
from tests.harness.wire import Frame, Wire
from tests.processes.stack.test_client_resumes import Taken, a_room_of

TOLD_SECONDS = 45.0
"""Until every gateway has asked for the heads again: 30 s by the promise, and a loaded machine."""
COMMAND_SECONDS = 60.0
Renewed = Callable[[], Awaitable[None]]
"""Waits until the epoch is another."""


def operate(stack: Stack, *words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the operator's commands as the command line does."""
    return run_python("-m", "roomlog_client.cli", *words, environ=stack.environ, seconds=COMMAND_SECONDS)


def renew_epoch(stack: Stack) -> None:
    """Do what the runbook says: stop the workers, run the command, start them."""
    stack.stop("worker-0")
    done = operate(stack, "new-epoch")
    assert done.returncode == 0, done.stderr
    assert "every cursor is reset" in done.stdout
    stack.start("worker-0")


async def test_every_cursor_is_reset_and_clients_go_on(make_stack: MakeStack) -> None:
    """People on bare sockets and a program on our client live through the same new epoch."""
    stack = await asyncio.to_thread(make_stack, polls_often=True)
    rooms = [await a_room_of(stack) for _ in range(2)]
    everybody = asyncio.Barrier(3)

    async def renewed() -> None:
        await everybody.wait()  # all have said something
        await everybody.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(are_reset(stack, rooms[0], renewed))
        group.create_task(reloads(stack, rooms[1], renewed))
        await everybody.wait()
        await asyncio.to_thread(renew_epoch, stack)
        await everybody.wait()
    stack.assert_no_traceback()


def resets(wire: Wire, room: Room) -> list[Frame]:
    """Return the `reset` events of a room that a connection was sent."""
    return [frame for frame in wire.frames if frame["action"] == "reset" and frame["room"] == room.id]


async def are_reset(stack: Stack, room: Room, renewed: Renewed) -> None:
    """Who is connected is told; who comes back with an old cursor too; a fresh select goes on."""
    alice, bob = room.members
    async with Wire(stack.websocket(), alice) as live:
        await live.authenticate()
        first = await live.ask("new_message", room=room.id, text="before")
        old = {"epoch": first["epoch"], "seq": first["seq"]}
        await renewed()
        await eventually(lambda: resets(live, room), TOLD_SECONDS, "the open socket is told")
        epoch = resets(live, room)[0]["epoch"]
        assert epoch != old["epoch"]
        assert (await live.ask("select_room", room=room.id, since=old))["reset"] is True
        state = await live.ask("select_room", room=room.id)
        assert (state["epoch"], state["seq"]) == (epoch, 1)
        async with Wire(stack.websocket(), bob) as late:
            await late.ask("authenticate", token=bob.token, cursors={room.id: old})
            await eventually(lambda: resets(late, room), TOLD_SECONDS, "the one who comes back is told")
            await late.ask("select_room", room=room.id)
            sent = await late.ask("new_message", room=room.id, text="after")
            assert (sent["epoch"], sent["seq"]) == (epoch, 2)
        await eventually(lambda: live.texts(room)[-1:] == ["after"], TOLD_SECONDS, "the event arrives")


def known_texts(taken: Taken, room: Room) -> list[str]:
    """Return what a program knows of the room: a reset replaces it, events follow."""
    known: list[str] = []
    for item in taken.items:
        if isinstance(item, RoomReset) and item.room == room.id:
            known = [message["text"] for message in item.messages]
        elif isinstance(item, Event) and item.room == room.id:
            known.append(item.text)
    return known


async def reloads(stack: Stack, room: Room, renewed: Renewed) -> None:
    """The program behind our client is handed the room anew, and knows each message once."""
    alice, bob = room.members
    async with (
        RoomlogClient(stack.websocket(), alice.token) as sender,
        RoomlogClient(stack.websocket(), bob.token) as reader,
    ):
        taken = Taken(reader)
        await reader.ready()
        await sender.send(room.id, "before")
        assert await taken.until(room, 1) == ["before"]
        await renewed()
        async with asyncio.timeout(TOLD_SECONDS):
            sent = await sender.send(room.id, "after")
        assert sent.seq == 2
        both = ["before", "after"]
        await eventually(lambda: known_texts(taken, room) == both, TOLD_SECONDS, "the room is reloaded")
        assert [item.epoch for item in taken.items if isinstance(item, RoomReset)] == [sent.epoch]
