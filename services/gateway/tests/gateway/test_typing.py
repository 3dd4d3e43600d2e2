"""Who is typing: told to the others of a room, rarely, and never in the way of an event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from roomlog_contract import limits
from roomlog_contract.commands import Typing, Watch
from roomlog_contract.envelope import IsTyping, Rights, decode_room_notice
from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.rooms.restrictions import Silence
from roomlog_gateway.rooms.typing import TypingAnnouncer
from roomlog_gateway.sockets.outbox import Frame
from roomlog_gateway.sockets.session import Session
from roomlog_gateway.sockets.token_bucket import TokenBucket
from tests.gateway.insides import ROOM, Stage, read
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually

TOLD = {"action": "room_typing", "room": ROOM.hex, "users": [{"id": 1, "username": "user1"}]}


@dataclass
class Published:
    """What an announcer gives to Redis."""

    stage: Stage
    notices: list[IsTyping] = field(default_factory=list)
    is_writable: bool = True

    def __post_init__(self) -> None:
        rooms = {ROOM: self.stage.room}
        clock: Callable[[], float] = lambda: self.stage.now  # noqa: E731 - the stage's time, when it is asked
        self.announcer = TypingAnnouncer(rooms, Keyspace(), self.publish, lambda user: f"user{user}", clock)

    def publish(self, channel: str, payload: bytes) -> bool:
        if self.is_writable:
            notice = decode_room_notice(payload)
            assert isinstance(notice, IsTyping)
            self.notices.append(notice)
        return self.is_writable

    def take(self, session: Session) -> dict[str, Any]:
        """Let a client say that it types, and return its answer."""
        self.announcer.take(session, Typing(uuid="t", room=ROOM))
        (answer,) = read(session)
        return answer

    @property
    def users(self) -> list[int]:
        return [notice.user for notice in self.notices]


@pytest.fixture
def published(stage: Stage) -> Published:
    """An announcer of the stage's room, and a Redis that only remembers."""
    return Published(stage)


def of(stage: Stage, user: int, *, watches: bool = True) -> Session:
    """Return a connection of a user, that watches the room."""
    session = stage.session()
    session.attach(user, TokenBucket(100, 100, now=0.0))
    if watches:
        stage.watching.take(session, Watch(uuid="w", rooms=[ROOM]))
        read(session)
    return session


def told(session: Session) -> list[list[int]]:
    """Return the users of each frame about typing, and read all."""
    return [
        [user["id"] for user in frame["users"]] for frame in read(session) if frame["action"] == "room_typing"
    ]


async def test_the_others_are_told_who_types(room: StubRoom, enter: Connect) -> None:
    """With the name; the sender's own connections are not, nor who does not watch, and no log knows of it."""
    phone, laptop, other, blind = await enter(1), await enter(1), await enter(2), await enter(3)
    for client in (phone, laptop, other):
        await client.ask("watch", rooms=[room.hex])
    answer = await phone.ask("typing", room=room.hex)
    assert answer == {"uuid": answer["uuid"], "action": "typing", "status": "success"}
    assert await other.event("room_typing") == TOLD | {"room": room.hex}
    await room.say(3, "after")
    for untold in (phone, laptop, blind):
        await untold.event("new_message")
        assert "room_typing" not in [frame["action"] for frame in untold.received]
    assert room.head == 1


async def test_two_gateways_hear_of_each_other(
    room: StubRoom, enter: Connect, make_gateway: Callable[..., Any]
) -> None:
    """The way is Redis: people are told wherever they are connected."""
    here, there = await enter(1), await enter(2, await make_gateway())
    await there.ask("watch", rooms=[room.hex])
    await here.ask("typing", room=room.hex)
    assert (await there.event("room_typing"))["users"] == TOLD["users"]


