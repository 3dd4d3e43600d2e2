"""Tokens, tickets and the search for people by HTTP."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token
from rest_framework.test import APIRequestFactory, force_authenticate

from roomlog.models import Membership, Person
from roomlog.rest.access import TicketView
from roomlog.tickets import signed_in_by_ticket
from roomlog_contract.commands import CreateRoom, InviteUser, LeaveRoom
from roomlog_contract.events import User as WireUser
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
RIGHT = {"username": "alice", "password": "correct horse"}


def test_a_name_and_a_password_get_the_users_one_token(alice: User, client: Client) -> None:
    """Whoever asks twice gets the same token, so that a second program does not cut off the first."""
    answers = [client.post("/api/v1/token/", RIGHT, content_type="application/json").json() for _ in range(2)]
    token = Token.objects.get(user=alice)
    assert answers == [{"token": token.key, "user": {"id": id_of(alice), "username": "alice"}}] * 2


@pytest.mark.parametrize(
    ("changes", "is_active"), [({"password": "wrong"}, True), ({"username": "nobody"}, True), ({}, False)]
)
def test_wrong_words_fail(alice: User, client: Client, changes: dict[str, str], is_active: bool) -> None:
    """Name, password, or the right one of a closed account: the answer does not say which was wrong."""
    User.objects.update(is_active=is_active)
    answer = client.post("/api/v1/token/", RIGHT | changes, content_type="application/json")
    assert answer.status_code == 401


def test_revoking_deletes_ones_own_token_alone(as_alice: Client, bob: User) -> None:
    """The token is dead at once, and nobody else's."""
    Token.objects.create(user=bob)
    assert as_alice.delete("/api/v1/token/").status_code == 204
    assert list(Token.objects.values_list("user", flat=True)) == [bob.pk]
    assert as_alice.get("/api/v1/rooms/").status_code == 401


def test_a_ticket_is_for_who_asks_by_a_token_or_a_session(as_alice: Client, alice: User) -> None:
    """Good for a minute; a host's own login gets none, as nothing could end its socket."""
    answer = as_alice.post("/api/v1/ticket/").json()
    ticket = answer["ticket"]
    (found,) = signed_in_by_ticket({(ticket, False)}).values()
    assert found.user == WireUser(id_of(alice), "alice")
    assert answer["expires_in_seconds"] == 60
    request = APIRequestFactory().post("/api/v1/ticket/")
    force_authenticate(request, alice)
    request.session = SessionStore()
    assert TicketView.as_view()(request).status_code == 403


def test_a_session_needs_its_pages_own_mark(alice: User) -> None:
    """Another site's page can't ask for a ticket in the name of who is signed in here."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/api/v1/ticket/").json()["error_code"] == "forbidden"
    page = client.get("/").content.decode()
    mark = page.split('data-csrf-token="')[1].split('"')[0]
    answer = client.post("/api/v1/ticket/", headers={"x-csrftoken": mark}, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_page_behind_a_proxys_tls_gets_its_ticket(alice: User, settings: Any, is_trusted: bool) -> None:
    """If the project trusts what the proxy says; else the browser's origin is another one."""
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if is_trusted else None
    told = {"host": "testserver", "x-forwarded-proto": "https", "origin": "https://testserver"}
    client = Client(enforce_csrf_checks=True, headers=told)
    client.force_login(alice)
    mark = client.get("/").content.decode().split('data-csrf-token="')[1].split('"')[0]
    answer = client.post("/api/v1/ticket/", headers={"x-csrftoken": mark}, content_type="application/json")
    assert answer.status_code == (200 if is_trusted else 403)


@pytest.mark.parametrize(
    "path", ["/api/v1/rooms/", "/api/v1/users/?search=a", "/api/v1/people/?id=1", "/api/v1/messages/u/"]
)
def test_strangers_get_nothing(db: None, client: Client, path: str) -> None:
    """Without a token or a session every answer is 401."""
    assert client.get(path).status_code == 401


def names(client: Client, search: str) -> list[str]:
    """Return whom a search finds."""
    return [person["username"] for person in client.get("/api/v1/users/", {"search": search}).json()]


