"""Roles, mutes and bans by HTTP: asked for here, done by a worker."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from roomlog.ban import FOREVER
from roomlog.models import Ban, Membership, PendingCommand
from tests.harness.accounts import Work
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
UNTIL = 253_402_214_399


def ask(client: Client, method: str, path: str, **body: Any) -> int:
    """Ask for something and return the status."""
    return client.generic(method, path, json.dumps(body), "application/json").status_code


@pytest.fixture
def as_bob(bob: User) -> Client:
    """Somebody who is no more than a member."""
    token = Token.objects.get_or_create(user=bob)[0].key
    return Client(headers={"authorization": f"Token {token}"})


@pytest.fixture
def members(lobby: UUID) -> str:
    """Return the address of the room's members."""
    return f"/api/v1/rooms/{lobby.hex}/members/"


@pytest.fixture
def bans(lobby: UUID) -> str:
    """Return the address of the room's bans."""
    return f"/api/v1/rooms/{lobby.hex}/bans/"


def test_a_role_is_changed(as_alice: Client, lobby: UUID, bob: User, members: str, work: Work) -> None:
    """What is no role is refused at once; a member is muted and heard again."""
    path = f"{members}{id_of(bob)}/"
    assert [ask(as_alice, "PATCH", path, **body) for body in ({}, {"role": "king"})] == [400, 400]
    assert ask(as_alice, "PATCH", path, role="reader", user=1) == 202
    assert work() == []
    assert Membership.objects.get(room=lobby, user=id_of(bob)).role == "reader"
    path = f"{members}{id_of(bob)}/mute/"
    assert [ask(as_alice, "POST", path, until=until) for until in (0, "soon", UNTIL + 1)] == [400] * 3
    for body, expected in (({"until": UNTIL}, UNTIL), ({}, FOREVER.timestamp())):
        assert ask(as_alice, "POST", path, **body) == 202
        assert work() == []
        end = Membership.objects.get(room=lobby, user=id_of(bob)).muted_until
        assert end is not None
        assert end.timestamp() == expected
    assert ask(as_alice, "DELETE", path) == 202
    assert work() == []
    assert Membership.objects.get(room=lobby, user=id_of(bob)).muted_until is None


def test_somebody_is_banned_and_let_in_again(
    as_alice: Client, lobby: UUID, alice: User, bob: User, bans: str, work: Work
) -> None:
    """Those are listed whose bans last, in pages; a membership ends."""
    outside = User.objects.create(username="outside")
    for user, body in ((bob, {}), (outside, {"until": UNTIL})):
        assert ask(as_alice, "POST", bans, user=id_of(user), **body) == 202
    assert work() == []
    assert set(Membership.objects.filter(room=lobby).values_list("user", flat=True)) == {id_of(alice)}
    Ban.objects.create(
        room_id=lobby, user_id=id_of(alice), seq=1, until=timezone.now() - timedelta(seconds=1)
    )
    listed = [
        {"user": {"id": id_of(bob), "username": "bob"}, "until": None},
        {"user": {"id": id_of(outside), "username": "outside"}, "until": UNTIL},
    ]
    assert as_alice.get(bans).json() == listed
    assert as_alice.get(bans, {"limit": 1}).json() == listed[:1]
    assert as_alice.get(bans, {"after": id_of(bob)}).json() == listed[1:]
    assert as_alice.get(bans, {"limit": 0}).status_code == 400
    assert ask(as_alice, "DELETE", f"{bans}{id_of(bob)}/") == 202
    assert work() == []
    assert as_alice.get(bans).json() == listed[1:]


def test_bans_are_shown_to_those_who_moderate(as_bob: Client, lobby: UUID, bob: User, bans: str) -> None:
    """A member is told that it may not, an admin sees them."""
    answer = as_bob.get(bans)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")
    Membership.objects.filter(room=lobby, user=id_of(bob)).update(role="admin")
    assert as_bob.get(bans).json() == []


def test_strangers_see_no_room(admin_user: User, lobby: UUID, bob: User, members: str, bans: str) -> None:
    """Whatever they ask."""
    client = Client()
    client.force_login(admin_user)
    person = id_of(bob)
    asked = [
        ask(client, "PATCH", f"{members}{person}/", role="reader"),
        *(ask(client, method, f"{members}{person}/mute/") for method in ("POST", "DELETE")),
        ask(client, "GET", bans),
        ask(client, "POST", bans, user=person),
        ask(client, "DELETE", f"{bans}{person}/"),
    ]
    assert (asked, PendingCommand.objects.count()) == ([404] * 6, 0)
