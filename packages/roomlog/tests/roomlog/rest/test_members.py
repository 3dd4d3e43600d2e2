"""A room's members by HTTP: roles and mutes, a page at a time."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from roomlog import member_list
from roomlog.ban import FOREVER
from roomlog.models import Membership
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db

END = datetime(2100, 1, 1, tzinfo=UTC)


def ask(client: Client, room: UUID, query: str = "") -> Any:
    """Return the answer's body."""
    return client.get(f"/api/v1/rooms/{room.hex}/members/{query}").json()


def mute(user: User, until: datetime) -> None:
    """Have somebody muted in all rooms."""
    Membership.objects.filter(user=id_of(user)).update(muted_until=until)


def test_members_are_listed_with_their_roles(
    as_alice: Client, alice: User, bob: User, lobby: UUID, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Oldest first, a long list in pages; of ids alone those who are members."""
    with django_assert_num_queries(4):
        found = ask(as_alice, lobby)
    keys = ("id", "username", "role", "muted", "muted_until")
    assert [tuple(one[key] for key in keys) for one in found] == [
        (id_of(alice), "alice", "owner", False, None),
        (id_of(bob), "bob", "member", False, None),
    ]
    ids = [id_of(alice), id_of(bob)]
    assert member_list.MAX_MEMBERS == 100
    assert [one.id for one in member_list.members_of(lobby, limit=1)] == ids[:1]
    assert [one["id"] for one in ask(as_alice, lobby, f"?after={ids[0]}")] == ids[1:]
    assert [one["id"] for one in ask(as_alice, lobby, f"?id={ids[1]}&id=999")] == ids[1:]
    for query in ("?after=x", "?after=-1", "?id=0", "?" + "&".join(["id=1"] * 101)):
        assert as_alice.get(f"/api/v1/rooms/{lobby.hex}/members/{query}").status_code == 400


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        (END, (True, int(END.timestamp()))),
        (FOREVER, (True, None)),
        (datetime(2001, 1, 1, tzinfo=UTC), (False, None)),
    ],
)
def test_a_mute_is_told_while_it_lasts(
    as_alice: Client, bob: User, lobby: UUID, until: datetime, expected: tuple[bool, int | None]
) -> None:
    """With its end, where it has one."""
    mute(bob, until)
    (found,) = ask(as_alice, lobby, f"?id={id_of(bob)}")
    assert (found["muted"], found["muted_until"]) == expected
