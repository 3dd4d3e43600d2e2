"""`roomlog chores`: who is told of which message, again after a failure, and one process at a time."""

import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client import REGISTRY
from redis import Redis

from roomlog.chores import news, presence, process, schedule, telling
from roomlog.chores.lease import DEAD_SECONDS, Lease
from roomlog.chores.news import PAGE_SECONDS, News, begin
from roomlog.chores.process import Chores
from roomlog.chores.schedule import Schedule
from roomlog.models import ChatMessage, ChatRoom, ChoresLease, RoomEvent, RoomHead, RoomTold
from roomlog.signals import message_missed
from roomlog_contract.commands import RenameRoom
from roomlog_contract.events import Message
from roomlog_local.ports import free_port
from roomlog_runtime.shutdown import Shutdown
from tests.harness.databases import EPOCH
from tests.harness.people import People, make_room, message, written
from tests.harness.waiting import wait_until

SECONDS: Final = 20.0
ROOM: Final = UUID(int=1)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Project:
    """What the project was told, and what its receiver does then."""

    def __init__(self) -> None:
        self.calls: list[tuple[UUID, str, list[Any]]] = []
        """Those that returned."""
        self.here: set[int] = set()
        """People with a connection."""
        self.failing: Counter[UUID] = Counter()
        """How often the receiver is still to fail, by room."""
        self.slow: dict[UUID, Event] = {}
        """Rooms whose calls take until then."""
        self.entered: list[UUID] = []

    def __call__(self, room: UUID, message: Message, users: list[Any], **_: Any) -> None:
        """Receive the signal."""
        self.entered.append(room)
        if room in self.slow:
            assert self.slow[room].wait(SECONDS)
        if self.failing[room]:
            self.failing[room] -= 1
            raise ValueError(message.text)
        self.calls.append((room, message.text, users))

    def texts(self, room: UUID) -> list[str]:
        """Return what was told of a room, in order."""
        return [text for told, text, _ in self.calls if told == room]


