"""Bytes that no client sends, drawn by seed, against a live gateway whose other clients chat on.

Around the message's way. Each case opens a socket, perhaps signs in, writes what it drew, half-closes, and
reads all that comes until the gateway ends the connection. What the gateway may say then is RFC 6455 and the
close codes of the specification; 1011, silence and a traceback are findings.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.abuse.inputs.bad_inputs import frame as command
from tests.abuse.inputs.neighbours import Neighbours
from tests.abuse.inputs.provoking import sign_in
from tests.harness.raw import BINARY, CLOSE, PING, PONG, TEXT, RawSocket, frame, split_frame, upgrade
from tests.harness.stack import Stack, User, build_stack
from tests.harness.stack_databases import SqliteFiles
from tests.harness.waiting import NeverHappened, wait_until

AT_ONCE = 8
"""Cases under way, each of another user: below the connections that a user may have."""
CASE_SECONDS = 30.0
GONE_SECONDS = 15.0
CODES = (range(1000, 1004), range(1007, 1011), range(1012, 1015), range(3000, 5000))
"""The specification's, and any that a drawn goodbye may have said, which is echoed; never 1011."""
CONTINUATION = 0
OPCODES = (CONTINUATION, TEXT, TEXT, TEXT, BINARY, 3, 7, CLOSE, PING, PONG, 11, 15)
STEPS = 6


@dataclass(frozen=True)
class Abuse:
    """One case: who writes what."""

    number: int
    is_signed_in: bool
    data: bytes


def draw(number: int, seed: int) -> Abuse:
    """Return the case of this number; the same for the same seed."""
    chance = random.Random(f"{seed}-{number}")
    if chance.random() < 0.1:
        return Abuse(number, False, chance.randbytes(chance.randrange(200)))
    steps = [_step(chance) for _ in range(chance.randrange(1, STEPS))]
    data = bytearray(b"".join(steps))
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.2:
        del data[chance.randrange(1, len(data) + 1) :]
    return Abuse(number, chance.random() < 0.7, bytes(data))


def _step(chance: random.Random) -> bytes:
    mask = chance.randbytes(4)
    if chance.random() < 0.4:
        good = command(chance.choice(("ping", "list_rooms", "select_room")))
        return frame(TEXT, good.encode(), mask=mask)
    length = chance.choice((None, None, None, None, bytes([125]), b"\x7e\x00\x05", b"\x7f" + b"\xff" * 8))
    size = chance.choice(
        (0, 1, 2, 5, 125, 126, 300, 65_536, 65_537) if chance.random() < 0.3 else (0, 2, 9, 60)
    )
    return frame(
        chance.choice(OPCODES),
        chance.randbytes(size),
        final=chance.random() < 0.8,
        reserved=chance.choice((0, 0, 0, 0, 1, 2, 4, 7)),
        masked=chance.random() < 0.9,
        length=length,
        mask=mask,
    )


@contextmanager
def abused_stack(directory: Path) -> Iterator[tuple[Stack, list[User], Neighbours]]:
    """Give a gateway and a worker with two neighbours who chat, and users to abuse them."""
    stack = build_stack(directory / "stack", SqliteFiles(directory))
    try:
        stack.start()
        one, other, *abusers = stack.make_users(2 + AT_ONCE)
        (room,) = stack.make_rooms([[one, other, *abusers]])
        neighbours = Neighbours(stack.websocket(), room, (one, other))
        neighbours.start()
        yield stack, abusers, neighbours
        neighbours.stop()
    finally:
        stack.close()


def abuse(directory: Path, cases: int, seed: int) -> list[str]:
    """Run so many cases and return what went wrong, with the number of its case."""
    with abused_stack(directory) as (stack, abusers, neighbours):
        found = asyncio.run(_abuse(stack.websocket(), abusers, cases, seed))
        neighbours.assert_chatting()
        found += _afterwards(stack)
    return found


def _afterwards(stack: Stack) -> list[str]:
    """Return what the processes themselves say is wrong."""
    found = []
    gateway = stack.metrics("gateway-0")
    if gateway.total("roomlog_gateway_closed_total", code="1011"):
        found.append("the gateway closed with 1011")
    try:
        stack.assert_no_traceback()
        wait_until(
            lambda: _connections(stack) == 2, GONE_SECONDS, "only the neighbours' connections are left"
        )
    except (AssertionError, NeverHappened) as failure:
        found.append(str(failure))
    return found


def _connections(stack: Stack) -> float:
    return stack.metrics("gateway-0").total("roomlog_gateway_connections")


async def _abuse(url: str, abusers: list[User], cases: int, seed: int) -> list[str]:
    numbers = iter(range(cases))
    found: list[str] = []

    async def work(user: User) -> None:
        for number in numbers:
            case = draw(number, seed)
            try:
                async with asyncio.timeout(CASE_SECONDS):
                    wrong = await _one(url, user, case)
            except TimeoutError:
                wrong = "no end"
            if wrong:
                found.append(f"case {number} of seed {seed}: {wrong}; {case.data[:60].hex()}")

    await asyncio.gather(*map(work, abusers))
    return found


async def _one(url: str, user: User, case: Abuse) -> str:
    """Return what was wrong with the gateway's side of one case; empty where nothing was."""
    async with RawSocket(url) as socket:
        if case.is_signed_in:
            await sign_in(socket, user)
        else:
            await socket.write(upgrade(socket.host))
            if await socket.status() != 101:
                return "no upgrade"
        await socket.write(case.data)
        return judge(await socket.rest())


def judge(said: bytes) -> str:
    """Return what is wrong with the frames that a gateway said until its end."""
    while said:
        found = split_frame(said)
        if found is None:
            return f"half a frame, or a masked one: {said[:20]!r}"
        first, payload, said = found
        opcode = first & 0x0F
        if first & 0xF0 != 0x80:
            return f"a frame that begins with {first:#x}"
        if opcode == TEXT and "action" not in json.loads(payload):
            return f"a message without an action: {payload[:100]!r}"
        if opcode == CLOSE:
            code = int.from_bytes(payload[:2], "big")
            is_known = any(code in codes for codes in CODES)
            return f"close {code}" if not is_known else "frames after the goodbye" if said else ""
        if opcode not in (TEXT, PING, PONG):
            return f"a frame with opcode {opcode}"
    return ""
