"""One message's way through real processes: who gets it, how often, in which order, and who does not."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import psutil
from redis import Redis

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.trail import find
from roomlog_runtime.redis_address import client
from roomlog_runtime.trail import TRAIL_FIELD
from tests.harness.manage import run_python
from tests.harness.stack import MakeStack, Stack, User
from tests.harness.stack_databases import POSTGRES_ONLY
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire
from tests.processes.stack.test_new_epoch import COMMAND_SECONDS


async def connect(group: AsyncExitStack, stack: Stack, user: User, gateway: int = 0) -> Wire:
    """Return an authenticated connection that lives as long as the group."""
    wire = await group.enter_async_context(Wire(stack.websocket(gateway), user))
    await wire.authenticate()
    return wire


async def test_everybody_gets_every_message_once_and_in_order(shared_stack: Stack) -> None:
    """Three users with two connections each on two gateways: each connection gets the room's log."""
    users = await asyncio.to_thread(shared_stack.make_users, 3)
    (room,) = await asyncio.to_thread(shared_stack.make_rooms, [users])
    async with AsyncExitStack() as group:
        wires = [await connect(group, shared_stack, user, gateway) for user in users for gateway in (0, 1)]
        sent = [await wire.send("new_message", room=room.id, text=f"{i}") for i in range(5) for wire in wires]
        await eventually(
            lambda: all(len(wire.events(room)) >= len(sent) for wire in wires), SECONDS, "all messages"
        )
        lists = [[event["uuid"] for event in wire.events(room)] for wire in wires]
        assert sorted(lists[0]) == sorted(sent)
        assert all(one == lists[0] for one in lists)
        assert [event["seq"] for event in wires[0].events(room)] == list(range(1, len(sent) + 1))


def steps_in(redis: Redis, names: list[bytes]) -> set[str]:
    """Return the kinds of steps in those entries of the trail that have one of these names."""
    entries: Any = redis.xrange(Keyspace().trail_key)
    return {type(step).__name__ for _, fields in entries for _, step in find(fields[TRAIL_FIELD], names)[1]}


def trace(stack: Stack, uuid: str) -> dict[str, Any]:
    """Return what `roomlog trace` says; its exit status tells whether a room has the message."""
    words = ("-m", "roomlog_api", "trace", uuid, "--json")
    done = run_python(*words, environ=stack.environ, seconds=COMMAND_SECONDS)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (found["fate"] != "stored"), done.stderr
    return found