@pytest.fixture
def project(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project that wants to be told at once, and whose people are all away."""
    told = Project()
    monkeypatch.setitem(settings.ROOMLOG, "AWAY_SECONDS", 0)
    monkeypatch.setattr(telling, "present", lambda people: told.here & set(people))
    monkeypatch.setattr(process, "redis_trouble", lambda: None)
    monkeypatch.setattr(process, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(schedule, "FIRST_PAUSE_SECONDS", 0.02)
    message_missed.connect(told, sender=ChatMessage)
    yield told
    message_missed.disconnect(told, sender=ChatMessage)


@contextmanager
def chores() -> Iterator[Chores]:
    """The process, in a thread of this one; it has seen what was there before."""
    shutdown = Shutdown()
    running = Chores(shutdown)
    thread = Thread(target=running.run)
    thread.start()
    try:
        wait_until(ChoresLease.objects.filter(has_begun=True).exists, SECONDS, "it has begun")
        yield running
    finally:
        shutdown.request()
        thread.join(SECONDS)
        assert not thread.is_alive()


def say(room: UUID, person: int, *texts: str) -> None:
    """Write messages into the log."""
    for text in texts:
        written(message(room, text), person)


def key_of(person: int) -> Any:
    """Return the primary key of a person's user."""
    return User.objects.get(roomlog_person=person).pk


def test_those_who_are_away_are_told_in_order(project: Project, people: People) -> None:
    """By the keys of their accounts; neither the sender, nor who is here, nor who can't take part."""
    room = make_room(people.alice, [people.bob, people.carol])
    with chores():
        say(room, people.alice, "one", "two")
        both = [key_of(people.bob), key_of(people.carol)]
        expected = [(room, "one", both), (room, "two", both)]
        wait_until(lambda: project.calls == expected, SECONDS, "both are told")
        project.here = {people.bob}
        say(room, people.alice, "three")
        expected.append((room, "three", both[1:]))
        wait_until(lambda: project.calls == expected, SECONDS, "Carol alone is told")
        project.here = set()
        User.objects.filter(roomlog_person=people.alice).update(is_active=False)
        say(room, people.bob, "four")
        expected.append((room, "four", both[1:]))
        wait_until(lambda: project.calls == expected, SECONDS, "Carol alone is told again")


def test_what_was_said_before_the_first_start_is_not_told(project: Project, people: People) -> None:
    """But all that comes later is, also what came while no process ran, and in rooms that are new."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, "long ago")
    with chores():
        say(room, people.alice, "now")
        wait_until(lambda: project.texts(room) == ["now"], SECONDS, "it is told")
    say(room, people.alice, "meanwhile")
    other = make_room(people.alice, [people.bob])
    say(other, people.alice, "in a new room")
    with chores():
        wait_until(lambda: len(project.calls) == 3, SECONDS, "the rest is told")
    assert project.texts(room) == ["now", "meanwhile"]
    assert project.texts(other) == ["in a new room"]


def test_a_failing_receiver_is_tried_again_and_holds_up_its_room_alone(
    project: Project, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the order of the log; the log of the process has no text."""
    logged: list[dict[str, Any]] = []
    monkeypatch.setattr(process.log, "warning", lambda event, **facts: logged.append({event: facts}))
    bad, good = (make_room(people.alice, [people.bob]) for _ in range(2))
    project.failing[bad] = 3
    with chores():
        say(bad, people.alice, "secret", "after it")
        wait_until(lambda: logged, SECONDS, "it has failed")
        say(good, people.alice, "hello")
        wait_until(lambda: project.texts(good) == ["hello"], SECONDS, "the other room is told")
        wait_until(lambda: project.texts(bad) == ["secret", "after it"], SECONDS, "it is tried again")
    assert [facts["away_failed"]["error"] for facts in logged] == ["ValueError"] * 3
    assert [facts["away_failed"]["again_in"] for facts in logged] == [0.02, 0.04, 0.08]
    assert "secret" not in str(logged)


def test_all_receivers_are_called_again_if_one_raises(project: Project, people: People) -> None:
    """Those that had returned too; the message counts as told when none raises."""
    room = make_room(people.alice, [people.bob])
    second = Project()
    second.failing[room] = 2
    message_missed.connect(second, sender=ChatMessage)
    try:
        with chores():
            say(room, people.alice, "hello")
            wait_until(lambda: second.texts(room) == ["hello"], SECONDS, "the second has returned")
    finally:
        message_missed.disconnect(second, sender=ChatMessage)
    assert project.texts(room) == ["hello"] * 3


def test_a_slow_receiver_holds_up_its_room_alone(project: Project, people: People) -> None:
    """The others are told meanwhile, and its own room is not told by two threads."""
    slow, *others = (make_room(people.alice, [people.bob]) for _ in range(4))
    project.slow[slow] = Event()
    with chores():
        say(slow, people.alice, "one")
        wait_until(lambda: project.entered, SECONDS, "the slow call is under way")
        say(slow, people.alice, "two")
        for room in others:
            say(room, people.alice, "hello")
        wait_until(lambda: len(project.calls) == 3, SECONDS, "the others are told")
        assert project.entered.count(slow) == 1
        project.slow[slow].set()
        wait_until(lambda: project.texts(slow) == ["one", "two"], SECONDS, "the slow room goes on")


def test_a_room_of_many_messages_and_members_is_told_of_each_once(project: Project, people: People) -> None:
    """Page by page."""
    room = make_room(people.alice, [people.bob, people.carol])
    texts = [f"message {number}" for number in range(telling.AT_ONCE * 2 + 1)]
    with chores():
        say(room, people.alice, *texts)
        wait_until(lambda: project.texts(room) == texts, SECONDS, "all are told")
        wait_until(
            lambda: RoomTold.objects.get(room=room).seq == len(texts) + 1, SECONDS, "the cursor is there"
        )


def test_a_young_message_waits(project: Project, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it has the age that the settings say."""
    monkeypatch.setitem(settings.ROOMLOG, "AWAY_SECONDS", 60)
    room = make_room(people.alice, [people.bob])
    begin(lambda: None)
    say(room, people.alice, "old", "young")
    RoomEvent.objects.filter(text="old").update(date_created=timezone.now() - timedelta(seconds=61))
    rest = telling.tell(room, lambda: True)
    assert rest is not None
    assert 50 < rest <= 60
    assert project.texts(room) == ["old"]


def test_erased_messages_and_other_events_are_passed_over(project: Project, people: People) -> None:
    """Once: the cursor is behind them."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, "erased")
    RoomEvent.objects.filter(text="erased").update(deleted_at=timezone.now(), text="")
    written(RenameRoom(uuid="r", room=room, name="other"), people.alice)
    assert telling.tell(room, lambda: True) is None
    assert project.calls == []
    assert RoomTold.objects.get(room=room).seq == RoomHead.objects.get(room=room).last_seq == 3


def test_a_process_that_lost_the_lease_ends_early(project: Project, people: People) -> None:
    """Before a call, or after one in which another process was faster: that one has told."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, "one", "two")
    assert telling.tell(room, lambda: False) is None
    assert project.calls == []

    def faster() -> bool:
        return RoomTold.objects.filter(room=room).update(seq=3) == 1

    assert telling.tell(room, faster) is None
    assert project.texts(room) == ["one"]


@pytest.fixture
def many_rooms(people: People) -> UUID:
    """3,000 rooms with a message each, all told of; returns one of them."""
    rooms = [ChatRoom(id=UUID(int=number)) for number in range(1, 3_001)]
    ChatRoom.objects.bulk_create(rooms)
    RoomHead.objects.bulk_create(RoomHead(room=room, epoch=EPOCH, last_seq=1, messages=1) for room in rooms)
    now, first = timezone.now(), {"seq": 1, "number": 1, "kind": "new_message", "uuid": "u"}
    RoomEvent.objects.bulk_create(
        RoomEvent(room=room, user_id=people.alice, date_created=now, **first) for room in rooms
    )
    begin(lambda: None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rooms[1234].pk


@pytest.mark.usefixtures("project")
def test_news_are_found_without_a_scan_of_the_rooms(many_rooms: UUID, people: People) -> None:
    """Of 3,000: by one descent of the events' ids; now and then a page of heads finds what that misses."""
    clock = Clock()
    looks = News(clock)
    for _ in range(4):  # the first round: a page with each look
        assert look(looks) == set()
    with CaptureQueriesContext(connection) as captured:
        assert look(looks) == set()
        written(message(many_rooms), people.alice, staff=True)
        assert look(looks) == {many_rooms}
        clock.now += PAGE_SECONDS
        assert look(looks) == set()
    by_id, pages = (
        [query["sql"] for query in captured.captured_queries if f'FROM "roomlog_{table}"' in query["sql"]]
        for table in ("roomevent", "chatroom")
    )
    assert (len(by_id), len(pages)) == (3, 1)
    assert "roomlog_roomevent_pkey" in plan(by_id[1]) or "INTEGER PRIMARY KEY" in plan(by_id[1])
    assert f"LIMIT {news.PAGE}" in pages[0]
    telling.tell(many_rooms, lambda: True)
    # An id that was reserved long ago is below the highest: the round through the heads finds the event.
    written(message(many_rooms), people.alice, staff=True)
    RoomEvent.objects.filter(room=many_rooms, seq=3).update(id=0)
    assert look(looks) == set()
    found = set()
    for _ in range(4):
        clock.now += PAGE_SECONDS
        found |= look(looks)
    assert found == {many_rooms}


def look(looks: News) -> set[UUID]:
    """Return what both ways of looking find."""
    return looks.fresh() | looks.missed()


def plan(sql: str) -> str:
    """Return how the database executes it."""
    with connection.cursor() as cursor:
        cursor.execute(("EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN ") + sql)
        return str(cursor.fetchall())


def test_one_process_works_and_another_takes_over(database: str) -> None:
    """At once where the first has ended; after ten seconds of a beat that stands still where it has died."""
    clock = Clock()
    first, second = Lease(clock), Lease(clock)
    assert first.keep()
    for _ in range(30):
        clock.now += 1
        assert first.keep()
        assert not second.keep()
    first.release()
    assert second.keep()
    assert not first.keep()
    clock.now += DEAD_SECONDS - 1
    assert not first.keep(), "perhaps it is only slow"
    clock.now += 1
    assert first.keep()
    assert not second.keep()


def test_an_outage_makes_nobody_dead(database: str) -> None:
    """Who saw nothing meanwhile begins to watch anew."""
    clock = Clock()
    first, second = Lease(clock), Lease(clock)
    assert first.keep()
    assert not second.keep()
    clock.now += DEAD_SECONDS
    second.forget()
    assert not second.keep()
    assert first.keep()


def test_trouble_of_the_database_ends_nothing(
    project: Project, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process goes on when it is over."""
    room = make_room(people.alice, [people.bob])
    keep, failures = Lease.keep, iter(range(3))

    def fails(lease: Lease) -> bool:
        if next(failures, None) is not None:
            raise OperationalError("secret")
        return keep(lease)

    with chores():
        monkeypatch.setattr(Lease, "keep", fails)
        say(room, people.alice, "hello")
        wait_until(lambda: project.texts(room) == ["hello"], SECONDS, "it is told")
    assert next(failures, None) is None


def test_it_is_ready_while_database_and_redis_answer(
    project: Project, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason names which of them does not, and no text of an error."""

    def fails(lease: Lease) -> bool:
        raise OperationalError("secret")

    with chores() as running:
        wait_until(lambda: running.trouble() is None, SECONDS, "it is ready")
        monkeypatch.setattr(process, "redis_trouble", presence.redis_trouble)
        monkeypatch.setattr(presence, "_redis", lambda: Redis(port=free_port()))
        wait_until(lambda: running.trouble() == "redis: ConnectionError", SECONDS, "Redis is missed")
        monkeypatch.setattr(Lease, "keep", fails)
        wait_until(lambda: running.trouble() == "database: OperationalError", SECONDS, "so is the database")
        assert running.is_turning()


def test_a_loop_that_stands_still_is_dead(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it goes on; a receiver that hangs is no reason to kill the process."""
    keep, gate = Lease.keep, Event()

    def hangs(lease: Lease) -> bool:
        assert gate.wait(SECONDS)
        return keep(lease)

    monkeypatch.setattr(process, "STUCK_SECONDS", 0.5)
    with chores() as running:
        assert running.is_turning()
        monkeypatch.setattr(Lease, "keep", hangs)
        wait_until(lambda: not running.is_turning(), SECONDS, "it stands still")
        gate.set()
        wait_until(running.is_turning, SECONDS, "it goes on")


def test_a_long_first_look_is_alive(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so after each page of rooms."""
    for _ in range(3):
        make_room(people.alice, [people.bob])
    monkeypatch.setattr(news, "PAGE", 2)
    pages: list[int] = []
    begin(lambda: pages.append(RoomTold.objects.count()))
    assert pages == [2, 3]


def test_the_metrics_say_who_works_and_what_fails(
    project: Project, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told counts once, and a failing room until it is told of."""
    monkeypatch.setattr(schedule, "FIRST_PAUSE_SECONDS", 1.0)
    told, failures = (sample("late_seconds_count"), sample("failures_total"))
    room = make_room(people.alice, [people.bob])
    project.failing[room] = 1
    with chores():
        wait_until(lambda: sample("lease_owned") == 1, SECONDS, "it works")
        say(room, people.alice, "one", "two")
        wait_until(lambda: sample("failing_rooms") == 1, SECONDS, "one fails")
        wait_until(lambda: project.texts(room) == ["one", "two"], SECONDS, "it is told")
        wait_until(lambda: sample("failing_rooms") == 0, SECONDS, "none fails")
    assert (sample("late_seconds_count") - told, sample("failures_total") - failures) == (2, 1)


def sample(name: str) -> float:
    """Return a metric's value."""
    value = REGISTRY.get_sample_value(f"roomlog_chores_{name}")
    assert value is not None
    return value


def test_a_port_that_is_taken_ends_the_start(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable to set: two processes of one machine need two ports."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("ROOMLOG_HEALTH_BIND", bind)
        with pytest.raises(CommandError, match=f"Can't listen on {bind}: .* its own ROOMLOG_HEALTH_BIND"):
            call_command("roomlog", "chores")


def test_a_room_that_waits_keeps_its_time() -> None:
    """News don't put it off, and don't shorten the pause after a failure; a busy room is given back first."""
    clock = Clock()
    rooms = Schedule(clock)
    rooms.add([ROOM], 5)
    clock.now += 4
    rooms.add([ROOM], 5)
    clock.now += 1
    assert rooms.take() == ROOM
    rooms.add([ROOM], 0)
    rooms.done(ROOM, 60)
    assert rooms.take() == ROOM, "news came meanwhile"
    rooms.add([ROOM], 0)
    pause = rooms.failed(ROOM)
    rooms.add([ROOM], 0)
    late = Thread(target=lambda: seen.append(rooms.take()))
    seen: list[UUID | None] = []
    late.start()
    assert seen == []
    clock.now += pause
    rooms.add([UUID(int=2)], 60)
    late.join(SECONDS)
    assert seen == [ROOM]
    rooms.close()
    assert rooms.take() is None


def test_without_a_receiver_there_is_nothing_to_do(database: str) -> None:
    """The command says what to write."""
    with pytest.raises(CommandError, match=r"@receiver\(message_missed\)"):
        call_command("roomlog", "chores")
