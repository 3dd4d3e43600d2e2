"""A deleted account leaves what it said, and every room."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from roomlog import selectors
from roomlog.departures import DELETED_NAME
from roomlog.models import Membership, PendingCommand, Person, RoomEvent
from roomlog_contract.commands import RemoveUser
from roomlog_contract.envelope import decode_envelope
from tests.harness.people import People, make_room, make_token, message, post_as, written

pytestmark = pytest.mark.usefixtures("database")


def asked() -> list[tuple[UUID, int, bool]]:
    """Return the memberships that workers are asked to end: room, person, and whether by staff."""
    envelopes = [decode_envelope(bytes(row.envelope)) for row in PendingCommand.objects.order_by("id")]
    return [
        (envelope.command.room, envelope.command.user, envelope.staff)
        for envelope in envelopes
        if isinstance(envelope.command, RemoveUser)
    ]


WAYS: Final[dict[str, Callable[[User], object]]] = {
    "by itself": lambda user: user.delete(),
    "by queryset": lambda user: User.objects.filter(pk__in=[user.pk]).delete(),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_log_outlives_the_user(people: People, way: str) -> None:
    """Events stay, under a name that says what happened; nobody takes part by it."""
    room = make_room(people.alice, [people.bob])
    said = written(message(room, "still here"), people.alice).event
    make_token(people.alice)
    WAYS[way](User.objects.get(username="alice"))
    assert RoomEvent.objects.get(pk=said.id).text == "still here"
    gone = Person.objects.get(pk=people.alice)
    assert (gone.user, gone.name, gone.deleted_at is None) == (None, DELETED_NAME, False)
    assert selectors.active_user_ids([people.alice, people.bob]) == {people.bob}
    assert asked() == [(room, people.alice, True)]


def test_every_room_is_asked_once_and_only_if_the_deletion_is_committed(people: People) -> None:
    """No membership is touched here: that is the workers' part."""
    rooms = {make_room(people.bob, [people.alice]) for _ in range(3)}
    make_room(people.bob)
    for undo in (True, False):
        with transaction.atomic():
            User.objects.get(roomlog_person=people.alice).delete()
            transaction.set_rollback(undo)
        assert {room for room, _, _ in asked()} == (set() if undo else rooms)
    assert len(asked()) == 3
    assert Membership.objects.filter(user=people.alice).count() == 3


def test_many_at_once(people: People) -> None:
    """Each by signals of its own."""
    room = make_room(people.alice, [people.bob, people.carol])
    User.objects.exclude(username="alice").delete()
    assert sorted(asked()) == sorted([(room, people.bob, True), (room, people.carol, True)])
    assert Person.objects.filter(name=DELETED_NAME).count() == 2


def test_a_user_whom_nobody_told_of_can_be_deleted() -> None:
    """After a `bulk_create` there is no person yet."""
    User.objects.bulk_create([User(username="unknown")])
    User.objects.get().delete()
    assert not asked()


def test_others_read_nothing(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """One statement takes the pending commands of a batch, as if nobody listened to signals."""
    post_as(make_room(people.alice), people.alice, "hi")
    with transaction.atomic(), django_assert_num_queries(1):
        PendingCommand.objects.all().delete()
