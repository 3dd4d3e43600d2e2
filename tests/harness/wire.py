"""A bare WebSocket client for tests that look at single frames: no resume, no outbox, nothing hidden.

Around the message's way. Whoever needs a client that survives faults takes roomlog_client.
"""

import asyncio
from typing import Any, Self
from uuid import uuid4

import aiohttp

from tests.harness.stack import Room, User
from tests.harness.waiting import eventually

Frame = dict[str, Any]
SECONDS = 20.0
"""For any single answer or condition: far above what a loaded machine needs."""


class Wire:
    """One connection; keeps every frame in the order of its arrival."""

    def __init__(self, url: str, user: User, connector: aiohttp.BaseConnector | None = None) -> None:
        """Take the gateway's address, and the way there if it is a special one."""
        self.user = user
        self.frames: list[Frame] = []
        self.close_code: int | None = None
        self._url = url
        self._http = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=SECONDS))
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._socket = await self._http.ws_connect(self._url, max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._http.close()

    async def _read(self) -> None:
        assert self._socket is not None
        async for message in self._socket:
            self.frames.append(message.json())
        self.close_code = self._socket.close_code

    async def send(self, action: str, uuid: str | None = None, **keys: Any) -> str:
        """Send a command and return its uuid; waits for nothing."""
        assert self._socket is not None
        uuid = uuid or uuid4().hex
        await self._socket.send_json({"uuid": uuid, "action": action, **keys})
        return uuid

    async def ask(self, action: str, uuid: str | None = None, **keys: Any) -> Frame:
        """Send a command and return the next frame with its uuid."""
        seen = len(self.frames)
        uuid = await self.send(action, uuid, **keys)
        answers: list[Frame] = []

        def is_answered() -> bool:
            answers[:] = [frame for frame in self.frames[seen:] if frame.get("uuid") == uuid]
            return bool(answers)

        await eventually(is_answered, SECONDS, f"an answer to {action}")
        return answers[0]

    async def authenticate(self) -> Frame:
        """Say who this is; return the answer, which must be a success."""
        answer = await self.ask("authenticate", token=self.user.token)
        assert answer["status"] == "success", answer
        return answer

    def events(self, room: Room) -> list[Frame]:
        """Return the room's durable events as they came, those within pages of select_room included."""
        found: list[Frame] = []
        for frame in self.frames:
            if frame.get("room") != room.id:
                continue
            if "events" in frame:
                found += frame["events"]
            elif frame.get("status") == "success" and "seq" in frame and "room_messages" not in frame:
                found.append(frame)
        return found

    def texts(self, room: Room) -> list[str]:
        """Return the texts of the room's messages in the order in which they came."""
        return [event["message"]["text"] for event in self.events(room) if event["action"] == "new_message"]
