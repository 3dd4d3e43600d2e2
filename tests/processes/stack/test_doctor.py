"""`roomlog doctor` against real processes: content with a good install, and clear about each bad one."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from roomlog_client import RoomlogClient
from roomlog_contract import limits
from roomlog_gateway.config import read_config
from roomlog_gateway.memory import PROCESS_BYTES, worst_case
from roomlog_runtime.memory import total
from tests.abuse.inputs.bad_inputs import frame
from tests.abuse.inputs.provoking import sign_in
from tests.harness.looking import families_of
from tests.harness.raw import RawSocket, text
from tests.harness.stack import MakeStack, Room, Stack, User
from tests.harness.waiting import wait_until
from tests.processes.stack.test_new_epoch import operate

STUCK = 8
"""Connections that never read."""
LONGEST = "\N{GRINNING FACE}" * limits.TEXT_CODE_POINTS
SECONDS = 60.0


def report(stack: Stack) -> tuple[int, str]:
    """Return the doctor's exit status and all that it said."""
    done = operate(stack, "doctor")
    return done.returncode, done.stdout + done.stderr


def line_of(said: str, what: str) -> str:
    """Return the line about one thing."""
    (line,) = [line for line in said.splitlines() if line[6:].startswith(f"{what}:")]
    return line


def test_a_good_install_is_good(shared_stack: Stack) -> None:
    """Every line is ok, the exit status is 0, and no line holds an address or a password."""
    stack = shared_stack
    status, said = report(stack)
    assert status == 0, said
    assert "WRONG" not in said
    for what in ("Redis version", "eviction", "migrations", "shards", "streams", "Redis clock", "workers"):
        assert line_of(said, what).startswith("ok")
    assert "worst-case memory of a gateway, by its limits" in said
    assert "worst-case memory of a worker, by its limits" in said
    secrets = [stack.environ["ROOMLOG_SECRET_KEY"], stack.redis_url, stack.database.url]
    assert [secret for secret in secrets if secret in said] == []


def test_a_dead_worker_and_a_lost_redis_are_named(make_stack: MakeStack) -> None:
    """Each wrong thing has a line with what to do, and the exit status is 1."""
    stack = make_stack()
    stack.kill("worker-0")
    stack.kill("valkey")
    status, said = report(stack)
    assert status == 1
    assert "start it, or correct ROOMLOG_REDIS_URL" in line_of(said, "Redis")
    assert "start a worker" in line_of(said, "workers")
    assert "without an owner: [0, 1" in line_of(said, "shards")
    assert line_of(said, "migrations").startswith("ok")
    assert "Traceback" not in said


async def fill(stack: Stack, room: Room) -> None:
    """Say as many of the longest texts as one answer may hold."""
    async with RoomlogClient(stack.websocket(), room.members[0].token) as client:
        texts = [LONGEST] * limits.HISTORY_MESSAGES
        await asyncio.gather(*(client.send(room.id, text) for text in texts))


async def stick(socket: RawSocket, user: User, room: Room) -> None:
    """Sign in, ask for as many pages as one may, and never read them."""
    await sign_in(socket, user)
    socket.stop_reading()
    ask = frame("get_history", {"room": f'"{room.id}"', "limit": str(limits.HISTORY_MESSAGES)})
    await socket.write(text(ask) * limits.UNANSWERED_COMMANDS)


def resident(stack: Stack) -> int:
    """Return the bytes that the gateway has in memory, its server's master included, shared pages once."""
    infos = [process.memory_full_info() for process in families_of(stack, ["gateway-0"])["gateway-0"]]
    return sum(info.uss for info in infos) + max(info.rss - info.uss for info in infos)


async def test_stuck_clients_take_less_than_the_doctor_says(make_stack: MakeStack) -> None:
    """They take megabytes, which is more than nothing, and the bound holds for so many connections."""
    stack = await asyncio.to_thread(make_stack)
    users = await asyncio.to_thread(stack.make_users, STUCK)
    (room,) = await asyncio.to_thread(stack.make_rooms, [users])
    await fill(stack, room)
    before = resident(stack)
    async with AsyncExitStack() as sockets:
        for user in users:
            await stick(await sockets.enter_async_context(RawSocket(stack.websocket())), user, room)
        peak = await asyncio.to_thread(wait_until, lambda: grown(stack, before), SECONDS, "memory is taken")
    shares = worst_case(replace(read_config(stack.environ), max_connections=STUCK))
    assert before < PROCESS_BYTES
    assert peak - before < total([share for share in shares if share.what != "the process itself"])


def grown(stack: Stack, before: int) -> int:
    """Return what the gateway has in memory, once the stuck connections have taken a good part of it."""
    now = resident(stack)
    return now if now - before > STUCK * limits.OUTBOX_BYTES else 0
