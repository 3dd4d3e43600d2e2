"""Typing: the client sends it rarely, never again, and hands on that of others where there is space."""

import pytest

from roomlog_client import RoomlogClient, RoomPresence, RoomTyping
from roomlog_client.rooms import WAITING_ITEMS
from roomlog_client.testing import FakeServer
from roomlog_contract.events import User
from tests.client.test_client import ROOM, joined, server

from .bench import ROOM as HERE
from .bench import Bench

__all__ = ["server"]

TOLD = {"action": "room_typing", "room": HERE, "users": [{"id": 7, "username": "bob"}]}


@pytest.fixture
def bench(online: Bench) -> Bench:
    """A client that has authenticated."""
    return online


def test_typing_is_said_once_in_three_seconds_and_room(bench: Bench) -> None:
    """However often the application calls; other rooms have times of their own."""
    for room in (ROOM, ROOM, "b" * 32):
        bench.state.type(room, bench.now)
    assert [frame["room"] for frame in bench.frames()] == [ROOM, "b" * 32]
    bench.pass_time(2.9)
    bench.state.type(ROOM, bench.now)
    assert bench.frames() == []
    bench.pass_time(0.1)
    bench.state.type(ROOM, bench.now)
    assert [frame["action"] for frame in bench.frames()] == ["typing"]


def test_typing_is_not_kept_for_later() -> None:
    """Without a connection nobody hears of it, and no answer or refusal brings it back."""
    bench = Bench()
    bench.state.type(ROOM, bench.now)
    bench.state.opened(bench.now, "t")
    bench.hear_rooms(ROOM)
    assert bench.uuids() == ["authenticate"]
    bench.state.type(ROOM, bench.now)
    assert bench.uuids() == ["typing"]
    bench.hear(action="typing", uuid="typing", status="success")
    bench.refuse("busy", uuid="typing", retry_after_ms=1)
    bench.pass_time(60)
    assert (bench.uuids(), bench.results()) == ([], [])


def test_who_types_is_handed_on_where_there_is_space(bench: Bench) -> None:
    """Of followed rooms; an application that does not keep up hears of it no more."""
    told = RoomTyping(HERE, [User(7, "bob")])
    bench.hear(None, **TOLD)
    bench.hear(None, **TOLD | {"room": "c" * 32})
    assert bench.items() == [told]
    bench.state.rooms._waiting = WAITING_ITEMS
    bench.hear(None, **TOLD)
    assert bench.items() == []


async def test_the_others_hear_who_types(server: FakeServer) -> None:
    """On real sockets: with a name, and not oneself."""
    async with RoomlogClient(server.url, "alice") as alice, RoomlogClient(server.url, "bob") as bob:
        readers = [await joined(client) for client in (alice, bob)]
        bob.watch(ROOM)
        await readers[1].until(lambda reader: any(isinstance(item, RoomPresence) for item in reader.items))
        alice.typing(ROOM)
        await readers[1].until(lambda reader: any(isinstance(item, RoomTyping) for item in reader.items))
        (told,) = [item for item in readers[1].items if isinstance(item, RoomTyping)]
        assert (told.room, [user.username for user in told.users]) == (ROOM, ["alice"])
        assert not any(isinstance(item, RoomTyping) for item in readers[0].items)