async def test_each_process_tells_its_part_of_a_message(shared_stack: Stack) -> None:
    """Of a stored message every stage; of others who refused them, or that nobody has seen them."""
    stack = shared_stack
    users = await asyncio.to_thread(stack.make_users, 3)
    (room,) = await asyncio.to_thread(stack.make_rooms, [users[:2]])
    async with AsyncExitStack() as group:
        sender, reader, stranger = [
            await connect(group, stack, user, gateway) for user, gateway in zip(users, (0, 1, 0), strict=True)
        ]
        stored = await sender.send("new_message", room=room.id, text="secret words")
        refused = await stranger.ask("new_message", room=room.id, text="x")
        await eventually(lambda: reader.texts(room), SECONDS, "the message")
    with client(stack.redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis:
        names = [stored.encode(), UUID(room.id).bytes]
        all_steps = {"Queued", "Decided", "Written", "Ended"}
        await eventually(lambda: all_steps <= steps_in(redis, names), SECONDS, "a message's steps")
        refusal = [refused["uuid"].encode()]
        await eventually(lambda: "Decided" in steps_in(redis, refusal), SECONDS, "a refusal's step")
    whole, nowhere, never = await asyncio.gather(
        *(asyncio.to_thread(trace, stack, uuid) for uuid in (stored, refused["uuid"], "never-sent"))
    )
    assert (whole["fate"], whole["places"][0]["seq"]) == ("stored", 1)
    assert [step["connections"] for step in whole["steps"] if step["step"] == "written"] == [1, 1]
    assert "secret" not in str(whole)
    assert (nowhere["fate"], "not_member, by worker" in nowhere["verdict"]) == ("refused", True)
    assert (never["fate"], never["steps"]) == ("unseen", [])


async def test_a_stranger_gets_nothing_and_is_told_so(shared_stack: Stack) -> None:
    """Who is not a member gets no event, and not_member for whatever is asked of the room."""
    stack = shared_stack
    member, stranger = await asyncio.to_thread(stack.make_users, 2)
    room, own = await asyncio.to_thread(stack.make_rooms, [[member], [member, stranger]])
    async with AsyncExitStack() as group:
        inside = await connect(group, stack, member)
        outside = await connect(group, stack, stranger)
        for action, keys in (
            ("new_message", {"text": "x"}),
            ("select_room", {}),
            ("get_history", {}),
            ("leave_room", {}),
            ("invite_user", {"user": stranger.id}),
        ):
            answer = await outside.ask(action, room=room.id, **keys)
            assert (answer["status"], answer.get("error_code")) == ("error", "not_member"), action
        await inside.ask("new_message", room=room.id, text="secret")
        await inside.ask("new_message", room=own.id, text="for both")
        await eventually(lambda: outside.texts(own), SECONDS, "the common room's message")
        assert "secret" not in str(outside.frames)
        count = "SELECT count(*) FROM roomlog_roomevent WHERE room_id IN (%s, %s)"
        assert await asyncio.to_thread(stack.sql, count, room.id, own.id) == [(2,)]


async def test_a_worker_that_dies_between_commit_and_publication_loses_nothing(make_stack: MakeStack) -> None:
    """The message of a worker that died right after COMMIT arrives all the same, and once."""
    stack = await asyncio.to_thread(make_stack, workers=1)
    users = await asyncio.to_thread(stack.make_users, 2)
    (room,) = await asyncio.to_thread(stack.make_rooms, [users])
    await asyncio.to_thread(stack.stop, "worker-0")
    await asyncio.to_thread(stack.spawn, "worker-0", ROOMLOG_CRASH_POINT="after_commit:KILL")
    async with AsyncExitStack() as group:
        sender, reader = [await connect(group, stack, user) for user in users]
        uuid = await sender.send("new_message", room=room.id, text="survivor")
        await eventually(lambda: not stack.child("worker-0").is_running, SECONDS, "the worker has died")
        stored = await asyncio.to_thread(stack.sql, "SELECT uuid FROM roomlog_roomevent")
        assert stored == [(uuid,)]
        assert reader.texts(room) == []
        await asyncio.to_thread(stack.start, "worker-0")
        await eventually(lambda: reader.texts(room) and sender.texts(room), SECONDS, "the message")
        answer = await sender.ask("new_message", uuid, room=room.id, text="survivor")
        assert (answer["seq"], answer["duplicate"]) == (1, True)
        await sender.ask("new_message", room=room.id, text="next")
        await eventually(lambda: len(reader.texts(room)) > 1, SECONDS, "the next message")
        assert reader.texts(room) == ["survivor", "next"]
    stack.assert_no_traceback()


async def test_a_room_is_made_joined_left_and_remembered(shared_stack: Stack) -> None:
    """Commands that make members or end a membership reach whom they concern, as events of the log."""
    alice, bob, carol = await asyncio.to_thread(shared_stack.make_users, 3)
    async with AsyncExitStack() as group:
        one, two, three = [
            await connect(group, shared_stack, user, index % 2)
            for index, user in enumerate((alice, bob, carol))
        ]
        made = await one.ask("create_room", name="club", members=[bob.id])
        room_id = made["room"]
        await eventually(lambda: _joined(one, room_id) and _joined(two, room_id), SECONDS, "room_joined")
        again = await one.ask("create_room", made["uuid"], name="club", members=[bob.id])
        assert (again["room"], again["seq"], again["duplicate"]) == (room_id, 1, True)
        invited = await two.ask("invite_user", room=room_id, user=carol.id)
        assert (invited["seq"], invited["member"]["id"]) == (2, carol.id)
        await eventually(lambda: _joined(three, room_id), SECONDS, "carol's room_joined")
        assert (await three.ask("new_message", room=room_id, text="hello"))["seq"] == 3
        assert (await two.ask("remove_user", room=room_id, user=carol.id))["error_code"] == "forbidden"
        await one.ask("remove_user", room=room_id, user=carol.id)
        await eventually(lambda: _left(three, room_id), SECONDS, "carol's room_left")
        assert (await three.ask("new_message", room=room_id, text="no"))["error_code"] == "not_member"
        left = await two.ask("leave_room", room=room_id)
        assert (left["action"], left["seq"]) == ("leave_room", 5)
        await eventually(lambda: _left(two, room_id), SECONDS, "bob's room_left")
        assert (await two.ask("join_room", room=room_id))["error_code"] == "not_member"
        await one.ask("set_discoverable", room=room_id, discoverable=True)
        two.frames.clear()
        joined = await two.ask("join_room", "again", room=room_id)
        assert (joined["seq"], joined["member"]["id"]) == (7, bob.id)
        await eventually(lambda: _joined(two, room_id), SECONDS, "bob's room_joined")
        assert (await two.ask("join_room", "again", room=room_id))["duplicate"] is True
        await eventually(
            lambda: any(f["action"] == "join_room" for f in one.frames), SECONDS, "alice's event"
        )
        assert (await two.ask("new_message", room=room_id, text="back"))["seq"] == 8
        rooms = (await one.ask("list_rooms"))["rooms"]
        assert [(room["id"], room["seq"], room["discoverable"]) for room in rooms] == [(room_id, 8, True)]


async def test_select_room_continues_and_history_pages(shared_stack: Stack) -> None:
    """since brings exactly what was missed, in pages; get_history brings messages before and after."""
    users = await asyncio.to_thread(shared_stack.make_users, 8)
    (room,) = await asyncio.to_thread(shared_stack.make_rooms, [users])
    sent = 8 * 30
    async with AsyncExitStack() as group:
        writers = [await connect(group, shared_stack, user) for user in users]
        for writer in writers:
            for number in range(30):
                await writer.send("new_message", room=room.id, text=str(number))
        await eventually(lambda: len(writers[0].texts(room)) == sent, SECONDS, "all messages")
        late = await connect(group, shared_stack, users[1])
        fresh = await late.ask("select_room", room=room.id)
        assert (fresh["seq"], len(fresh["room_messages"])) == (sent, 20)
        cursor = {"epoch": fresh["epoch"], "seq": 0}
        more = True
        while more:
            page = await late.ask("select_room", room=room.id, since=cursor)
            assert len(page["events"]) <= 200
            cursor["seq"], more = page["seq"], page["more"]
        assert [event["seq"] for event in late.events(room)] == list(range(1, sent + 1))
        before = (await late.ask("get_history", room=room.id, before=11, limit=5))["room_messages"]
        assert [message["seq"] for message in before] == [6, 7, 8, 9, 10]
        after = (await late.ask("get_history", room=room.id, after=3, limit=2))["room_messages"]
        assert [message["seq"] for message in after] == [4, 5]
        reset = await late.ask("select_room", room=room.id, since={"epoch": "another", "seq": 5})
        assert (reset["reset"], reset["events"]) == (True, [])


@POSTGRES_ONLY
async def test_a_paused_worker_gives_its_shards_up_and_disturbs_nobody(make_stack: MakeStack) -> None:
    """SIGSTOP inside a transaction: another goes on within 15 s; the sleeper wakes and does no harm."""
    stack = await asyncio.to_thread(make_stack, workers=2)
    users = await asyncio.to_thread(stack.make_users, 2)
    rooms = await asyncio.to_thread(stack.make_rooms, [users] * 20)
    await asyncio.to_thread(stack.stop, "worker-0")
    await asyncio.to_thread(stack.spawn, "worker-0", ROOMLOG_CRASH_POINT="in_transaction:STOP")
    async with AsyncExitStack() as group:
        sender, reader = [await connect(group, stack, user) for user in users]
        frozen = psutil.Process(stack.child("worker-0").pid)
        await eventually(lambda: _owns_shards(stack, "worker-0"), SECONDS, "worker-0 has shards")
        uuids = {room.id: await sender.send("new_message", room=room.id, text="during") for room in rooms}
        await eventually(lambda: frozen.status() == psutil.STATUS_STOPPED, SECONDS, "the worker froze")
        await eventually(
            lambda: all(reader.texts(room) == ["during"] for room in rooms), 15.0, "all rooms within 15 s"
        )
        await asyncio.to_thread(stack.resume, "worker-0")
        for room in rooms:
            answer = await sender.ask("new_message", uuids[room.id], room=room.id, text="during")
            assert (answer["seq"], answer["duplicate"]) == (1, True)
            assert (await sender.ask("new_message", room=room.id, text="after"))["seq"] == 2
        await eventually(
            lambda: all(len(reader.texts(room)) == 2 for room in rooms), SECONDS, "the last ones"
        )
        assert all(reader.texts(room) == ["during", "after"] for room in rooms)
    stack.assert_no_traceback()


def _owns_shards(stack: Stack, worker: str) -> bool:
    try:
        return stack.metrics(worker).total("roomlog_worker_shard_owned") > 0
    except ConnectionError:
        return False  # it is still starting


def _joined(wire: Wire, room_id: str) -> bool:
    return any(f["action"] == "room_joined" and f["room"]["id"] == room_id for f in wire.frames)


def _left(wire: Wire, room_id: str) -> bool:
    return any(f["action"] == "room_left" and f["room"] == room_id for f in wire.frames)
