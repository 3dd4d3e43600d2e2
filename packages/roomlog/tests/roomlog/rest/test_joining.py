"""Rooms that everybody may join, and invitations, by HTTP."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roomlog import inviting
from roomlog.models import ChatRoom, Invitation, Membership, PendingCommand
from roomlog.rest.joining import InvitationThrottle
from tests.harness.accounts import Work
from tests.harness.people import id_of, make_room

pytestmark = pytest.mark.django_db
FOUND = "/api/v1/rooms/discoverable/"


@pytest.fixture
def as_stranger(admin_user: User) -> Client:
    """Somebody signed in who is in no room, whatever else he may do."""
    client = Client()
    client.force_login(admin_user)
    return client


def send(client: Client, method: str, path: str, **said: Any) -> Any:
    """Send a body of JSON."""
    return client.generic(method, path, json.dumps(said), content_type="application/json")


def open_rooms(owner: User, *names: str) -> list[UUID]:
    """Return rooms that everybody may join."""
    rooms = [make_room(id_of(owner)) for _ in names]
    for room, name in zip(rooms, names, strict=True):
        ChatRoom.objects.filter(pk=room).update(name=name, is_discoverable=True)
    return rooms


def names_in(answer: Any) -> list[str]:
    """Return the names of a page."""
    return [room["name"] for room in answer.json()["rooms"]]


def test_open_rooms_are_found_by_name_page_by_page(
    as_alice: Client,
    as_stranger: Client,
    lobby: UUID,
    alice: User,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Neither closed nor archived ones; rooms of one name stay apart; one query beside the session's."""
    rooms = open_rooms(alice, "Tea", "Team", "Team", "Ärzte %", "Coffee")
    ChatRoom.objects.filter(pk=rooms[4]).update(archived_at=timezone.now())
    with django_assert_num_queries(4):
        answer = as_stranger.get(FOUND, {"q": "TEA"})
    assert (names_in(answer), answer.json()["next"]) == (["Tea", "Team", "Team"], None)
    assert not any(room["joined"] for room in answer.json()["rooms"])
    assert names_in(as_stranger.get(FOUND, {"q": "%"})) == ["Ärzte %"]
    found, cursor = [], None
    for _ in range(4):
        page = as_alice.get(FOUND, {"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        found += page["rooms"]
        cursor = page["next"]
    assert cursor is None
    assert {UUID(room["id"]) for room in found} == set(rooms[:4])
    assert all(room["joined"] for room in found)
    for wrong in ("x", "x" * 25, "_" * 40):
        assert as_alice.get(FOUND, {"cursor": wrong}).status_code == 400


def test_a_room_is_opened_and_joined(as_alice: Client, as_stranger: Client, lobby: UUID, work: Work) -> None:
    """By whoever may; a room that is not open is as one that is not there."""
    path = f"/api/v1/rooms/{lobby.hex}/"
    assert send(as_stranger, "PUT", f"{path}discoverable/", discoverable=True).status_code == 404
    for room in (lobby, uuid4()):
        assert send(as_stranger, "POST", f"/api/v1/rooms/{room.hex}/join/").status_code == 404
    assert send(as_alice, "PUT", f"{path}discoverable/", discoverable="yes").status_code == 400
    assert send(as_alice, "PUT", f"{path}discoverable/", discoverable=True).status_code == 202
    assert work() == []
    assert send(as_stranger, "POST", f"{path}join/", uuid="j").status_code == 202
    assert work() == []
    (mine,) = as_stranger.get("/api/v1/rooms/").json()
    assert (mine["id"], mine["discoverable"]) == (lobby.hex, True)


def test_an_invitation_is_made_once_looked_at_used_and_revoked(
    as_alice: Client, as_stranger: Client, lobby: UUID, admin_user: User, work: Work
) -> None:
    """Its token is shown to whoever made it, once; afterwards it leads nowhere."""
    path = f"/api/v1/rooms/{lobby.hex}/invitations/"
    said = {"uuid": "i", "role": "reader", "most_uses": 2}
    first, again = (send(as_alice, "POST", path, **said) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    token = first.json()["token"]
    assert again.json() == first.json() | {"token": None}
    assert token not in str(list(Invitation.objects.values()))
    door = send(as_stranger, "POST", "/api/v1/invitation/", invitation=token).json()
    assert door == {"room": lobby.hex, "name": "lobby", "topic": "", "role": "reader", "joined": False}
    asked = send(as_stranger, "POST", f"/api/v1/rooms/{lobby.hex}/join/", invitation=token)
    assert asked.status_code == 202
    assert work() == []
    assert Membership.objects.get(room=lobby, user=id_of(admin_user)).role == "reader"
    (listed,) = as_alice.get(path).json()
    assert (listed["id"], listed["uses"], listed["token"]) == (first.json()["id"], 1, None)
    for _ in range(2):
        assert as_alice.delete(f"{path}{listed['id']}/").status_code == 204
    assert as_alice.get(path).json() == []
    assert send(as_stranger, "POST", "/api/v1/invitation/", invitation=token).status_code == 404


def test_who_may_not_let_people_in_learns_nothing(
    as_alice: Client, as_stranger: Client, lobby: UUID, alice: User
) -> None:
    """Strangers are not told of the room, members without the role are refused, and nothing is stored."""
    path = f"/api/v1/rooms/{lobby.hex}/invitations/"
    assert [as_stranger.get(path).status_code, send(as_stranger, "POST", path).status_code] == [404, 404]
    made = send(as_alice, "POST", path).json()["id"]
    Membership.objects.filter(room=lobby, user=id_of(alice)).update(role="member")
    answers = [as_alice.get(path), send(as_alice, "POST", path), as_alice.delete(f"{path}{made}/")]
    assert [answer.status_code for answer in answers] == [403] * 3
    Membership.objects.filter(room=lobby, user=id_of(alice)).update(role="admin")
    other = make_room(id_of(alice))
    assert as_alice.delete(f"/api/v1/rooms/{other.hex}/invitations/{made}/").status_code == 404
    ChatRoom.objects.filter(pk=lobby).update(archived_at=timezone.now())
    assert send(as_alice, "POST", path).status_code == 409
    assert Invitation.objects.get().revoked_at is None


def test_an_invitation_has_bounds(as_alice: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its end, its role and its number; a person has a pace."""
    path = f"/api/v1/rooms/{lobby.hex}/invitations/"
    now = timezone.now()
    ends: list[dict[str, Any]] = [
        {"until": int((now + timedelta(days=days)).timestamp())} for days in (-1, 367)
    ]
    for wrong in (*ends, {"role": "admin"}, {"most_uses": 0}, {"uuid": "a\0"}, {"uuid": "u" * 65}):
        assert send(as_alice, "POST", path, **wrong).status_code == 400
    monkeypatch.setattr(inviting, "OPEN_IN_A_ROOM", 1)
    assert [send(as_alice, "POST", path).status_code for _ in range(2)] == [201, 400]
    monkeypatch.setattr(InvitationThrottle, "rate", "1/min")
    assert as_alice.get(path).status_code == 429


def test_a_guess_asks_no_worker(as_stranger: Client, lobby: UUID) -> None:
    """Nor is it told whether the room exists."""
    for room in (lobby, uuid4()):
        path = f"/api/v1/rooms/{room.hex}/join/"
        assert send(as_stranger, "POST", path, invitation="guess").status_code == 404
    assert PendingCommand.objects.count() == 0
