"""The project's policy at the worker: its refusals are answers; a slow one is nobody else's matter."""

import threading
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from roomlog import policy
from roomlog.models import ChatRoom, Membership, RoomEvent
from roomlog.rooms import sync_members
from roomlog_contract.commands import CreateRoom, InviteUser, JoinRoom
from roomlog_worker import questions
from tests.harness.people import People, make_room, message
from tests.worker.bench import Bench, until

DEADLINE_SECONDS: Final = 20.0


class Rules:
    """A policy that goes by the name of a room: it refuses, sleeps when told, or fails its query."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.threads: list[str] = []

    def may_create_room(self, user: Any, kind: str, members: list[Any]) -> Any:
        """Refuse direct rooms with a reason."""
        self.threads.append(threading.current_thread().name)
        return True if kind == "group" else "Talk in groups."

    def may_invite(self, user: Any, room: ChatRoom, other: Any) -> Any:
        """Say what the room's name says."""
        self.threads.append(threading.current_thread().name)
        if room.name == "slow":
            self.woken.wait(DEADLINE_SECONDS)
        if room.name == "broken":
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM no_such_table")
        return room.name != "closed"


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rules]:
    """A project that names a policy."""
    made = Rules()
    monkeypatch.setitem(settings.ROOMLOG, "POLICY", "shop.rules")
    monkeypatch.setattr(policy, "policy_at", lambda path: made)
    yield made
    made.woken.set()


@pytest.fixture
def worker(bench: Bench) -> Iterator[Bench]:
    """A worker whose threads end with the test."""
    yield bench
    bench.worker.consumer.close()


def room_named(name: str, people: People) -> Any:
    """Return a room of Alice's of which the policy thinks so."""
    room = make_room(people.alice)
    ChatRoom.objects.filter(pk=room).update(name=name)
    return room


def test_a_refusal_is_an_answer_with_a_sentence(worker: Bench, people: People, rules: Rules) -> None:
    """Nothing is stored; never in the writer's thread; once for each entry."""
    refused = worker.send(CreateRoom(uuid="d", kind="direct", members=[people.bob]), people.alice)
    allowed = worker.send(CreateRoom(uuid="g", members=[people.bob]), people.alice)
    heard = until(worker.turn, lambda heard: {refused, allowed} <= heard.replies.keys())
    assert heard.frame(refused)["error_code"] == "forbidden"
    assert heard.frame(refused)["error_message"] == "Talk in groups."
    assert heard.frame(allowed)["status"] == "success"
    assert ChatRoom.objects.get().kind == "group"
    assert worker.waiting() == 0
    assert len(rules.threads) == 2
    assert all(name.startswith("policy") for name in rules.threads)


def test_somebody_who_joins_is_asked_about(worker: Bench, people: People) -> None:
    """As about an invitation; a room that is not open is refused as ever."""
    rooms = [room_named("closed", people), room_named("open", people), room_named("open", people)]
    ChatRoom.objects.filter(pk__in=rooms[:2]).update(is_discoverable=True)
    asked = [worker.send(JoinRoom(uuid="j", room=room), people.carol) for room in rooms]
    heard = until(
        worker.turn, lambda heard: {asked[0], asked[2]} <= heard.replies.keys() and bool(heard.notices)
    )
    assert [heard.error(asked[0]), heard.error(asked[2])] == ["forbidden", "not_member"]
    assert list(Membership.objects.filter(user=people.carol).values_list("room", flat=True)) == [rooms[1]]


def test_a_slow_one_and_a_broken_one_harm_nobody_else(worker: Bench, people: People, rules: Rules) -> None:
    """Other rooms are written meanwhile; what stands behind the slow one in its room keeps its place."""
    slow, broken, other = room_named("slow", people), room_named("broken", people), make_room(people.alice)
    asked = worker.send(InviteUser(uuid="i", room=slow, user=people.bob), people.alice)
    behind = worker.send(message(slow, "behind"), people.alice)
    failed = worker.send(InviteUser(uuid="i", room=broken, user=people.bob), people.alice)
    worker.send(message(other), people.alice)
    heard = until(worker.turn, lambda heard: bool(heard.notices) and failed in heard.replies)
    assert heard.error(failed) == "internal"
    assert not {asked, behind} & heard.replies.keys()
    assert RoomEvent.objects.filter(room=slow).count() == 1
    rules.woken.set()
    until(worker.turn, lambda heard: RoomEvent.objects.filter(room=slow).count() == 3)
    kinds = RoomEvent.objects.filter(room=slow).order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["create_room", "invite_user", "new_message"]


def test_one_that_is_late_is_told_to_come_back(
    worker: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not allowed, not refused for good, and its room goes on."""
    monkeypatch.setattr(questions, "DEADLINE_SECONDS", 0.0)
    room = room_named("slow", people)
    asked = worker.send(InviteUser(uuid="i", room=room, user=people.bob), people.alice)
    worker.send(message(room), people.alice)
    heard = until(worker.turn, lambda heard: asked in heard.replies and bool(heard.notices))
    assert (heard.error(asked), heard.frame(asked)["retry_after_ms"]) == ("busy", 1_000)
    assert not Membership.objects.filter(room=room, user=people.bob).exists()


def test_more_than_can_be_asked_wait(
    worker: Bench, people: People, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked when there is a place."""
    monkeypatch.setattr(questions, "WAITING", 1)
    slow, open_room = room_named("slow", people), room_named("open", people)
    worker.send(InviteUser(uuid="i", room=slow, user=people.bob), people.alice)
    worker.turn()
    over = worker.send(InviteUser(uuid="i", room=open_room, user=people.bob), people.alice)
    assert over not in worker.turn(3).replies
    assert not Membership.objects.filter(room=open_room, user=people.bob).exists()
    rules.woken.set()
    until(worker.turn, lambda heard: Membership.objects.filter(room=open_room, user=people.bob).exists())


def test_what_a_project_itself_does_is_not_asked_about(worker: Bench, people: People, rules: Rules) -> None:
    """Nor a repeat, whatever the policy says by now: its event is there."""
    room = room_named("closed", people)
    sync_members(room, User.objects.filter(username__in=["alice", "bob"]))
    worker.wake(room)
    worker.send(InviteUser(uuid="s", room=room, user=people.carol), people.alice, staff=True)
    until(worker.turn, lambda heard: Membership.objects.filter(room=room).count() == 3)
    assert rules.threads == []
    room = room_named("open", people)
    command = InviteUser(uuid="i", room=room, user=people.bob)
    first = worker.send(command, people.alice)
    until(worker.turn, lambda heard: bool(heard.notices))
    ChatRoom.objects.update(name="closed")
    again = worker.send(command, people.alice)
    heard = until(worker.turn, lambda heard: again in heard.replies)
    assert first != again
    assert heard.frame(again)["duplicate"] is True
    other = worker.send(InviteUser(uuid="j", room=room, user=people.carol), people.alice)
    assert until(worker.turn, lambda heard: other in heard.replies).error(other) == "forbidden"
