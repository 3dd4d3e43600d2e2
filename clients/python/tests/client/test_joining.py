"""Rooms that everybody may join, and invitations: what the client asks, and what the commands print."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from roomlog_client import CommandError, RoomlogClient
from roomlog_client.testing import FakeServer
from tests.client.cli_runs import roomlog

KITCHEN = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
TEA, COFFEE = "a" * 32, "b" * 32
pytestmark = pytest.mark.usefixtures("no_account")


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server with two open rooms on two pages, and an invitation to one of them."""

    def answer(request: web.Request, body: dict[str, Any]) -> dict[str, Any] | None:
        match request.method, request.match_info["path"]:
            case "GET", "rooms/discoverable/":
                is_second = request.query.get("cursor") == "next"
                tea = {"id": TEA, "name": "tea", "topic": "Green", "joined": True}
                coffee = {"id": COFFEE, "name": "coffee \x1b[31m", "topic": "", "joined": False}
                return {"rooms": [tea if is_second else coffee], "next": None if is_second else "next"}
            case "POST", "invitation/" if body == {"invitation": "secret"}:
                return {"room": TEA, "name": "tea", "topic": "Green", "role": "reader", "joined": False}
            case _:
                return None

    async with FakeServer({KITCHEN: ["alice"]}) as fake:
        fake.answer_http = answer
        fake.answers["join_room"] = {"room": TEA, "epoch": "e", "seq": 7, "user": fake.user("alice")}
        yield fake


async def test_open_rooms_come_page_by_page(server: FakeServer) -> None:
    """And an invitation says where it leads; the token goes with the command alone."""
    async with RoomlogClient(server.url, "alice") as client:
        await client.ready(5)
        assert [room.name async for room in client.find_rooms("e")] == ["coffee \x1b[31m", "tea"]
        door = await client.door("secret")
        assert (door.room, door.role, door.joined) == (TEA, "reader", False)
        with pytest.raises(CommandError) as refused:
            await client.door("guess")
        assert refused.value.code == "not_found"
        assert (await client.join_room(door.room, "secret")).seq == 7
        assert (server.received[-1]["action"], server.received[-1]["invitation"]) == ("join_room", "secret")
        await client.join_room(TEA)
        assert "invitation" not in server.received[-1]


async def test_the_commands_find_and_join(server: FakeServer) -> None:
    """By name, by id and by a link; what a name does to a terminal is not printed."""
    listed = await roomlog("rooms", "--all", "e", server=server)
    assert "tea (joined)" in listed.stdout
    assert "\x1b[31m" not in listed.stdout
    for wanted in ("tea", TEA, "https://example.org/chat/#invitation/secret"):
        joined = await roomlog("join", wanted, server=server)
        assert (joined.exit_code, joined.stdout) == (0, f"{TEA}\n")
    assert [one.get("invitation") for one in server.received if one["action"] == "join_room"] == [
        *(None, None, "secret"),
    ]
    failed = await roomlog("join", "milk", server=server)
    assert failed.exit_code == 1
    assert "0 rooms that everybody may join are called milk" in failed.stderr
