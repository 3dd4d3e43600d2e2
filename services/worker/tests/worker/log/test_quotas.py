"""How many rooms one person may make and be in, and that nobody's quota is filled by others."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from roomlog.models import ChatRoom, Person
from roomlog_contract.commands import CreateRoom, InviteUser, LeaveRoom
from roomlog_contract.errors import ErrorCode
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.errors import HeldElsewhere, RefusedWrite
from roomlog_worker.log.quotas import check_may_create
from roomlog_worker.log.rules import Recorded, carry_out, wanted_by
from tests.harness.people import People, make_room, write_one


@pytest.fixture(autouse=True)
def two_rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of everything are allowed."""
    monkeypatch.setitem(settings.ROOMLOG, "ROOMS_PER_USER", 2)
    monkeypatch.setitem(settings.ROOMLOG, "ROOM_CREATIONS_PER_MINUTE", 2)


def create(user: int, members: list[int] | None = None, *, staff: bool = False) -> Recorded | ErrorCode:
    """Ask for a new group."""
    return write_one(CreateRoom(uuid=uuid4().hex, members=members or []), user, staff=staff)


def invite(room: UUID, owner: int, user: int, *, staff: bool = False) -> Recorded | ErrorCode:
    """Ask somebody in."""
    return write_one(InviteUser(uuid=uuid4().hex, room=room, user=user), owner, staff=staff)


def age_all() -> None:
    """Let two minutes pass for all rooms that exist."""
    ChatRoom.objects.update(date_created=timezone.now() - timedelta(minutes=2))


@pytest.mark.parametrize(("a_minute", "at_once"), [(60, 5), (12, 5), (120, 10)])
def test_a_minutes_rooms_come_spread(
    people: People, monkeypatch: pytest.MonkeyPatch, a_minute: int, at_once: int
) -> None:
    """Five in five seconds, more where the setting allows more in a minute, and told when to try again."""
    monkeypatch.setitem(settings.ROOMLOG, "ROOMS_PER_USER", 500)
    monkeypatch.setitem(settings.ROOMLOG, "ROOM_CREATIONS_PER_MINUTE", a_minute)
    now = timezone.now()
    for _ in range(at_once):
        make_room(people.alice)
    with transaction.atomic(), pytest.raises(RefusedWrite) as refused:
        check_may_create(people.alice, now)
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert 0 < (refused.value.retry_after_ms or 0) <= 5_000
    ChatRoom.objects.update(date_created=now - timedelta(seconds=6))
    assert isinstance(create(people.alice), Recorded)


def test_a_repeat_is_answered_with_its_event(people: People) -> None:
    """Whatever was made since: the room is there already."""
    first = CreateRoom(uuid="first")
    made = write_one(first, people.alice)
    make_room(people.alice)
    assert create(people.alice) is ErrorCode.RATE_LIMITED
    again = write_one(first, people.alice)
    assert isinstance(made, Recorded)
    assert isinstance(again, Recorded)
    assert (again.duplicate, again.event.id) == (True, made.event.id)


def test_leaving_a_room_makes_room(people: People) -> None:
    """Only rooms that one is still in count."""
    make_room(people.alice)
    room = make_room(people.alice)
    age_all()
    assert create(people.alice) is ErrorCode.TOO_MANY_ROOMS
    assert isinstance(write_one(LeaveRoom(uuid="l", room=room), people.alice), Recorded)
    assert isinstance(create(people.alice), Recorded)


def test_others_fill_nobodys_own_quota(people: People) -> None:
    """A person brought into many rooms, as an owner too, can make some and leave."""
    for _ in range(2):
        room = make_room(people.alice)
        assert isinstance(
            write_one(InviteUser(uuid="i", room=room, user=people.bob, role="owner"), people.alice), Recorded
        )
    age_all()
    assert invite(make_room(people.carol), people.carol, people.bob) is ErrorCode.TOO_MANY_ROOMS
    assert create(people.carol, [people.bob]) is ErrorCode.TOO_MANY_ROOMS
    assert isinstance(create(people.bob), Recorded)
    assert isinstance(write_one(LeaveRoom(uuid="l", room=room), people.bob), Recorded)
    assert isinstance(create(people.bob), Recorded)


def test_staff_is_not_bound(people: People) -> None:
    """The admin's commands were checked where they were made."""
    for _ in range(4):
        assert isinstance(create(people.alice, [people.bob], staff=True), Recorded)
    room = make_room(people.carol)
    assert isinstance(invite(room, people.carol, people.bob, staff=True), Recorded)


def test_somebody_who_does_not_exist_is_refused(people: People) -> None:
    """A row that is missing is not a row that somebody holds: nothing waits for it for ever."""
    Person.objects.filter(pk=people.carol).delete()
    assert create(people.carol) is ErrorCode.NOT_FOUND


@pytest.mark.usefixtures("postgres")
def test_two_transactions_do_not_count_alike() -> None:
    """While another transaction makes a room for the same person the command waits, and holds up nobody."""
    people = People.make()
    holder = connection.copy()
    command = CreateRoom(uuid="c")
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM roomlog_person WHERE id = %s FOR NO KEY UPDATE", [people.alice])
            with transaction.atomic(), pytest.raises(HeldElsewhere):
                carry_out(
                    open_batch([wanted_by(command, people.alice)], timezone.now()), command, people.alice
                )
    finally:
        holder.close()
    assert isinstance(write_one(command, people.alice), Recorded)
