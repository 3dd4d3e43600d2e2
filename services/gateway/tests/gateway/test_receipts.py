"""Who has read how far: all to those who begin to watch, then what moves, and nothing to anybody else."""

import asyncio
from typing import Any

import pytest

from roomlog_contract import limits
from roomlog_contract.commands import Watch
from roomlog_contract.envelope import HaveRead
from roomlog_gateway.sockets.outbox import Frame
from roomlog_gateway.sockets.session import Session
from roomlog_gateway.sockets.token_bucket import TokenBucket
from tests.gateway.insides import ROOM, Stage, read
from tests.gateway.room_log import EPOCH, RESTORED
from tests.gateway.running import Connect
from tests.gateway.stub_worker import StubRoom

Told = tuple[bool, dict[int, int]]


@pytest.fixture
def shown(stage: Stage) -> Stage:
    """A room that shows receipts: users 1 and 2 have read up to 3 and 5."""
    stage.room.read_receipts(True, 0)
    stage.questions.marks = {1: 3, 2: 5}
    return stage


def of(stage: Stage, user: int) -> Session:
    """Return a connection of a user."""
    session = stage.session()
    session.attach(user, TokenBucket(100, 100, now=0.0))
    return session


def watching(stage: Stage, user: int) -> Session:
    """Return a connection of a user that watches the room."""
    session = of(stage, user)
    stage.watching.take(session, Watch(uuid="w", rooms=[ROOM]))
    read(session)
    return session


def told(session: Session) -> list[Told]:
    """Return each frame of marks, whether it is whole and what it says, and read all."""
    frames = [frame for frame in read(session) if frame["action"] == "room_receipts"]
    return [(one["whole"], {mark["user"]: mark["seq"] for mark in one["marks"]}) for one in frames]


def second(stage: Stage, seconds: int = 1) -> None:
    """Let time pass, and workers answer."""
    for _ in range(seconds):
        stage.now += 1.0
        stage.receipts.tick(stage.now)
        while stage.asking:
            asyncio.run(stage.asking.pop())


def moves(stage: Stage, seq: int = 0, **marks: int) -> None:
    """Let a worker say that marks have moved: `u2=7`."""
    by_user = {int(user[1:]): mark for user, mark in marks.items()}
    stage.receipts.hear(stage.room, HaveRead(stage.room.epoch, seq, by_user))


async def test_a_watcher_is_told_all_and_then_what_moves(room: StubRoom, enter: Connect) -> None:
    """Across Redis and a worker; who does not watch is told nothing."""
    room.marks = {1: 0, 2: 1}
    one, other = await enter(1), await enter(2)
    await one.ask("watch", rooms=[room.hex])
    first = await one.event("room_receipts")
    marks = [{"user": 1, "seq": 0}, {"user": 2, "seq": 1}]
    assert first == {**first, "room": room.hex, "epoch": room.epoch, "whole": True, "marks": marks}
    await room.read(2, 4)
    moved = await one.event("room_receipts")
    assert (moved["whole"], moved["marks"]) == (False, [{"user": 2, "seq": 4}])
    await room.say(3, "after")
    await other.event("new_message")
    assert "room_receipts" not in [frame["action"] for frame in other.received]


def test_marks_of_a_second_are_one_frame(shown: Stage) -> None:
    """Of each the greatest, never one that was told or is behind; without a change nothing is sent."""
    session = watching(shown, 1)
    second(shown)
    assert told(session) == [(True, {1: 3, 2: 5})]
    moves(shown, u2=7)
    moves(shown, u2=6, u1=3)
    moves(shown, u3=1)
    assert told(session) == []
    second(shown)
    assert told(session) == [(False, {2: 7, 3: 1})]
    moves(shown, u2=7)
    second(shown, 3)
    assert (told(session), shown.questions.asked) == ([], 1)


def test_a_room_that_shows_nothing_asks_and_tells_nothing(stage: Stage) -> None:
    """Whatever comes; from the event on that says so it does both, and no more after the next."""
    session = watching(stage, 1)
    moves(stage, u2=7)
    second(stage, 30)
    assert (told(session), stage.questions.asked) == ([], 0)
    for is_shown, expected in ((True, [(True, {2: 5})]), (False, []), (True, [(True, {2: 5})])):
        stage.questions.marks = {2: 5}
        stage.incoming.take_event(stage.room, stage.append(receipts=is_shown))
        read(session)
        second(stage, 2)
        assert told(session) == expected


def test_what_the_database_said_before_the_event_is_outdated(stage: Stage) -> None:
    """A recheck that was read before `set_receipts` and arrives after it."""
    stage.incoming.take_event(stage.room, stage.append(receipts=True))
    stage.room.read_receipts(False, 0)
    assert stage.room.shows_receipts
    stage.room.read_receipts(False, 1)
    assert not stage.room.shows_receipts


