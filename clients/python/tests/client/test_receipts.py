"""Receipts: what is told of who has read what becomes one state of each room, with the events between."""

from typing import Any

import pytest

from roomlog_client import RoomlogClient, RoomReceipts
from roomlog_client.rooms import WAITING_ITEMS
from roomlog_client.testing import FakeServer
from tests.client.test_client import ROOM as KITCHEN
from tests.client.test_client import joined, server

from .bench import EPOCH, ROOM, Bench, message

__all__ = ["server"]


@pytest.fixture
def bench(online: Bench) -> Bench:
    """A client that was told all marks of its room; the head is 10."""
    tell(online, {1: 10, 2: 4, 3: 9}, whole=True)
    return online


def tell(bench: Bench, marks: dict[int, int], *, whole: bool = False, epoch: str = EPOCH) -> None:
    """Let the server say how far people have read."""
    told = [{"user": user, "seq": seq} for user, seq in marks.items()]
    bench.hear(None, action="room_receipts", room=ROOM, epoch=epoch, whole=whole, marks=told)


def happen(bench: Bench, seq: int, action: str, **facts: Any) -> None:
    """Let the room's next event arrive."""
    frame = message(seq, f"u-{seq}") | {"action": action, "user": {"id": 1, "username": "alice"}, **facts}
    del frame["message"]
    bench.hear(**frame)


def marks(bench: Bench) -> dict[int, int]:
    """Return what is known of the room."""
    return bench.state.rooms.receipts.marks(ROOM)


def test_marks_never_move_back(bench: Bench) -> None:
    """What moved replaces one, all replaces all, and another epoch everything."""
    tell(bench, {2: 7, 3: 8})
    assert marks(bench) == {1: 10, 2: 7, 3: 9}
    tell(bench, {2: 7}, whole=True)
    assert marks(bench) == {2: 7}
    tell(bench, {3: 1}, epoch="e2")
    assert marks(bench) == {3: 1}


@pytest.mark.parametrize("action", ["leave_room", "remove_user", "ban_user"])
def test_who_has_left_has_no_mark(bench: Bench, action: str) -> None:
    """Unless they are known to have come back: the client may be behind what it is told."""
    happen(bench, 11, action, member={"id": 2, "username": "bob", "role": "member"})
    assert marks(bench) == {1: 10, 3: 9}
    tell(bench, {3: 13})
    happen(bench, 12, action, member={"id": 3, "username": "carol", "role": "member"})
    assert marks(bench) == {1: 10, 3: 13}


def test_nothing_is_known_where_nothing_is_shown(bench: Bench) -> None:
    """Neither after `set_receipts`, nor away from the server, nor of a room that is left or read afresh."""
    happen(bench, 11, "set_receipts", receipts=False)
    assert marks(bench) == {}
    happen(bench, 12, "set_receipts", receipts=True)
    tell(bench, {2: 12}, whole=True)
    assert marks(bench) == {2: 12}
    bench.close(1012)
    assert marks(bench) == {}
    bench.state.opened(bench.now, "t")
    bench.hear_rooms(seq=12)
    tell(bench, {2: 12}, whole=True)
    bench.hear(None, action="reset", room=ROOM, epoch="e2")
    asked = bench.frames()[-1]["uuid"]
    answer: dict[str, Any] = {"room": ROOM, "epoch": "e2", "seq": 3, "room_messages": []}
    bench.hear(action="select_room", uuid=asked, **answer)
    assert marks(bench) == {}


def test_it_is_handed_on_where_there_is_space(bench: Bench) -> None:
    """An application that does not keep up can still ask for the state."""
    bench.items()
    tell(bench, {2: 5})
    (told,) = bench.items()
    assert (told.room, told.whole, [(mark.user, mark.seq) for mark in told.marks]) == (ROOM, False, [(2, 5)])
    bench.state.rooms._waiting = WAITING_ITEMS
    tell(bench, {2: 6})
    assert (bench.items(), marks(bench)[2]) == ([], 6)


async def test_a_watcher_sees_who_reads(server: FakeServer) -> None:
    """On real sockets."""
    server.showing.add(KITCHEN)
    await server.post(KITCHEN, "bob", "hello")
    async with RoomlogClient(server.url, "alice") as alice, RoomlogClient(server.url, "bob") as bob:
        readers = [await joined(client) for client in (alice, bob)]
        bob.watch(KITCHEN)
        await readers[1].until(lambda reader: bob.receipts(KITCHEN) == {1: 0, 2: 0})
        await alice.mark_read(KITCHEN, 1)
        await readers[1].until(lambda reader: bob.receipts(KITCHEN) == {1: 1, 2: 0})
        assert not any(isinstance(item, RoomReceipts) for item in readers[0].items)
