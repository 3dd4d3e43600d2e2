"""A client of a few lines: JSON in, JSON out, and what came meanwhile."""

import asyncio
import itertools
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

Frame = dict[str, Any]
DEADLINE_SECONDS = 20.0
"""Only a failing test waits so long; a loaded machine may need some of it."""


class Client:
    """One WebSocket; frames that nobody waited for are kept in `received`."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.received: list[Frame] = []
        self._uuids = (f"{id(self):x}-{number}" for number in itertools.count())

    async def send(self, action: str, **keys: Any) -> str:
        """Send a command and return its uuid."""
        uuid: str = keys.pop("uuid", None) or next(self._uuids)
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.socket.send_json({"uuid": uuid, "action": action, **keys})
        return uuid

    async def ask(self, action: str, **keys: Any) -> Frame:
        """Send a command and return the first frame with its uuid."""
        uuid = await self.send(action, **keys)
        return await self.until(lambda frame: frame.get("uuid") == uuid)

    async def until(self, is_it: Any, seconds: float = DEADLINE_SECONDS) -> Frame:
        """Return the first frame from here on that is meant; the others go to `received`."""
        async with asyncio.timeout(seconds):
            while True:
                frame = await self.next()
                if is_it(frame):
                    return frame

    async def event(self, action: str, seconds: float = DEADLINE_SECONDS) -> Frame:
        """Return the next frame of this action."""
        return await self.until(lambda frame: frame.get("action") == action, seconds)

    async def next(self, seconds: float = DEADLINE_SECONDS) -> Frame:
        """Return the next frame."""
        message = await self.socket.receive(seconds)
        assert message.type is WSMsgType.TEXT, message
        frame: Frame = message.json()
        self.received.append(frame)
        return frame

    async def close_code(self, seconds: float = DEADLINE_SECONDS) -> int:
        """Return the code with which the server closes, whatever comes before."""
        async with asyncio.timeout(seconds):
            while True:
                message = await self.socket.receive()
                if message.type is WSMsgType.TEXT:
                    self.received.append(message.json())
                elif message.type is WSMsgType.CLOSE:
                    return int(message.data)
                else:
                    return self.socket.close_code or 0

    def seqs(self, action: str = "new_message") -> list[int]:
        """Return the seqs of the events so far, in the order of their arrival."""
        return [frame["seq"] for frame in self.received if frame.get("action") == action and "seq" in frame]


async def connect(http: ClientSession, url: str) -> Client:
    """Open a WebSocket."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return Client(await http.ws_connect(url, max_msg_size=0))