def test_what_is_lost_is_asked_for(shown: Stage) -> None:
    """Every twenty seconds, and at once where nobody has answered."""
    shown.questions.is_there = False
    session = watching(shown, 1)
    second(shown, 3)
    assert (told(session), shown.questions.asked) == ([], 3)
    shown.questions.is_there = True
    second(shown)
    assert told(session) == [(True, {1: 3, 2: 5})]
    shown.questions.marks = {1: 3, 2: 9}
    second(shown, round(limits.RECEIPTS_ASK_SECONDS) - 1)
    assert told(session) == []
    second(shown)
    assert told(session) == [(False, {2: 9})]


def test_a_room_that_becomes_too_large_tells_nothing(shown: Stage) -> None:
    """Those who were told something are told that; a mark that moves later means that it is small again."""
    session = watching(shown, 1)
    second(shown)
    assert told(session) == [(True, {1: 3, 2: 5})]
    shown.questions.marks = None
    second(shown, round(limits.RECEIPTS_ASK_SECONDS))
    second(shown)
    assert told(session) == [(True, {})]
    late = watching(shown, 2)
    second(shown, 2)
    assert told(late) == []
    shown.questions.marks = {1: 3, 2: 6}
    moves(shown, u2=6)
    second(shown, 2)
    assert (told(session), told(late)) == ([(True, {1: 3, 2: 6})], [(True, {1: 3, 2: 6})])


def test_who_has_left_is_told_of_no_more_and_hears_no_more(shown: Stage) -> None:
    """Neither by what is asked nor by what was under way."""
    session, leaver = watching(shown, 1), watching(shown, 2)
    second(shown)
    assert told(session) == told(leaver) == [(True, {1: 3, 2: 5})]
    shown.publish(shown.append(left=2).seq)
    moves(shown, seq=0, u2=8)
    moves(shown, seq=1, u1=4)
    read(session)
    second(shown)
    late = watching(shown, 3)
    second(shown)
    assert (told(session), told(late), told(leaver)) == ([(False, {1: 4})], [(True, {1: 4})], [])
    assert list(shown.room.receipts.watchers) == [session, late]  # type: ignore[union-attr]


def test_another_log_begins_anew(shown: Stage) -> None:
    """What was heard of the one before is no mark of this one, nor is an answer that is late."""
    session = watching(shown, 1)
    second(shown)
    shown.begin_anew()
    shown.selection.answer(shown.select(session), shown.snapshot(0))
    read(session)
    second(shown)  # answered from the log before
    assert told(session) == []
    shown.questions.epoch, shown.questions.marks = RESTORED, {1: 1}
    second(shown, round(limits.RECEIPTS_ASK_SECONDS))
    assert shown.room.epoch == RESTORED != EPOCH
    shown.receipts.hear(shown.room, HaveRead(EPOCH, 9, {1: 9}))
    second(shown)
    assert told(session) == [(True, {1: 1})]


def test_who_reads_the_room_afresh_is_told_all_again(shown: Stage) -> None:
    """Who has left meanwhile, no event tells them."""
    session = watching(shown, 1)
    second(shown)
    read(session)
    request = shown.select(session, is_afresh=True)
    moves(shown, u2=6)
    second(shown)
    assert told(session) == []  # its answer comes first
    shown.selection.answer(request, shown.snapshot(0))
    read(session)
    second(shown)
    assert told(session) == [(True, {1: 3, 2: 6})]


def test_nothing_waits_behind_it(shown: Stage) -> None:
    """A connection for which something waits is told later, once, and others meanwhile."""
    slow, quick = watching(shown, 1), watching(shown, 2)
    second(shown)
    slow.outbox.clear()
    read(quick)
    slow.outbox.push_answer(Frame(b"x"))
    for seq in (6, 7):
        moves(shown, u2=seq)
        second(shown)
        assert told(quick) == [(False, {2: seq})]
    slow.outbox.clear()
    slow.outbox.is_scheduled = False
    second(shown)
    assert (told(slow), told(quick)) == ([(False, {2: 7})], [])


def test_a_room_that_nobody_watches_is_forgotten(shown: Stage) -> None:
    """It asks no worker any more, and keeps no marks."""
    session = watching(shown, 1)
    second(shown)
    stage_answer: Any = Watch(uuid="w", rooms=[])
    shown.watching.take(session, stage_answer)
    second(shown, 30)
    assert (shown.room.receipts, shown.receipts._watched, shown.questions.asked) == (None, {}, 1)