async def test_nothing_of_it_reaches_a_worker(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """No stream carries it."""
    here, there = await enter(1), await enter(2)
    await there.ask("watch", rooms=[room.hex])
    seen = len(worker.seen)
    await here.ask("typing", room=room.hex)
    await there.event("room_typing")
    assert [entry for entry in worker.seen[seen:] if isinstance(entry.command, Typing)] == []


async def test_strangers_are_refused_like_everywhere(room: StubRoom, enter: Connect) -> None:
    """A room of others and no room at all are the same to them."""
    stranger, member = await enter(4), await enter(1)
    for key in (room.hex, uuid4().hex):
        answer = await stranger.ask("typing", room=key)
        assert (answer["status"], answer["error_code"], answer["room"]) == ("error", "not_member", key)
    await room.say(2, "after")
    await member.event("new_message")
    assert "room_typing" not in [frame["action"] for frame in member.received]


async def test_who_may_not_write_is_refused(room: StubRoom, enter: Connect) -> None:
    """Readers and the muted, as the database says when they come."""
    room.readers, room.muted = {1, 3}, {2, 3}
    codes = [(await (await enter(user)).ask("typing", room=room.hex))["error_code"] for user in (1, 2, 3)]
    assert codes == ["forbidden", "muted", "muted"]


async def test_a_recheck_reads_what_has_ended(gateway: Running, room: StubRoom, enter: Connect) -> None:
    """A mute ends by the clock, without an event."""
    room.muted = {1}
    client = await enter(1)
    assert (await client.ask("typing", room=room.hex))["status"] == "error"
    room.muted = set()
    (session,) = gateway.members.connections(1)
    gateway.gateway._authentication.recheck(session)
    restrictions = gateway.rooms[room.id].restrictions
    await eventually(lambda: restrictions.refusal(session) is None, 10.0, "the recheck has read it")
    assert (await client.ask("typing", room=room.hex))["status"] == "success"


def test_a_sender_is_announced_once_in_three_seconds(stage: Stage, published: Published) -> None:
    """More is answered all the same, from whichever connection it comes."""
    phone, laptop = of(stage, 1), of(stage, 1)
    for session in (phone, laptop, phone):
        assert published.take(session)["status"] == "success"
    assert published.users == [1]
    stage.now += limits.TYPING_SECONDS - 0.01
    published.take(phone)
    assert published.users == [1]
    stage.now += 0.01
    published.take(laptop)
    assert published.users == [1, 1]


def test_a_room_has_five_announcements_a_second(stage: Stage, published: Published) -> None:
    """Those who were left out may be announced in the next second, and nothing is remembered for ever."""
    crowd = [of(stage, user) for user in range(1, 9)]
    for session in crowd:
        assert published.take(session)["status"] == "success"
    assert published.users == [1, 2, 3, 4, 5]
    stage.now += limits.TYPING_FRAME_SECONDS
    for session in crowd:
        published.take(session)
    assert published.users == [1, 2, 3, 4, 5, 6, 7, 8]
    published.announcer.tick(stage.now + limits.TYPING_SECONDS)
    assert published.announcer._announced == {}


def test_what_redis_does_not_take_is_lost(stage: Stage, published: Published) -> None:
    """And does not hold back the next."""
    session = of(stage, 1)
    published.is_writable = False
    assert published.take(session)["status"] == "success"
    published.is_writable = True
    published.take(session)
    assert published.users == [1]


def test_a_room_is_told_once_a_second(stage: Stage) -> None:
    """Of five people at most, each connection without its own user."""
    first, second = of(stage, 1), of(stage, 9)
    for user in range(1, 9):
        stage.typing.hear(stage.room, IsTyping(user, f"user{user}", 0))
    stage.typing.tick(0.0)
    stage.typing.hear(stage.room, IsTyping(1, "user1", 0))
    stage.typing.tick(0.9)
    assert (told(first), told(second)) == ([[2, 3, 4, 5]], [[1, 2, 3, 4, 5]])
    stage.typing.tick(1.0)
    assert (told(first), told(second)) == ([], [[1]])
    stage.typing.tick(2.0)
    assert stage.room.typists is None
    stage.typing.tick(3.0)
    assert told(second) == []


def test_a_message_ends_what_was_not_told(stage: Stage) -> None:
    """Its author is not said to be typing after it; others are."""
    session = of(stage, 9)
    for user in (1, 2):
        stage.typing.hear(stage.room, IsTyping(user, f"user{user}", 0))
    stage.commit()  # a message of user 1
    stage.typing.tick(0.0)
    assert told(session) == [[2]]


def test_who_has_left_is_not_told_of(stage: Stage) -> None:
    """Removed by somebody else, while the announcement waited."""
    session = of(stage, 9)
    stage.typing.hear(stage.room, IsTyping(5, "user5", 0))
    stage.publish(stage.append(left=5).seq)
    stage.typing.tick(0.0)
    assert told(session) == []


def test_an_announcement_from_before_a_leave_is_late(stage: Stage) -> None:
    """Another gateway may hear of the leave later; what it says after an invitation counts."""
    session = of(stage, 9)
    stage.publish(stage.append(left=5).seq)
    for seq in (0, 1):
        stage.typing.hear(stage.room, IsTyping(5, "user5", seq))
        stage.typing.tick(float(seq))
        assert told(session) == [[5]] * seq


def test_a_connection_for_which_anything_waits_is_not_told(stage: Stage) -> None:
    """So no event waits for a frame of this kind but one, and none is dropped for it."""
    slow, quick = of(stage, 8), of(stage, 9)
    slow.outbox.push_event(Frame(b"x", ROOM))
    for second in range(10):
        stage.typing.hear(stage.room, IsTyping(1, "user1", 0))
        stage.typing.tick(float(second))
    assert (len(slow.outbox), len(quick.outbox)) == (1, 1)


def test_a_large_room_is_not_told(stage: Stage) -> None:
    """Where 201 connections here watch it; one less is told, however many do not watch."""
    sessions = [of(stage, user) for user in range(1, limits.TYPING_CONNECTIONS + 2)]
    stage.typing.hear(stage.room, IsTyping(1, "user1", 0))
    stage.typing.tick(0.0)
    assert stage.room.typists is None
    stage.room.leave(sessions[-1])
    of(stage, 500, watches=False)
    stage.typing.hear(stage.room, IsTyping(1, "user1", 0))
    stage.typing.tick(0.0)
    assert told(sessions[1]) == [[1]]


def test_a_connection_that_is_behind_is_not_told(stage: Stage) -> None:
    """Nothing of the room is sent to it until it asks."""
    stage.commit(3)
    session = stage.session(cursor=1)
    stage.room.watchers[session] = None
    stage.typing.hear(stage.room, IsTyping(1, "user1", 0))
    stage.typing.tick(0.0)
    assert told(session) == []


def test_events_say_who_may_write(stage: Stage, published: Published) -> None:
    """Each changes what it names: a reader who is muted and unmuted is a reader."""
    session, other = of(stage, 1), of(stage, 2)

    def hear(**says: Any) -> str | None:
        notice = stage.append()
        stage.incoming.take_event(stage.room, msgspec.structs.replace(notice, rights=Rights(**says)))
        read(session)
        return published.take(session).get("error_code")

    assert hear(user=1, role="reader") == "forbidden"
    assert hear(user=1, muted=True) == "muted"
    assert hear(user=2, muted=False) == "muted"
    assert hear(user=1, muted=False) == "forbidden"
    assert hear(user=1, role="admin") is None
    assert hear(archived=True) == "archived"
    assert hear(archived=False) is None
    read(other)
    assert published.take(other)["status"] == "success"


def test_a_read_from_before_an_event_says_nothing(stage: Stage) -> None:
    """It may arrive after it."""
    session, room = of(stage, 1), stage.room
    room.restrictions.hear([session], Rights(1, muted=True), 7)
    room.restrictions.read(session, 6, Silence(0), is_archived=False)
    assert room.restrictions.refusal(session) == "muted"
    room.restrictions.read(session, 7, Silence(0), is_archived=False)
    assert room.restrictions.refusal(session) is None


def test_nothing_is_remembered_of_who_has_left(stage: Stage) -> None:
    """A room holds no connection that is gone."""
    session, room = of(stage, 1), stage.room
    room.restrictions.read(session, 1, Silence.MUTED, is_archived=False)
    room.leave(session)
    assert room.restrictions._silent == {}
