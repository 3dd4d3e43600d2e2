"""The loads against a small chat server of the tests' own, whose faults are known: all must be seen."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from benchmarks import loads
from benchmarks.connection import Connection, ConnectionFailed
from benchmarks.loads import ClosedLoop, Fleet, OpenLoop
from benchmarks.tally import Losses
from benchmarks.wires import PEER, Member

Deliver = Callable[[web.WebSocketResponse, int, dict[str, str]], Awaitable[None]]
"""Hands a message to one member: (socket, places behind the sender, message)."""


async def deliver(socket: web.WebSocketResponse, place: int, message: dict[str, str]) -> None:
    """Give everybody one copy."""
    await socket.send_json(message)


@asynccontextmanager
async def chat(hand_over: Deliver = deliver) -> AsyncIterator[str]:
    """Run a chat server; yield its address."""
    rooms: dict[str, list[web.WebSocketResponse]] = {}

    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.ping(b"are you there")
        room = rooms.setdefault(request.match_info["room"], [])
        room.append(socket)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                first = room.index(socket)
                for place, member in enumerate(room[first:] + room[:first]):
                    await hand_over(member, place, json.loads(frame.data))
        return socket

    app = web.Application()
    app.router.add_get("/ws/{room}", serve)
    async with TestServer(app) as server:
        yield f"ws://{server.host}:{server.port}"


@asynccontextmanager
async def fleet_in(address: str, rooms: int, members: int) -> AsyncIterator[Fleet]:
    """Connect everybody, and let go at the end, whatever happened."""
    people = [
        [Member(room=f"r{room}", user=user, token="") for user in range(members)] for room in range(rooms)
    ]
    fleet = Fleet(PEER, address, people)
    await fleet.open()
    try:
        yield fleet
    finally:
        fleet.close()


async def test_an_open_loop_sends_at_its_rate_and_counts_everybody() -> None:
    """What a server loses and doubles is seen."""
    ends: list[int] = []
    async with chat() as address, fleet_in(address, rooms=2, members=3) as fleet:
        await OpenLoop(fleet, 100).run(0.1, 0.4, lambda: ends.append(len(fleet.tally.sent_at)))
        assert ends == [10, 50]
        assert fleet.tally.delivered == 150
        assert fleet.tally.losses() == Losses(lost=0, doubled=0, unanswered=0)
        assert not fleet.closed

    async def faulty(socket: web.WebSocketResponse, place: int, message: dict[str, str]) -> None:
        for _ in range((1, 0, 2)[place]):
            await socket.send_json(message)

    async with chat(faulty) as address, fleet_in(address, rooms=1, members=3) as fleet:
        await ClosedLoop(fleet, 1).run(0.0, 0.2, lambda: None)
        losses = fleet.tally.losses()
        assert losses.lost == losses.doubled == fleet.tally.accepted > 5


async def test_a_closed_loop_never_has_more_unanswered_than_its_window() -> None:
    """An answer starts the next send, of the room's next member, and none is started without one."""
    async with chat() as address, fleet_in(address, rooms=2, members=3) as fleet:
        unanswered: list[int] = []
        send = fleet.send

        def counting(sender: int, room: int, sent_at: float) -> int:
            number = send(sender, room, sent_at)
            unanswered.append(len(fleet.tally.sent_at) - fleet.tally.accepted)
            return number

        fleet.send = counting  # type: ignore[method-assign]
        await ClosedLoop(fleet, 4).run(0.0, 0.3, lambda: None)
        assert max(unanswered) == 4
        assert len(unanswered) > 20
        assert set(fleet.tally.senders) == {0, 1, 2, 3, 4, 5}


async def test_an_unanswered_message_gives_its_place_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers is sent to again after the time for an answer, and no sooner."""
    monkeypatch.setattr(loads, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(loads, "SWEEP_SECONDS", 0.02)
    monkeypatch.setattr(loads, "QUIET_SECONDS", 0.1)

    async def silent(socket: web.WebSocketResponse, place: int, message: dict[str, str]) -> None:
        """Lose everything."""

    async with chat(silent) as address, fleet_in(address, rooms=1, members=2) as fleet:
        await ClosedLoop(fleet, 2).run(0.0, 0.35, lambda: None)
        assert fleet.tally.losses().unanswered in (4, 6, 8)


async def test_a_refused_message_is_sent_again_with_the_same_uuid(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error answer is counted by its code and is no delivery; the repeat is accepted."""
    monkeypatch.setattr(loads, "RETRY_SECONDS", 0.01)
    refused: set[str] = set()

    async def busy(socket: web.WebSocketResponse, place: int, message: dict[str, str]) -> None:
        if message["uuid"] in refused:
            await socket.send_json(message)
        else:
            refused.add(message["uuid"])
            await socket.send_json({"uuid": message["uuid"], "error": "busy", "error_code": "busy"})

    async with chat(busy) as address, fleet_in(address, rooms=1, members=1) as fleet:
        await ClosedLoop(fleet, 1).run(0.0, 0.2, lambda: None)
        assert fleet.errors["busy"] == len(refused) == fleet.tally.accepted > 2
        assert fleet.tally.losses() == Losses(lost=0, doubled=0, unanswered=0)


async def test_a_lost_connection_is_reported_with_its_reason() -> None:
    """A refused upgrade is an error."""

    async def closing(socket: web.WebSocketResponse, place: int, message: dict[str, str]) -> None:
        await socket.close(code=1013, message=b"enough")

    async with chat(closing) as address, fleet_in(address, rooms=1, members=1) as fleet:
        fleet.send(0, 0, 0.0)
        await fleet.drain()
        assert dict(fleet.closed) == {"1013 enough": 1}
    async with chat() as address:
        with pytest.raises(ConnectionFailed, match="404"):
            await Connection.open(f"{address}/elsewhere", lambda buffer, start, end: None)