def test_people_are_found_by_how_their_name_begins(
    as_alice: Client, bob: User, settings: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Where everybody may be found: twenty at most, active ones only, and nobody for one letter."""
    settings.ROOMLOG = {**settings.ROOMLOG, "FIND_PEOPLE": "all"}
    for number in range(30):
        User.objects.create(username=f"anna{number:02}", password="!")
    User.objects.create(username="anna-gone", is_active=False)
    with django_assert_num_queries(3):
        assert names(as_alice, "anna") == [f"anna{number:02}" for number in range(20)]
    assert as_alice.get("/api/v1/users/", {"search": "bo"}).json() == [{"id": id_of(bob), "username": "bob"}]
    assert [names(as_alice, search) for search in ("b", "", "an\0")] == [[], [], []]
    assert as_alice.get("/api/v1/users/").json() == []


def test_people_find_those_they_share_a_room_with(
    as_alice: Client, alice: User, bob: User, write: Callable[..., UUID], settings: Any
) -> None:
    """Unless the install says otherwise: all people are no public list, and once they left they are none."""
    User.objects.create(username="bonnie")
    assert names(as_alice, "bo") == []
    room = write(CreateRoom(uuid="r", members=[id_of(bob)]), alice)
    assert names(as_alice, "bo") == ["bob"]
    write(LeaveRoom(uuid="l", room=room), bob)
    assert names(as_alice, "bo") == []
    write(InviteUser(uuid="i", room=room, user=id_of(bob)), alice)
    settings.ROOMLOG = {**settings.ROOMLOG, "FIND_PEOPLE": "nobody"}
    assert names(as_alice, "bo") == []


def test_searching_is_paced(as_alice: Client) -> None:
    """Walking through all beginnings takes long; the answer says when to come back."""
    answers = [as_alice.get("/api/v1/users/", {"search": "zz"}) for _ in range(61)]
    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert int(answers[-1].headers["retry-after"]) > 0


def test_somebody_is_found_by_the_account_that_the_project_knows(
    as_alice: Client, bob: User, lobby: UUID, settings: Any
) -> None:
    """By its primary key, under the same policy; what is no key of anybody finds nobody."""

    def found(account: int | str) -> list[Any]:
        answer: list[Any] = as_alice.get("/api/v1/users/", {"account": account}).json()
        return answer

    assert found(bob.pk) == [{"id": id_of(bob), "username": "bob"}]
    assert [found(key) for key in ("", "x", "9" * 30, "\0", str(bob.pk + 1000))] == [[]] * 5
    settings.ROOMLOG = {**settings.ROOMLOG, "FIND_PEOPLE": "nobody"}
    assert found(bob.pk) == []


def test_pictures_are_for_those_who_share_a_room(
    as_alice: Client,
    alice: User,
    bob: User,
    write: Callable[..., UUID],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Frames name people without pictures; a page asks for those of many at once, whoever may be found."""
    stranger = id_of(User.objects.create(username="carol"))
    alone = as_alice.get("/api/v1/people/", {"id": [id_of(alice), id_of(bob)]}).json()
    assert [one["id"] for one in alone] == [id_of(alice)]
    write(CreateRoom(uuid="r", members=[id_of(bob)]), alice)
    Person.objects.filter(pk=id_of(bob)).update(avatar="/bob.png")
    ids = [id_of(alice), id_of(bob), stranger, 10**6]
    with django_assert_num_queries(3):
        found = as_alice.get("/api/v1/people/", {"id": ids}).json()
    assert sorted(found, key=lambda one: str(one["username"])) == [
        {"id": id_of(alice), "username": "alice", "avatar": ""},
        {"id": id_of(bob), "username": "bob", "avatar": "/bob.png"},
    ]


@pytest.mark.parametrize("query", [{}, {"id": "x"}, {"id": 0}, {"id": list(range(1, 102))}])
def test_people_are_asked_for_by_some_ids(as_alice: Client, query: dict[str, Any]) -> None:
    """None, no numbers, and more than a page shows are refused."""
    assert as_alice.get("/api/v1/people/", query).status_code == 400


def test_a_direct_room_is_called_by_its_other_member(
    as_alice: Client,
    alice: User,
    bob: User,
    write: Callable[..., UUID],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """By one query for many rooms; groups, others' rooms and those whose other is gone have none."""
    carol = User.objects.create(username="carol")
    direct = write(CreateRoom(uuid="d", kind="direct", members=[id_of(bob)]), alice)
    group = write(CreateRoom(uuid="g", members=[id_of(bob)]), alice)
    foreign = write(CreateRoom(uuid="f", kind="direct", members=[id_of(bob)]), carol)
    Person.objects.filter(pk=id_of(bob)).update(avatar="/bob.png")
    query = {"room": [direct.hex, group.hex, foreign.hex, "0" * 32]}
    expected = {"room": direct.hex, "id": id_of(bob), "username": "bob", "avatar": "/bob.png"}
    with django_assert_num_queries(3):
        assert as_alice.get("/api/v1/rooms/direct/", query).json() == [expected]
    Membership.objects.filter(room=direct, user=id_of(bob)).delete()
    assert as_alice.get("/api/v1/rooms/direct/", query).json() == []


@pytest.mark.parametrize("query", [{}, {"room": "x"}, {"room": ["0" * 32] * 101}])
def test_direct_rooms_are_asked_for_by_some_ids(as_alice: Client, query: dict[str, Any]) -> None:
    """None, no ids, and more than a page shows are refused."""
    assert as_alice.get("/api/v1/rooms/direct/", query).status_code == 400
