"""A user in as many rooms as may be: every frame is one that clients take, and the limits fit each other."""

import json
from collections.abc import Iterable

import pytest

from roomlog_client import RoomlogClient
from roomlog_contract import limits
from roomlog_contract.commands import Cursor
from roomlog_gateway.rooms.pagination import paginate
from tests.gateway.client import Client
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually

ROOMS = 2 * limits.ROOMS_PER_USER
"""Of one's own making, and of others'."""
LONGEST_NAME = "\x01" * limits.NAME_CODE_POINTS
"""Six bytes a code point in JSON."""
LONGEST_EPOCH = "e" * 32


@pytest.fixture
def rooms(worker: StubWorker) -> list[StubRoom]:
    """All rooms that one user may be in, with the largest summaries."""
    rooms = [worker.add_room(1) for _ in range(ROOMS)]
    for room in rooms:
        room.name, room.epoch = LONGEST_NAME, LONGEST_EPOCH
    return rooms


async def test_our_client_gets_in_with_all_of_its_cursors(rooms: list[StubRoom], gateway: Running) -> None:
    """A thousand rooms, five hundred cursors of another log: each of them is reset, and none is lost."""
    cursors = {key.hex: Cursor("f" * 32, limits.EXACT_INTEGER - 1) for key in rooms}
    async with RoomlogClient(gateway.url, "token-1", cursors=cursors) as client:
        await client.ready()
        [connection] = gateway.gateway.connections
        assert {room.id for room in client.rooms()} == {key.hex for key in rooms}
        assert await client.request("ping", timeout_seconds=20.0)
        assert list(gateway.gateway.connections) == [connection]


async def test_an_answer_of_many_rooms_takes_frames_below_the_limit(
    rooms: list[StubRoom], worker: StubWorker, guest: Connect
) -> None:
    """All have the uuid, all but the last say `more`, and no event of a room comes between them."""
    client = await guest()
    await client.socket.send_json({"uuid": "u", "action": "authenticate", "token": "token-1"})
    told = await _answer(client)
    await rooms[0].say(1, "hello")
    await client.event("new_message")
    assert sorted(told) == sorted(key.hex for key in rooms)


async def test_whoever_goes_gives_all_rooms_back_at_once(
    rooms: list[StubRoom], gateway: Running, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two commands to Redis, the rooms' and the user's, not in one for each room."""
    client = await enter(1)
    subscriber = gateway.gateway._subscriber
    given_back: list[int] = []

    def unsubscribe(channels: Iterable[str]) -> None:
        given_back.append(len(list(channels)))

    monkeypatch.setattr(subscriber, "unsubscribe", unsubscribe)
    await client.socket.close()
    await eventually(lambda: not gateway.gateway.connections, 20, "the connection is gone")
    assert given_back == [len(rooms), 1]


async def test_rooms_are_left_in_one_turn(rooms: list[StubRoom], gateway: Running, enter: Connect) -> None:
    """Somebody who reads is not taken for somebody who does not."""
    client = await enter(1)
    [connection] = gateway.gateway.connections
    for room in rooms:
        room.members.clear()
    gateway.gateway._authentication.recheck(connection.session)
    for _ in rooms:
        await client.event("room_left")
    assert (await client.ask("ping"))["status"] == "success"
    await eventually(lambda: not connection.session.rooms, 20, "it is in no room")


@pytest.mark.parametrize(
    ("count", "expected"), [(0, [([], False)]), (2, [([0, 1], False)]), (3, [([0, 1], True), ([2], False)])]
)
def test_the_last_page_says_that_none_follows(count: int, expected: list[tuple[list[int], bool]]) -> None:
    """No rooms are one empty page."""
    assert list(paginate(list(range(count)), 2)) == expected


async def _answer(client: Client) -> list[str]:
    """Return the rooms of an answer to authenticate, whose frames follow each other."""
    told: list[str] = []
    while True:
        text = await client.socket.receive_str(timeout=20.0)
        frame = json.loads(text)
        assert len(text.encode()) <= limits.PAGE_BYTES
        assert (frame["action"], frame["uuid"], frame["status"]) == ("authenticate", "u", "success")
        told += [room["id"] for room in frame["rooms"]]
        if not frame["more"]:
            return told
