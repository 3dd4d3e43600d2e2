"""Why a server closed is heard, whatever else happens to the socket at that moment."""

import asyncio
from typing import Any

import aiohttp
import pytest

from roomlog_client import CutOff, OutcomeUnknown, RoomlogClient
from roomlog_client.testing import FakeServer

ROOM = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"


async def read_to_the_end(client: RoomlogClient) -> None:
    """Take what comes until the client ends."""
    async for _ in client.events():
        pass


async def test_a_write_at_the_moment_of_the_close_does_not_hide_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """The frame can't be written any more; that this is the end for good is in the close frame."""
    receive = aiohttp.ClientWebSocketResponse.receive
    late: list[asyncio.Task[Any]] = []

    async def receive_slowly(
        socket: aiohttp.ClientWebSocketResponse, timeout: float | None = None
    ) -> aiohttp.WSMessage:
        message = await receive(socket, timeout)
        if message.type is aiohttp.WSMsgType.CLOSE:
            late.append(asyncio.create_task(bob.send(ROOM, "too late")))
            for _ in range(10):
                await asyncio.sleep(0)
        return message

    monkeypatch.setattr(aiohttp.ClientWebSocketResponse, "receive", receive_slowly)
    async with FakeServer({ROOM: ["bob"]}) as server, RoomlogClient(server.url, "bob") as bob:
        await bob.ready()
        await server.disconnect(4403)
        with pytest.raises(CutOff):
            await asyncio.wait_for(read_to_the_end(bob), 10)
    (sending,) = late
    with pytest.raises(OutcomeUnknown):
        await sending
