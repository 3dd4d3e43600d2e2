"""Who of a room is connected: told to those who watch it, and never in the way of an event."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from roomlog_contract import limits
from roomlog_contract.commands import Watch
from roomlog_contract.envelope import ArePresent, IsWatched
from roomlog_gateway.rooms import presence
from roomlog_gateway.rooms.room import Room
from roomlog_gateway.sockets.outbox import Frame
from roomlog_gateway.sockets.session import Session
from roomlog_gateway.sockets.token_bucket import TokenBucket
from tests.gateway.insides import GATEWAY, ROOM, Stage, read
from tests.gateway.room_log import EPOCH, RESTORED, RoomLog
from tests.gateway.running import Connect
from tests.gateway.stub_worker import StubRoom, StubWorker


def of(stage: Stage, user: int) -> Session:
    """Return a connection of a user."""
    session = stage.session()
    session.attach(user, TokenBucket(100, 100, now=0.0))
    return session


def watch(stage: Stage, session: Session, *rooms: Any) -> dict[str, Any]:
    """Let a client say what it looks at, and return its answer."""
    stage.watching.take(session, Watch(uuid="w", rooms=list(rooms)))
    (answer,) = read(session)
    return answer


def watching(stage: Stage, user: int) -> Session:
    """Return a connection of a user that watches the room."""
    session = of(stage, user)
    assert watch(stage, session, ROOM)["status"] == "success"
    return session


def told(session: Session) -> list[tuple[list[int] | None, int]]:
    """Return users and count of each frame about who is there, and read all."""
    frames = [frame for frame in read(session) if frame["action"] == "room_presence"]
    return [(frame["users"], frame["count"]) for frame in frames]


def second(stage: Stage, seconds: int = 1) -> None:
    """Let time pass."""
    for _ in range(seconds):
        stage.now += 1.0
        stage.presence.tick(stage.now)


def elsewhere(stage: Stage, *users: int, gateway: str = "other", seq: int = 0) -> None:
    """Let another gateway say who is connected to it."""
    stage.presence.hear(stage.room, ArePresent(gateway, stage.room.epoch, seq, list(users), len(users)))


async def test_watchers_on_two_gateways_see_everybody(
    worker: StubWorker, room: StubRoom, enter: Connect, make_gateway: Callable[..., Any]
) -> None:
    """Each once, whatever the connections; whoever goes is gone, and no worker hears of it."""
    there = await make_gateway()
    one, again, other = await enter(1), await enter(1, there), await enter(2, there)
    seen = len(worker.seen)
    for client in (one, other):
        answer = await client.ask("watch", rooms=[room.hex])
        assert answer == {"uuid": answer["uuid"], "action": "watch", "status": "success"}

    for client in (one, other):
        await client.until(lambda frame: frame.get("users") == [1, 2])
    await again.socket.close()
    await other.socket.close()
    await one.until(lambda frame: frame.get("users") == [1])
    assert not any(isinstance(entry.command, Watch) for entry in worker.seen[seen:])


async def test_strangers_are_refused_like_everywhere(room: StubRoom, enter: Connect) -> None:
    """A room of others and no room at all are the same to them, and nothing is watched in part."""
    stranger = await enter(4)
    for key in (room.hex, uuid4().hex):
        answer = await stranger.ask("watch", rooms=[key])
        assert (answer["status"], answer["error_code"], answer["room"]) == ("error", "not_member", key)


async def test_a_rule_that_hides_it_is_kept(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """The api asks the rule, for each who asks."""
    worker.unseeing.add(2)
    seeing, other = await enter(1), await enter(2)
    for client in (other, seeing):
        assert (await client.ask("watch", rooms=[room.hex]))["status"] == "success"
    await seeing.event("room_presence")
    await room.say(3, "after")
    await other.event("new_message")
    assert "room_presence" not in [frame["action"] for frame in other.received]


def test_a_refused_watch_changes_nothing(stage: Stage) -> None:
    """The rooms before it are watched on, those beside the bad one are not."""
    session = watching(stage, 1)
    assert watch(stage, session, uuid4(), ROOM)["error_code"] == "not_member"
    second(stage)
    assert told(session) == [([1], 1)]
    assert watch(stage, of(stage, 2), ROOM, uuid4())["error_code"] == "not_member"
    second(stage)
    assert told(session) == [([1, 2], 2)]
    assert len(stage.room.attendance.watchers) == 1  # type: ignore[union-attr]


def test_a_watch_replaces_the_one_before(stage: Stage) -> None:
    """Without rooms nothing is watched any more; after a while the room costs nothing again."""
    session = watching(stage, 1)
    watch(stage, session)
    of(stage, 2)
    second(stage, 60)
    assert told(session) == []
    assert stage.room.attendance is None
    assert stage.presence._watched == {}


def test_a_room_that_nobody_watches_says_nothing(stage: Stage) -> None:
    """Whoever comes and goes."""
    stage.room.leave(of(stage, 1))
    elsewhere(stage, 7)
    second(stage, 3)
    assert (stage.said, stage.room.attendance) == ([], None)


def test_a_watcher_is_told_what_changes_once_a_second(stage: Stage) -> None:
    """All at once, and nothing where nothing has changed."""
    session = watching(stage, 1)
    others = [of(stage, user) for user in (2, 3, 3)]
    second(stage)
    assert told(session) == [([1, 2, 3], 3)]
    stage.room.leave(others[1])
    second(stage)
    assert told(session) == []  # the user's other connection is there
    stage.room.leave(others[2])
    stage.room.leave(others[0])
    of(stage, 4)
    second(stage)
    assert told(session) == [([1, 4], 2)]
    second(stage, 5)
    assert told(session) == []


def test_the_first_word_waits_for_the_answers(stage: Stage) -> None:
    """Otherwise everybody on other gateways would seem to come."""
    session = watching(stage, 1)
    stage.presence.tick(stage.now + 0.1)
    assert told(session) == []
    elsewhere(stage, 2)
    second(stage)
    assert told(session) == [([1, 2], 2)]


def test_a_gateway_asks_and_says_who_is_here(stage: Stage) -> None:
    """Once in ten seconds, and what changes in the second in which it does."""
    watching(stage, 1)
    assert stage.said == [IsWatched(GATEWAY)]
    second(stage)
    of(stage, 2)
    second(stage, 7)
    mine = [ArePresent(GATEWAY, EPOCH, 0, [1], 1), ArePresent(GATEWAY, EPOCH, 0, [1, 2], 2)]
    assert stage.said[1:] == mine
    second(stage, 2)
    assert stage.said[3:] == [IsWatched(GATEWAY), mine[1]]


def test_another_gateways_question_is_answered_and_spares_ours(stage: Stage) -> None:
    """At once, then for each change, until nobody has asked for 25 s."""
    of(stage, 1)
    stage.presence.hear(stage.room, IsWatched("other"))
    assert stage.said == [ArePresent(GATEWAY, EPOCH, 0, [1], 1)]
    stage.presence.hear(stage.room, IsWatched("third"))
    assert len(stage.said) == 1  # the one before was in this second
    session = watching(stage, 2)
    second(stage)
    assert (told(session), stage.said[1:]) == ([([1, 2], 2)], [ArePresent(GATEWAY, EPOCH, 0, [1, 2], 2)])
    watch(stage, session)
    second(stage, round(limits.PRESENCE_KEPT_SECONDS))
    stage.session()
    second(stage)
    assert (len(stage.said), stage.room.attendance) == (2, None)


def test_what_redis_does_not_take_is_said_later(stage: Stage) -> None:
    """Questions and answers, as soon as it does."""
    stage.is_writable = False
    watching(stage, 1)
    second(stage, 3)
    stage.is_writable = True
    second(stage)
    assert stage.said == [IsWatched(GATEWAY), ArePresent(GATEWAY, EPOCH, 0, [1], 1)]


def test_a_gateway_that_says_nothing_more_has_nobody(stage: Stage) -> None:
    """It was killed: its people are gone after 25 s."""
    session = watching(stage, 1)
    elsewhere(stage, 7)
    second(stage, 24)
    assert told(session) == [([1, 7], 2)]
    second(stage)
    assert told(session) == [([1], 1)]


def test_the_last_connection_of_a_gateway_is_said_to_be_gone(stage: Stage) -> None:
    """Its room ends here with it, while somebody watches elsewhere."""
    session = of(stage, 1)
    stage.presence.hear(stage.room, IsWatched("other"))
    stage.room.leave(session)
    del stage.presence._rooms[ROOM]
    second(stage)
    assert stage.said[1:] == [ArePresent(GATEWAY, EPOCH, 0, [], 0)]
    assert stage.presence._watched == {}


def test_a_room_that_begins_again_at_once_goes_on(stage: Stage) -> None:
    """The only one here connects anew within a second: nobody hears that they were gone."""
    session = of(stage, 1)
    stage.presence.hear(stage.room, IsWatched("other"))
    stage.room.leave(session)
    stage.room = stage.presence._rooms[ROOM] = Room(ROOM, stage.fanout.spread)
    stage.compare_head()
    of(stage, 1)
    second(stage, 2)
    assert stage.said[1:] == [ArePresent(GATEWAY, EPOCH, 0, [1], 1)]


def test_who_has_left_is_not_told_of(stage: Stage) -> None:
    """Another gateway may hear of the leave later; what it says after an invitation counts."""
    session = watching(stage, 1)
    elsewhere(stage, 5)
    second(stage)
    assert told(session) == [([1, 5], 2)]
    stage.publish(stage.append(left=5).seq)
    second(stage)
    elsewhere(stage, 5)
    second(stage)
    assert told(session) == [([1], 1)]
    elsewhere(stage, 5, seq=1)
    second(stage)
    assert told(session) == [([1, 5], 2)]


def test_what_was_said_of_a_log_before_counts_no_more(stage: Stage) -> None:
    """Who left in what was never heard is not told of: below the log's new head, in another log, or here."""
    before = watching(stage, 1)
    elsewhere(stage, 5, seq=9)
    stage.log = RoomLog(ROOM, RESTORED)
    stage.append()
    stage.compare_head()
    session = watching(stage, 2)
    second(stage)
    assert told(session) == [([2], 1)]
    request = stage.select(before)
    stage.selection.answer(request, stage.snapshot(0))
    stage.selection.release(request)
    second(stage)
    assert told(session) == [([1, 2], 2)]
    elsewhere(stage, 5)
    elsewhere(stage, 6, gateway="third", seq=1)
    second(stage)
    assert told(session) == [([1, 2, 6], 3)]
    elsewhere(stage, 5, seq=1)
    second(stage)
    assert told(session) == [([1, 2, 5, 6], 4)]


