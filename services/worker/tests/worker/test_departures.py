"""Whose account is deleted leaves every room, by one event of its log each, whatever else happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any
from uuid import UUID

import pytest
import redis
from django.contrib.auth.models import User
from django.db import connection, transaction

from roomlog.models import ChatRoom, Membership, PendingCommand, RoomEvent, RoomHead
from roomlog.people import system_person
from roomlog_contract.commands import ArchiveRoom, CreateRoom, InviteUser, RemoveUser
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import direct_room_id
from roomlog_worker.decisions import MEMBER_CHANGES_AT_ONCE
from tests.harness.databases import EPOCH
from tests.harness.people import People, make_room, message, write_one, written
from tests.harness.waiting import wait_until
from tests.worker.bench import ON_POSTGRES, Bench

WAIT_SECONDS = 10.0


def delete(person: int) -> None:
    """Delete a person's account as a project does."""
    User.objects.get(roomlog_person=person).delete()


def make_empty_rooms(member: int, count: int) -> None:
    """Make many rooms at once, whose logs are empty."""
    rooms = [ChatRoom(pk=UUID(int=number + 1)) for number in range(count)]
    ChatRoom.objects.bulk_create(rooms)
    RoomHead.objects.bulk_create(RoomHead(room=room, epoch=EPOCH) for room in rooms)
    Membership.objects.bulk_create(Membership(room=room, user_id=member) for room in rooms)


def rooms_left(person: int) -> list[UUID]:
    """Return the rooms whose logs say that the person was removed."""
    removals = RoomEvent.objects.filter(kind="remove_user", data__member=person)
    return list(removals.values_list("room_id", flat=True))


def carry_out(bench: Bench, person: int) -> None:
    """Let the worker work until the person is in no room, however many turns that takes."""
    while before := Membership.objects.filter(user=person).count():
        bench.worker.turn_until(lambda: Membership.objects.filter(user=person).count() < before)
    assert not PendingCommand.objects.exists()


def test_groups_and_direct_rooms_are_left_once(bench: Bench, people: People) -> None:
    """Each by an event of the system person's, which the others hear; what was said stays."""
    group = make_room(people.bob, [people.alice])
    written(CreateRoom(uuid="d", kind="direct", members=[people.bob]), people.alice)
    pair = direct_room_id(people.alice, people.bob)
    written(message(group, "still here"), people.alice)
    delete(people.alice)
    bench.hear()
    carry_out(bench, people.alice)
    bench.worker.turn()
    assert sorted(rooms_left(people.alice)) == sorted([group, pair])
    assert {(notice.user, notice.left) for notice in bench.hear().notices} == {
        (system_person().pk, people.alice)
    }
    assert RoomEvent.objects.get(room=group, kind="new_message").text == "still here"


def test_nobody_else_is_removed_from_a_direct_room(bench: Bench, people: People) -> None:
    """Nor does anything that waits in a room come from a deleted account any more."""
    written(CreateRoom(uuid="d", kind="direct", members=[people.bob]), people.alice)
    pair = direct_room_id(people.alice, people.bob)
    delete(people.alice)
    carry_out(bench, people.alice)
    bench.send(message(pair, "too late"), people.alice)
    bench.send(message(pair, "anybody there?"), people.bob)
    bench.turn()
    said = RoomEvent.objects.filter(room=pair, kind="new_message").values_list("text", flat=True)
    assert list(said) == ["anybody there?"]


def test_an_archived_room_is_left_too(bench: Bench, people: People) -> None:
    """Else a deleted account would be a member again when it is restored; whoever lives stays."""
    room = make_room(people.bob, [people.alice])
    written(ArchiveRoom(uuid="a", room=room), people.bob)
    delete(people.alice)
    carry_out(bench, people.alice)
    assert rooms_left(people.alice) == [room]
    assert write_one(RemoveUser(uuid="r", room=room, user=people.bob), people.bob, staff=True) == "archived"


def test_five_hundred_rooms_are_left_in_pieces(bench: Bench, people: People) -> None:
    """No transaction holds more than a few changes of members, and a successor goes on."""
    make_empty_rooms(people.alice, 500)
    delete(people.alice)
    bench.worker.turn_until(lambda: rooms_left(people.alice))
    assert len(rooms_left(people.alice)) <= MEMBER_CHANGES_AT_ONCE
    bench.worker = bench.successor()
    carry_out(bench, people.alice)
    assert len(rooms_left(people.alice)) == len(set(rooms_left(people.alice))) == 500


def test_it_needs_no_redis(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows are swept; who is connected learns of the events from the heads."""
    make_empty_rooms(people.alice, 2 * MEMBER_CHANGES_AT_ONCE)

    def refuse(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError

    for name in ("read", "finish", "answer"):
        monkeypatch.setattr(bench.worker.bus, name, refuse)
    delete(people.alice)
    carry_out(bench, people.alice)
    assert len(rooms_left(people.alice)) == 2 * MEMBER_CHANGES_AT_ONCE


@ON_POSTGRES
class TestWhileADeletionIsUnderWay:
    """Between a worker's look at an account and its commit."""

    def test_an_invitation_waits_and_finds_nobody(self, bench: Bench, people: People) -> None:
        """Other rooms don't wait."""
        room, other = make_room(people.bob), make_room(people.bob)
        with _deletion_held(people.alice):
            request = bench.send(InviteUser(uuid="i", room=room, user=people.alice), people.bob)
            bench.send(message(other), people.bob)
            heard = bench.turn(3)
            assert request not in heard.replies
            assert [notice.seq for notice in heard.notices] == [2]
        assert bench.drain().error(request) == ErrorCode.NOT_FOUND
        assert not Membership.objects.filter(user=people.alice).exists()

    def test_a_deletion_waits_for_an_invitation(self, people: People) -> None:
        """So that it sees the membership, and ends it."""
        room = make_room(people.bob)
        deletion = Thread(target=_delete_in_a_thread, args=(people.alice,))
        with transaction.atomic():
            write_one(InviteUser(uuid="i", room=room, user=people.alice), people.bob)
            deletion.start()
            wait_until(_somebody_waits, WAIT_SECONDS, "the deletion waits")
        deletion.join(WAIT_SECONDS)
        assert PendingCommand.objects.get().room == room


@contextmanager
def _deletion_held(person: int) -> Iterator[None]:
    """Somebody's transaction has deleted the account, and commits when the context ends."""
    done, end = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            delete(person)
            done.set()
            end.wait(WAIT_SECONDS)
        connection.close()

    thread = Thread(target=hold)
    thread.start()
    assert done.wait(WAIT_SECONDS)
    try:
        yield
    finally:
        end.set()
        thread.join(WAIT_SECONDS)


def _delete_in_a_thread(person: int) -> None:
    delete(person)
    connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        (number,) = cursor.fetchone()
    return bool(number)
