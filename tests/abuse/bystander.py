"""The bystander's process: pairs of members who chat, and ask the api, whatever somebody else does.

Around the message's way. Writes one JSON line for each send, `{"at", "seconds", "kind"}`, with `at` on the
machine's monotonic clock, so that the trial can tell calm from attacked; ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final
from uuid import uuid4

import aiohttp

from roomlog_client import Event, Observer, RoomlogClient
from tests.harness.stack import User

PAUSE_SECONDS: Final = 0.06
"""Between two messages of one sender: below the rate at which a client would hold them back itself."""
ASK_PAUSE_SECONDS: Final = 0.1
"""Between two requests of the api."""
LOST_SECONDS: Final = 10.0
"""A send that takes longer counts as so long, and the next one follows."""


class Cuts(Observer):
    """Tells of each connection that ended."""

    def disconnected(self, connection: int, close_code: int | None) -> None:
        """Write it down."""
        del connection
        tell("cut", 0.0, close_code=close_code)


async def chat(websocket: str, room: str, users: tuple[User, User]) -> None:
    """Send as one member and wait for the event as the other, again and again, as a client of ours does."""
    arrivals: dict[str, asyncio.Future[None]] = {}
    clients = [RoomlogClient(websocket, user.token, rooms=[room], observer=Cuts()) for user in users]
    async with clients[0] as one, clients[1] as other, asyncio.TaskGroup() as tasks:
        tasks.create_task(_read(one, {}))
        tasks.create_task(_read(other, arrivals))
        await asyncio.gather(one.ready(), other.ready())
        while True:
            await _send(one, room, arrivals)
            await asyncio.sleep(PAUSE_SECONDS)


async def _send(client: RoomlogClient, room: str, arrivals: dict[str, asyncio.Future[None]]) -> None:
    uuid = uuid4().hex
    arrived = arrivals[uuid] = asyncio.get_running_loop().create_future()
    began = time.monotonic()
    try:
        async with asyncio.timeout(LOST_SECONDS):
            await client.send(room, "hello", uuid=uuid)
            await arrived
    except TimeoutError:
        tell("lost", LOST_SECONDS, began)
    else:
        tell("message", time.monotonic() - began, began)
    finally:
        del arrivals[uuid]


async def _read(client: RoomlogClient, arrivals: dict[str, asyncio.Future[None]]) -> None:
    """Read for ever; events that somebody waits for are theirs."""
    async for item in client.events():
        arrived = arrivals.get(item.uuid) if isinstance(item, Event) else None
        if arrived is not None and not arrived.done():
            arrived.set_result(None)


async def ask(page: str, token: str) -> None:
    """Ask the api for the user's rooms, again and again."""
    headers = {"Authorization": f"Token {token}"}
    timeout = aiohttp.ClientTimeout(total=LOST_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        while True:
            began = time.monotonic()
            try:
                async with session.get(f"{page}/api/v1/rooms/") as answer:
                    await answer.read()
                    kind = "request" if answer.status == 200 else "refused"
            except (TimeoutError, aiohttp.ClientError):
                kind = "unanswered"
            tell(kind, time.monotonic() - began, began)
            await asyncio.sleep(ASK_PAUSE_SECONDS)


def tell(kind: str, seconds: float, at: float | None = None, **facts: object) -> None:
    """Write one line for the trial."""
    line = {"at": time.monotonic() if at is None else at, "seconds": seconds, "kind": kind, **facts}
    print(json.dumps(line), flush=True)


async def _run(given: dict[str, Any]) -> None:
    users = [User(**user) for user in given["users"]]
    pairs = zip(users[::2], users[1::2], strict=True)
    work = [asyncio.create_task(chat(given["websocket"], given["room"], pair)) for pair in pairs]
    work.append(asyncio.create_task(ask(given["page"], users[0].token)))
    end = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await asyncio.wait([*work, asyncio.ensure_future(end)], return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        task.cancel()
    failed = [
        error for error in await asyncio.gather(*work, return_exceptions=True) if isinstance(error, Exception)
    ]
    if failed:
        raise failed[0]


if __name__ == "__main__":
    asyncio.run(_run(json.loads(sys.stdin.readline())))
