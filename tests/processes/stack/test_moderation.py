"""Roles, mutes and bans through real processes: who hears of them, and when they end."""

import asyncio
import time
from contextlib import AsyncExitStack
from functools import partial

from tests.harness.stack import Stack
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

MUTED_SECONDS = 3
"""Long enough that a loaded machine sees the mute before its end."""


async def test_a_room_is_moderated(shared_stack: Stack) -> None:
    """A mute ends by the clock and without an event; a ban ends what its sockets get, and invitations."""
    alice, bob = await asyncio.to_thread(shared_stack.make_users, 2)
    async with AsyncExitStack() as group:
        owner, member = [
            await group.enter_async_context(Wire(shared_stack.websocket(gateway), user))
            for gateway, user in enumerate((alice, bob))
        ]
        for wire in (owner, member):
            await wire.authenticate()
        room = (await owner.ask("create_room", name="club", members=[bob.id]))["room"]
        concerned = {"room": room, "user": bob.id}

        await owner.ask("set_role", **concerned, role="reader")
        assert await _said(member, room) == "forbidden"
        await owner.ask("set_role", **concerned, role="member")
        until = int(time.time()) + 1 + MUTED_SECONDS
        assert (await owner.ask("mute_user", **concerned, until=until))["until"] == until
        assert await _said(member, room) == "muted"

        is_over: bool = await eventually(partial(_is_heard, member, room), SECONDS, "the end of the mute")
        assert is_over
        banned = await owner.ask("ban_user", **concerned)
        assert (banned["seq"], banned["member"]["role"]) == (6, "member")
        await eventually(lambda: _is_out(member, room), SECONDS, "room_left")
        assert await _said(member, room) == "not_member"
        assert (await owner.ask("invite_user", **concerned))["error_code"] == "banned"
        await owner.ask("unban_user", **concerned)
        assert (await owner.ask("invite_user", **concerned))["seq"] == 8
        assert await _said(member, room) is None


async def _said(wire: Wire, room: str) -> str | None:
    """Say something; return the code of a refusal."""
    answer = await wire.ask("new_message", room=room, text="heard")
    code: str | None = answer.get("error_code")
    return code


async def _is_heard(wire: Wire, room: str) -> bool:
    return await _said(wire, room) is None


def _is_out(wire: Wire, room: str) -> bool:
    return any(frame["action"] == "room_left" and frame["room"] == room for frame in wire.frames)
