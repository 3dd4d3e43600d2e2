"""Watching: the server is told which rooms the user looks at, on each connection and after each return."""

import pytest

from roomlog_client import RoomlogClient, RoomPresence
from roomlog_client.rooms import WAITING_ITEMS
from roomlog_client.testing import FakeServer
from tests.client.test_client import ROOM as KITCHEN
from tests.client.test_client import joined, server

from .bench import EPOCH, ROOM, Bench

__all__ = ["server"]

OTHER = "b" * 32
TOLD = {"action": "room_presence", "room": ROOM, "users": [1, 7], "count": 2}


@pytest.fixture
def bench(online: Bench) -> Bench:
    """A client that has authenticated and watches a room."""
    online.state.watch([ROOM, OTHER], online.now)
    return online


def watched(bench: Bench) -> list[list[str]]:
    """Take what was sent and return the rooms of each watch."""
    return [frame["rooms"] for frame in bench.frames() if frame["action"] == "watch"]


def test_each_connection_is_told_what_is_watched(bench: Bench) -> None:
    """Only the rooms that the user is in are named, and nothing is repeated without a reason."""
    assert watched(bench) == [[ROOM]]
    bench.hear(action="watch", uuid="watch")
    bench.pass_time(60)
    assert watched(bench) == []
    bench.close(1012)
    bench.state.opened(bench.now, "t")
    assert watched(bench) == []
    bench.hear_rooms()
    assert watched(bench) == [[ROOM]]


def test_a_room_is_watched_again_when_the_user_returns(bench: Bench) -> None:
    """Watching ended with the membership; rooms that are not looked at change nothing."""
    watched(bench)
    for room, expected in ((OTHER, [[ROOM, OTHER]]), ("c" * 32, [])):
        summary = {"id": room, "name": "", "kind": "group", "epoch": EPOCH, "seq": 0}
        bench.hear(None, action="room_joined", room=summary)
        assert watched(bench) == expected


def test_a_refused_watch_is_told_again_later(bench: Bench) -> None:
    """Also while nothing else happens; an end of all watching is told once."""
    watched(bench)
    bench.refuse("rate_limited", uuid="watch", action="watch", retry_after_ms=2_000)
    bench.pass_time(1.9)
    assert watched(bench) == []
    bench.pass_time(0.2)
    assert watched(bench) == [[ROOM]]
    bench.state.watch([], bench.now)
    assert watched(bench) == [[]]
    bench.close(1012)
    bench.state.opened(bench.now, "t")
    bench.hear_rooms()
    assert watched(bench) == []


def test_who_is_there_is_handed_on_where_there_is_space(bench: Bench) -> None:
    """Of followed rooms; an application that does not keep up hears of it no more."""
    bench.items()
    bench.hear(None, **TOLD)
    bench.hear(None, **TOLD | {"room": "c" * 32})
    bench.hear(None, **TOLD | {"users": None, "count": 300})
    assert bench.items() == [RoomPresence(ROOM, [1, 7], 2), RoomPresence(ROOM, None, 300)]
    bench.state.rooms._waiting = WAITING_ITEMS
    bench.hear(None, **TOLD)
    assert bench.items() == []


async def test_a_watcher_hears_who_is_there(server: FakeServer) -> None:
    """On real sockets."""
    async with RoomlogClient(server.url, "alice") as alice, RoomlogClient(server.url, "bob") as bob:
        readers = [await joined(client) for client in (alice, bob)]
        bob.watch(KITCHEN)
        await readers[1].until(lambda reader: RoomPresence(KITCHEN, [1, 2], 2) in reader.items)
        assert not any(isinstance(item, RoomPresence) for item in readers[0].items)
