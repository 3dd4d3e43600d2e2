"""Presence in a room: read from Redis, filtered by the policy, without names in large rooms."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import ConnectionError as RedisConnectionError

from roomlog import presence
from roomlog.configuration import configuration
from roomlog.models import Membership, Person
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db


class Connected:
    """Redis, as far as presence asks it."""

    def __init__(self) -> None:
        self.here: set[str] = set()
        self.is_away = False
        self.asked = 0

    def pubsub_numsub(self, *channels: str) -> Sequence[tuple[str, int]]:
        self.asked += 1
        if self.is_away:
            raise RedisConnectionError("secret")
        return [(channel, int(channel in self.here)) for channel in channels]

    def add(self, *people: int) -> None:
        self.here |= {configuration().keyspace.user_channel(person) for person in people}


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> Connected:
    """In the place of the install's own, which did not fail before."""
    connected = Connected()
    monkeypatch.setattr(presence, "_redis", lambda: connected)
    monkeypatch.setattr(presence, "_failed_at", -presence.PAUSE_SECONDS)
    return connected


class Rules:
    """Bob is seen by nobody."""

    def may_see_presence(self, user: Any, users: Any) -> Any:
        return users.exclude(username="bob")


def ask(client: Client, room: UUID) -> Any:
    """Return the answer's body."""
    return client.get(f"/api/v1/rooms/{room.hex}/presence/").json()


def crowd(room: UUID, number: int) -> list[int]:
    """Return the ids of so many more members."""
    users = User.objects.bulk_create(User(username=f"m{n:04}", password="!") for n in range(number))
    people = Person.objects.bulk_create(Person(user=user, name=user.username) for user in users)
    Membership.objects.bulk_create(
        Membership(room_id=room, user=person, role="member", read_seq=0, read_number=0) for person in people
    )
    return [person.pk for person in people]


def test_members_see_who_is_online(
    as_alice: Client,
    lobby: UUID,
    alice: User,
    bob: User,
    admin_user: User,
    redis: Connected,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Connected people from other rooms are not shown."""
    assert ask(as_alice, lobby) == {"online": 0, "users": []}
    redis.add(id_of(bob), id_of(alice), id_of(admin_user))
    with django_assert_num_queries(4):
        found = ask(as_alice, lobby)
    assert (found["online"], [user["username"] for user in found["users"]]) == (2, ["alice", "bob"])


def test_the_inactive_are_not_online(as_alice: Client, lobby: UUID, bob: User, redis: Connected) -> None:
    """Their sockets are being closed."""
    redis.add(id_of(bob))
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert ask(as_alice, lobby) == {"online": 0, "users": []}


def test_the_policy_hides_people(
    as_alice: Client, lobby: UUID, alice: User, bob: User, redis: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not counted either. Without its function everybody is shown."""
    redis.add(id_of(bob), id_of(alice))
    monkeypatch.setitem(settings.ROOMLOG, "POLICY", "tests.roomlog.test_policy.NoRules")
    assert ask(as_alice, lobby)["online"] == 2
    monkeypatch.setitem(settings.ROOMLOG, "POLICY", "tests.roomlog.rest.test_presence.Rules")
    assert ask(as_alice, lobby)["online"] == 1


@pytest.mark.parametrize(("more", "online"), [(198, 99), (199, 99), (1_998, 1_000)])
def test_large_rooms_have_a_number_alone(
    as_alice: Client, lobby: UUID, redis: Connected, more: int, online: int
) -> None:
    """Beside Alice and Bob, with half of the rest connected. Beyond 1,000 members it is an estimate."""
    redis.add(*crowd(lobby, more)[::2])
    found = ask(as_alice, lobby)
    assert found["online"] == pytest.approx(online, abs=2 if more < 1_000 else 150)
    assert (found["users"] is None) == (more > 198)


def test_without_redis_nobody_can_say(
    as_alice: Client, lobby: UUID, redis: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is no empty room. Others who ask meanwhile don't wait for Redis too."""
    redis.is_away = True
    answers = [as_alice.get(f"/api/v1/rooms/{lobby.hex}/presence/") for _ in range(2)]
    assert [(answer.status_code, answer.json()["error_code"]) for answer in answers] == [(503, "busy")] * 2
    assert "secret" not in answers[0].content.decode()
    assert redis.asked == 1
    monkeypatch.setattr(presence, "PAUSE_SECONDS", 0.0)
    redis.is_away = False
    assert ask(as_alice, lobby)["online"] == 0
