"""The wire through the real path: a node's port, gateway, Valkey, worker, PostgreSQL, and back."""

import asyncio
from uuid import uuid4

import aiohttp
import pytest

from roomlog_contract import limits
from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.e2e.people import make_rooms
from tests.harness.stack import User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

MALFORMED = 1003
FRESH_ROOMS = 40


async def test_the_seed_protocol_works(cluster: Cluster, users: list[User]) -> None:
    """Authenticate, select, send, read back: each answer carries the uuid and action of its command."""
    (room,) = await make_rooms(cluster, users[:2], count=1)
    async with Wire(settings.WEBSOCKET, users[0]) as alice, Wire(settings.WEBSOCKET, users[1]) as bob:
        answer = await alice.authenticate()
        assert answer["user"] == {"id": users[0].id, "username": users[0].name}
        assert room.id in [known["id"] for known in answer["rooms"]]
        await bob.authenticate()
        selected = await alice.ask("select_room", room=room.id)
        assert (selected["action"], selected["seq"], selected["room_messages"]) == ("select_room", 0, [])
        uuid = uuid4().hex
        said = await alice.ask("new_message", uuid, room=room.id, text="hello")
        assert (said["uuid"], said["action"], said["status"]) == (uuid, "new_message", "success")
        assert (said["seq"], said["message"]["text"]) == (1, "hello")
        await eventually(lambda: bob.texts(room) == ["hello"], SECONDS, "the message reaches the other")
        repeated = await alice.ask("new_message", uuid, room=room.id, text="hello")
        assert (repeated["seq"], repeated["duplicate"]) == (1, True)
        history = await bob.ask("get_history", room=room.id)
        assert [message["text"] for message in history["room_messages"]] == ["hello"]


async def test_a_room_that_was_just_made_is_usable_at_once(cluster: Cluster, users: list[User]) -> None:
    """Who made it and who was invited send, read and select on all their sockets, and each is answered.

    A send may overtake the gateway's subscription to the new room: seen in one of 200 rooms, hence many.
    """
    invited, *creators = users[: 1 + FRESH_ROOMS // limits.ROOM_CREATIONS_BURST]
    for creator in creators:
        # On another socket each time: one asks no faster than COMMANDS_PER_SECOND.
        async with Wire(settings.WEBSOCKET, invited) as guest:
            await guest.authenticate()
            await _make_and_use_rooms(creator, guest, invited)


async def _make_and_use_rooms(creator: User, guest: Wire, invited: User) -> None:
    makers = [Wire(settings.WEBSOCKET, creator) for _ in range(3)]
    async with makers[0], makers[1], makers[2]:
        for wire in makers:
            await wire.authenticate()
        for number in range(limits.ROOM_CREATIONS_BURST):
            maker = makers[number % len(makers)]
            made = await maker.ask("create_room", name=f"fresh {number}", kind="group", members=[invited.id])
            room = made["room"]
            answers = await asyncio.gather(
                *(wire.ask("new_message", room=room, text="at once") for wire in (*makers, guest)),
                maker.ask("get_history", room=room),
                guest.ask("select_room", room=room),
            )
            assert [answer for answer in answers if answer["status"] != "success"] == []
            history = await guest.ask("get_history", room=room)
            assert len(history["room_messages"]) == len(makers) + 1


async def test_a_stranger_is_refused(cluster: Cluster, users: list[User]) -> None:
    """Who is not a member gets not_member and no event."""
    (room,) = await make_rooms(cluster, users[:2], count=1)
    async with Wire(settings.WEBSOCKET, users[2]) as stranger:
        await stranger.authenticate()
        answer = await stranger.ask("new_message", room=room.id, text="let me in")
        assert (answer["status"], answer["error_code"]) == ("error", "not_member")


async def test_what_is_no_json_closes_the_socket(cluster: Cluster) -> None:
    """A frame that is not JSON closes with 1003."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http,
        http.ws_connect(settings.WEBSOCKET) as socket,
    ):
        await socket.send_str("hello")
        message = await socket.receive(timeout=SECONDS)
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == MALFORMED


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (settings.WEBSOCKET.replace("ws://", "http://"), 426),
        (settings.WEBSOCKET.replace("ws://", "http://").replace("/ws", "/metrics"), 404),
        (settings.WEBSOCKET.replace("ws://", "http://").replace("/ws", "/readyz"), 404),
        (f"{settings.PAGE}/metrics", 404),
        (f"{settings.PAGE}/readyz", 404),
        (f"{settings.PAGE}/ws", 404),
    ],
)
async def test_only_what_is_for_people_is_reached_from_outside(
    cluster: Cluster, address: str, status: int
) -> None:
    """A plain GET on the socket's path says what it is; probes and metrics are nowhere on the open ports."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http,
        http.get(address) as answer,
    ):
        assert answer.status == status
        if status == 426:
            assert "WebSocket" in await answer.text()


@pytest.mark.parametrize(
    ("origin", "is_welcome"), [(settings.PAGE, True), ("https://evil.example.org", False)]
)
async def test_only_the_page_s_own_origin_connects(cluster: Cluster, origin: str, is_welcome: bool) -> None:
    """A page of somebody else can't open a socket in a visitor's name."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as http:
        if is_welcome:
            async with http.ws_connect(settings.WEBSOCKET, origin=origin) as socket:
                assert not socket.closed
        else:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await http.ws_connect(settings.WEBSOCKET, origin=origin)
            assert refusal.value.status == 403