def test_who_was_removed_is_told_nothing_more(stage: Stage) -> None:
    """Watching ends with the membership."""
    session = watching(stage, 5)
    second(stage)
    stage.publish(stage.append(left=5).seq)
    read(session)
    of(stage, 6)
    second(stage, 2)
    assert told(session) == []


def test_a_connection_for_which_anything_waits_is_told_later(stage: Stage) -> None:
    """So no event waits for a frame of this kind but one; then it is told how it is by now."""
    slow = watching(stage, 1)
    slow.outbox.push_event(Frame(b"", ROOM))
    for user in range(2, 5):
        of(stage, user)
        second(stage)
    assert len(slow.outbox) == 1
    read(slow)
    second(stage)
    assert told(slow) == [([1, 2, 3, 4], 4)]


def test_a_connection_that_is_behind_is_told_later(stage: Stage) -> None:
    """Nothing of the room is sent to it until it asks; to others it is there."""
    stage.commit(3)
    session, other = stage.session(cursor=1), watching(stage, 2)
    session.attach(1, TokenBucket(100, 100, now=0.0))
    watch(stage, session, ROOM)
    second(stage)
    assert (told(session), told(other)) == ([], [([1, 2], 2)])


def test_above_200_only_the_number_is_told(stage: Stage) -> None:
    """Here or elsewhere: gateways don't name so many to each other either."""
    session = watching(stage, 1)
    elsewhere(stage, *range(2, limits.PRESENCE_USERS + 1))
    second(stage)
    assert told(session) == [(list(range(1, limits.PRESENCE_USERS + 1)), limits.PRESENCE_USERS)]
    elsewhere(stage, *range(3, limits.PRESENCE_USERS + 3))
    second(stage)
    assert told(session) == [(None, limits.PRESENCE_USERS + 1)]
    stage.presence.hear(stage.room, ArePresent("third", EPOCH, 0, None, 1000))
    second(stage)
    assert told(session) == [(None, limits.PRESENCE_USERS + 1001)]
    for user in range(1, limits.PRESENCE_USERS + 2):
        of(stage, user)
    second(stage)
    assert stage.said[-1] == ArePresent(GATEWAY, EPOCH, 0, None, limits.PRESENCE_USERS + 1)


def test_many_watchers_are_told_in_turns_of_10_s(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a large room somebody always moves; whoever has just come is told at once."""
    monkeypatch.setattr(presence, "FEW_WATCHERS", 1)
    sessions = [watching(stage, user) for user in (1, 2)]
    second(stage)
    assert told(sessions[0]) == [([1, 2], 2)]
    latest = watching(stage, 3)
    second(stage)
    assert (told(sessions[0]), told(latest)) == ([], [([1, 2, 3], 3)])
    second(stage, 9)
    assert told(sessions[0]) == [([1, 2, 3], 3)]
