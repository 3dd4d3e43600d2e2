"""Sends messages through the gateway's Service and reads them back: second half of `helm test`.

Speaks the wire by hand and knows nothing of our packages, as any client would. Without an account it sends a
ticket that nobody has: only a worker can refuse it.
"""

import asyncio
import statistics
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

ALL_SECONDS = 45.0
"""Below the pod's own deadline, so that a failure says where it was."""
ANSWER_SECONDS = 15.0
"""Over the 10 s in which a gateway says 1013 where no worker answers."""
REPEAT_SECONDS = 4.0
"""No answer means unknown: repeating the same uuid is always safe."""
OVERLOADED = 1013
"""The gateway's close code where no worker answers."""
MESSAGES = 5
"""The first one warms the way up; the median of all is printed."""

Frame = dict[str, Any]


async def ask(socket: aiohttp.ClientWebSocketResponse, action: str, **fields: Any) -> Frame:
    """Send a command and return its answer; end the test on an error."""
    frame = await answer(socket, action, **fields)
    if frame["status"] != "success":
        sys.exit(f"{action}: {frame['error_code']}: {frame['error_message']}")
    return frame


async def answer(socket: aiohttp.ClientWebSocketResponse, action: str, **fields: Any) -> Frame:
    """Send a command, repeat it as long as there is no answer, and return that; other frames are none."""
    command: Frame = {"uuid": str(uuid.uuid4()), "action": action, **fields}
    # A second `authenticate` would be refused while the first waits for a worker.
    repeat_seconds = ANSWER_SECONDS if action == "authenticate" else REPEAT_SECONDS
    frame: Frame = {}
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            while frame.get("uuid") != command["uuid"]:
                await socket.send_json(command)
                frame = await listen(socket, command["uuid"], repeat_seconds)
    except TimeoutError:
        sys.exit(f"{action}: no worker answered in {ANSWER_SECONDS:g} s")
    return frame


async def listen(socket: aiohttp.ClientWebSocketResponse, awaited: str, seconds: float) -> Frame:
    """Return the frame with that uuid, or the empty one where none comes in time; end the test at a close."""
    try:
        async with asyncio.timeout(seconds):
            while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                frame: Frame = message.json()
                if frame.get("uuid") == awaited:
                    return frame
    except TimeoutError:
        return {}
    if socket.close_code == OVERLOADED:
        sys.exit("no worker answered: are workers ready, and do they own all shards?")
    sys.exit(f"the gateway closed the socket with {socket.close_code}: {message.extra}")


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Open a socket for as long as the test may take."""
    async with (
        asyncio.timeout(ALL_SECONDS),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ALL_SECONDS)) as session,
        session.ws_connect(url) as socket,
    ):
        yield socket


async def send_one(socket: aiohttp.ClientWebSocketResponse, room: str, text: str) -> float:
    """Send one message and return the milliseconds until it came back as an event of the room."""
    began = time.monotonic()
    event = await ask(socket, "new_message", room=room, text=text)
    if event["message"]["text"] != text:
        sys.exit("the message came back with another text")
    return (time.monotonic() - began) * 1000


async def converse(url: str, ticket: str) -> None:
    """Authenticate, take the test's room, send, and find what was sent in the history."""
    async with connected(url) as socket:
        await ask(socket, "authenticate", ticket=ticket)
        # The room follows from creator and uuid: each test finds the first one's room again.
        made = await ask(socket, "create_room", uuid="helm-test", name="helm test", kind="group", members=[])
        texts = [f"helm test {uuid.uuid4()}" for _ in range(MESSAGES)]
        times = [await send_one(socket, made["room"], text) for text in texts]
        history = await ask(socket, "get_history", room=made["room"], before=2**53 - 1, limit=MESSAGES)
        if [message["text"] for message in history["room_messages"]] != texts:
            sys.exit("the history does not end with what was sent")
    print(f"{MESSAGES} messages through {url}: sent, received and read back")
    print(f"from send to receipt: median {statistics.median(times):.1f} ms, slowest {max(times):.1f} ms")


async def knock(url: str) -> None:
    """Send a ticket that nobody has, and want a worker's refusal."""
    async with connected(url) as socket:
        began = time.monotonic()
        refusal = await answer(socket, "authenticate", ticket="helm-test")
        if refusal.get("error_code") != "invalid_token":
            sys.exit(f"a ticket that nobody has was answered with {refusal}")
    print(f"a worker refused an unknown ticket through {url}: {(time.monotonic() - began) * 1000:.1f} ms")


if __name__ == "__main__":
    address, *tickets = sys.argv[1:]
    if tickets:
        asyncio.run(converse(address, Path(tickets[0]).read_text(encoding="utf-8")))
    else:
        asyncio.run(knock(address))
