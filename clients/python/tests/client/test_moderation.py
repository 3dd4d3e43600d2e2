"""Roles, mutes and bans as a program asks for them."""

import pytest

from roomlog_client import RoomlogClient
from roomlog_client.errors import Banned
from roomlog_client.testing import FakeServer

ROOM = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"


async def test_each_is_sent_with_what_it_needs() -> None:
    """An end that is left out is null; a ban refuses by an exception of its own."""
    async with FakeServer({ROOM: ["alice"]}) as server, RoomlogClient(server.url, "alice") as alice:
        server.refuse = lambda command: {"error_code": "banned"} if "user" in command else None
        for asked in (
            alice.set_role(ROOM, 3, "reader"),
            alice.mute_user(ROOM, 3, until=1_796_000_000),
            alice.mute_user(ROOM, 3),
            alice.unmute_user(ROOM, 3),
            alice.ban_user(ROOM, 3, 1_796_000_000, uuid="b"),
            alice.ban_user(ROOM, 3),
            alice.unban_user(ROOM, 3),
        ):
            with pytest.raises(Banned):
                await asked
        sent = [command for command in server.received if "user" in command]
    assert sent[4]["uuid"] == "b"
    facts = [{key: one[key] for key in one if key not in ("uuid", "room", "user")} for one in sent]
    assert {(one["room"], one["user"]) for one in sent} == {(ROOM, 3)}
    assert facts == [
        {"action": "set_role", "role": "reader"},
        {"action": "mute_user", "until": 1_796_000_000},
        {"action": "mute_user", "until": None},
        {"action": "unmute_user"},
        {"action": "ban_user", "until": 1_796_000_000},
        {"action": "ban_user", "until": None},
        {"action": "unban_user"},
    ]
