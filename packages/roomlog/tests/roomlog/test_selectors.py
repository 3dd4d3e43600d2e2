"""Shared reads: heads, unread counts and pages, each in one statement."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models.sql import Query
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roomlog import selectors
from roomlog.ban import FOREVER
from roomlog.models import Membership, RoomEvent
from roomlog_contract.commands import CreateRoom
from roomlog_contract.events import RoomSummary, User
from tests.harness.databases import EPOCH
from tests.harness.people import People, add_user, make_room, message, write, written


def say(room: UUID, user: int, number: int) -> None:
    """Write so many messages."""
    write(*((message(room, f"text {n}"), user) for n in range(1, number + 1)))


def test_summaries_count_unread(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Unread are messages of others, not other events; all rooms of all asked users come in one statement."""
    room = make_room(people.alice, [people.bob])
    direct = written(CreateRoom(uuid="d", kind="direct", members=[people.bob]), people.alice).event.room_id
    say(room, people.bob, 5)
    Membership.objects.filter(room_id=room, user_id=people.alice).update(read_seq=4, read_number=3)
    with django_assert_num_queries(1):
        found = selectors.summaries_by_user([people.alice, people.bob, people.carol])
    assert found[people.alice] == [
        RoomSummary(room, "lobby", "group", EPOCH, seq=6, read_seq=4, unread=2),
        RoomSummary(direct, "", "direct", EPOCH, seq=1, read_seq=0, unread=0),
    ]
    assert [summary.unread for summary in found[people.bob]] == [0, 0]
    assert found[people.carol] == []


def test_the_rooms_of_logins_are_compiled_once(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks next: Django's compiling took longest. A writer's session keeps the plan, too."""
    room = make_room(people.alice, [people.bob])
    selectors.rooms_by_user([people.alice])
    monkeypatch.setattr(Query, "get_compiler", None)
    assert [one.id for one in selectors.rooms_by_user([people.bob])[people.bob].summaries] == [room]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement FROM pg_prepared_statements")
            assert any("""user_id" = ANY ($""" in statement for (statement,) in cursor.fetchall())


def test_rooms_say_who_may_write(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Readers by their role, the muted by the database's clock; in the same statement as the rooms."""
    first, second, third = (make_room(people.alice, [people.bob]) for _ in range(3))
    mine = Membership.objects.filter(user_id=people.bob)
    mine.filter(room=first).update(role="reader", muted_until=FOREVER)
    mine.filter(room=second).update(muted_until=timezone.now() - timedelta(seconds=1))
    with django_assert_num_queries(1):
        found = selectors.rooms_by_user([people.alice, people.bob])
    assert (found[people.bob].readers, found[people.bob].muted) == ([first], [first])
    assert [room.id for room in found[people.bob].summaries] == [first, second, third]
    assert (found[people.alice].readers, found[people.alice].muted) == ([], [])


def test_pages_of_a_log_are_in_order(people: People) -> None:
    """Events after a seq join without a gap; the last messages come oldest first."""
    room = make_room(people.alice)
    say(room, people.alice, 9)

    def page(after: int, up_to: int = 10, limit: int = 4) -> list[int]:
        return [event.seq for event in selectors.events_after(room, after, up_to, limit)]

    assert page(0) + page(4) + page(8) == list(range(1, 11))
    assert page(3, up_to=5) == [4, 5]
    assert page(10) == []
    room = make_room(people.alice)
    say(room, people.alice, 5)
    assert [row.seq for row in selectors.last_messages(room, 5, 3)] == [3, 4, 5]
    assert [row.number for row in selectors.last_messages(room, 99, 99)] == [1, 2, 3, 4, 5]
    assert [row.seq for row in selectors.messages_after(room, 3, 2)] == [4, 5]
    assert selectors.messages_after(room, 6, 2) == []


def test_members_are_told_from_strangers(people: People) -> None:
    """Pairs of room and user; unknown rooms have no head, the deactivated only a name."""
    room = make_room(people.alice)
    heads = selectors.heads_of([room, uuid4()])
    assert {key: (head.epoch, head.last_seq) for key, head in heads.items()} == {room: (EPOCH, 1)}
    gone = add_user("gone", is_active=False)
    assert selectors.active_user_ids([people.alice, gone, 0]) == {people.alice}
    assert selectors.users_by_id([people.alice, gone, 0]).keys() == {people.alice, gone}
    one, two = make_room(people.alice, [people.bob]), make_room(people.bob)
    assert selectors.is_member(one, people.alice)
    assert not selectors.is_member(two, people.alice)
    asked = [(one, people.alice), (two, people.alice), (two, people.bob), (uuid4(), people.bob)]
    assert selectors.memberships(asked) == {(one, people.alice), (two, people.bob)}
    assert selectors.memberships([]) == set()


def test_all_in_a_page_are_named(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """One statement for all names of all events."""
    say(make_room(people.alice, [people.bob]), people.bob, 3)
    events = list(RoomEvent.objects.all())
    with django_assert_num_queries(1):
        users = selectors.users_of(events)
    assert users == {people.alice: User(people.alice, "alice"), people.bob: User(people.bob, "bob")}
