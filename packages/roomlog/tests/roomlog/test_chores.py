"""`roomlog chores`: who is told of which message, again after a failure, and what it says of itself."""

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
from django.db import OperationalError
from django.utils import timezone
from prometheus_client import REGISTRY
from redis import Redis

from roomlog import presence
from roomlog.chores import away, process, schedule, telling
from roomlog.chores.lease import Lease
from roomlog.chores.news import begin
from roomlog.chores.process import Chores
from roomlog.models import ChatMessage, ChoresLease, RoomEvent, RoomHead, RoomTold
from roomlog.notification_levels import set_levels
from roomlog.read_marks import move_marks
from roomlog.signals import message_missed
from roomlog_contract.commands import InviteUser, NewMessage, RenameRoom
from roomlog_contract.events import Message
from roomlog_local.ports import free_port
from roomlog_runtime.shutdown import Shutdown
from tests.harness.people import People, make_room, message, written
from tests.harness.waiting import wait_until

SECONDS: Final = 20.0


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


def test_who_has_read_a_message_is_not_told_of_it(project: Project, people: People) -> None:
    """On whichever device; what comes after the mark is told, and to a newcomer nothing of before."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, "read", "not read")
    written(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
    say(room, people.alice, "last")
    move_marks({(room, people.bob): 2})
    assert telling.tell(room, lambda: True) is None
    both = [key_of(people.bob), key_of(people.carol)]
    assert project.calls == [(room, "not read", both[:1]), (room, "last", both)]


def test_nobody_is_told_of_what_their_level_leaves_out(project: Project, people: People) -> None:
    """Mentions alone, or nothing; to the others it does not matter."""
    room = make_room(people.alice, [people.bob, people.carol])
    set_levels({(room, people.bob): "mentions", (room, people.carol): "none"})
    both = [people.bob, people.carol]
    written(NewMessage(uuid="1", room=room, text="for everybody"), people.alice)
    written(NewMessage(uuid="2", room=room, text="for both", mentions=both), people.alice)
    written(NewMessage(uuid="3", room=room, text="for all", mentions_room=True), people.alice)
    assert telling.tell(room, lambda: True) is None
    assert project.calls == [(room, text, [key_of(people.bob)]) for text in ("for both", "for all")]


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
    monkeypatch.setattr(away.log, "warning", lambda event, **facts: logged.append({event: facts}))
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


def test_trouble_ends_nothing(project: Project, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process goes on when it is over."""
    room = make_room(people.alice, [people.bob])
    keep = Lease.keep
    failed: list[Lease] = []

    def fails(lease: Lease) -> bool:
        if len(failed) < 3:
            failed.append(lease)
            raise OperationalError("secret")
        return keep(lease)

    with chores():
        monkeypatch.setattr(Lease, "keep", fails)
        wait_until(lambda: bool(failed), SECONDS, "no turn is left that began before")
        say(room, people.alice, "hello")
        wait_until(lambda: project.texts(room) == ["hello"], SECONDS, "it is told")
    assert len(failed) == 3


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


def test_without_a_receiver_there_is_nothing_to_do(database: str) -> None:
    """The command says what to write."""
    with pytest.raises(CommandError, match=r"@receiver\(message_missed\)"):
        call_command("roomlog", "chores")
