"""A user's read mark that has moved is told to all connections of the user, and to nobody else."""

from functools import partial

from msgspec.structs import replace

from roomlog_contract.envelope import Blocked, Joined, Marked, Notice
from roomlog_contract.events import RoomSummary, User
from roomlog_contract.server_events import RoomMarked
from roomlog_gateway.rooms.members import summary_at
from roomlog_gateway.rooms.room import Room
from roomlog_gateway.sockets.outbox import WRITE_BYTES, Frame
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import NO_SERVICES, ROOM, NoConnection
from tests.gateway.running import Connect
from tests.gateway.stub_worker import StubRoom, StubWorker


def marked(room: StubRoom, seq: int) -> Marked:
    """Return the notice that a worker publishes."""
    return Marked(replace(room.summary, read_seq=seq))


async def test_all_the_users_connections_hear_it(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """Tabs and devices; other members do not."""
    tab, phone, other = await enter(1), await enter(1), await enter(2)
    await worker.tell_user(1, marked(room, 3))
    for one in (tab, phone):
        told = (await one.event("room_marked"))["room"]
        assert (told["id"], told["read_seq"]) == (room.hex, 3)
    await room.say(2, "after")
    await other.event("new_message")
    assert "room_marked" not in [frame["action"] for frame in other.received]


async def test_all_connections_of_the_user_hear_of_a_block(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """Whom it concerns does not."""
    tab, phone, other = await enter(1), await enter(1), await enter(2)
    await worker.tell_user(1, Blocked(User(2, "bob"), True))
    for one in (tab, phone):
        told = await one.event("user_blocked")
        assert told == {"action": "user_blocked", "user": {"id": 2, "username": "bob"}, "blocked": True}
    await room.say(1, "after")
    await other.event("new_message")
    assert "user_blocked" not in [frame["action"] for frame in other.received]


async def test_a_mark_that_moves_during_authenticate_follows_its_answer(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """After the last read of the rooms, and before the client knows of them."""
    worker.between = partial(worker.tell_user, 1, marked(room, 5))
    client = await enter(1)
    assert (await client.event("room_marked"))["room"]["read_seq"] == 5
    assert [frame["action"] for frame in client.received] == ["authenticate", "room_marked"]


async def test_what_the_answer_has_is_told_once(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """Its count is older than that of the rooms' last read."""
    worker.between = partial(worker.tell_user, 1, marked(room, 0))
    client = await enter(1)
    await room.say(2, "after")
    await client.event("new_message")
    assert "room_marked" not in [frame["action"] for frame in client.received]


async def test_a_level_that_changes_during_authenticate_follows_its_answer(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """Though the read mark is where the answer has it."""
    worker.between = partial(worker.tell_user, 1, Marked(replace(room.summary, notify="none")))
    client = await enter(1)
    assert (await client.event("room_marked"))["room"]["notify"] == "none"


def test_what_comes_during_a_login_is_unread() -> None:
    """The summary's head is later than its read; the events between are sent to nobody again."""
    summary = RoomSummary(ROOM, "", "group", "e", 10, 2, 3)
    room = Room(ROOM, lambda _: None)
    room.seq = 12
    assert summary_at(summary, room, 1) == replace(summary, seq=12, unread=5)
    assert summary_at(replace(summary, unread=99), room, 1).unread == 100
    room.seq = 9
    assert summary_at(summary, room, 1) is summary


def test_who_is_mentioned_during_a_login_counts_that() -> None:
    """Of what came after the summary's read; messages before it are in its count."""
    summary = replace(RoomSummary(ROOM, "", "group", "e", 10, 2, 3), unread_mentions=1)
    room = Room(ROOM, lambda _: None)
    for seq, users in ((10, [1]), (11, [1, 2]), (12, [2])):
        room.mention(Notice("e", seq, b"", 3, mentions=users))
    room.mention(Notice("e", 13, b"", 1, mentions=[2], mentions_room=True))
    room.seq = 13
    assert [summary_at(summary, room, user).unread_mentions for user in (1, 2, 3)] == [2, 4, 2]
    assert summary_at(replace(summary, unread_mentions=100), room, 1).unread_mentions == 100


async def test_a_mark_that_moves_while_a_new_room_is_read_follows_it(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """The room's summary may be older; a mark that it has is not told again."""
    client = await enter(4)
    await worker.tell_user(4, marked(room, 1))
    room.members.add(4)
    await worker.tell_user(4, Joined(room.summary))
    await client.event("room_joined")
    assert (await client.event("room_marked"))["room"]["read_seq"] == 1


def test_a_client_that_does_not_keep_up_is_not_told() -> None:
    """It finds its marks at the next login; what waits for it already matters more."""
    session = Session(NoConnection(), NO_SERVICES, lambda: 0.0)
    mark = RoomMarked(room=RoomSummary(ROOM, "", "group", "e", 2, 2, 0))
    session.hint(mark)
    assert len(session.outbox) == 1
    session.outbox.push_event(Frame(b"x" * WRITE_BYTES, ROOM))
    session.hint(mark)
    assert len(session.outbox) == 2
