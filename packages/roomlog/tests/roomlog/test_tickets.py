"""Tickets: whose they are, for how long, and what they die with."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import ImproperlyConfigured
from django.core.signing import Signer, TimestampSigner
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from roomlog import selectors
from roomlog.models import Person
from roomlog.tickets import SALT, TICKET_SECONDS, make_ticket, read_ticket, signed_in_by_ticket
from roomlog_contract.events import User as WireUser
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(alice: User) -> Any:
    """Alice's token."""
    return Token.objects.create(user=alice).key


@pytest.fixture
def session(alice: User, client: Client) -> Any:
    """The key of Alice's session."""
    client.force_login(alice)
    return client.session.session_key


def opens(ticket: str, *, is_recheck: bool = False) -> bool:
    """Tell whether the ticket is good, and check that it names Alice."""
    found = signed_in_by_ticket({(ticket, is_recheck)})
    for one in found.values():
        assert one.user == WireUser(Person.objects.get(name="alice").pk, "alice")
    return bool(found)


def move_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the database's clock go on."""
    now = selectors.database_seconds()
    monkeypatch.setattr(selectors, "database_seconds", lambda: now + seconds)


@pytest.mark.parametrize("origin", ["token", "session"])
def test_a_ticket_opens_for_a_minute_and_then_only_stays(
    alice: User, origin: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its minute a ticket opens nothing; a socket that came with it is still known by it."""
    ticket = make_ticket(alice, **{origin: request.getfixturevalue(origin)})
    move_clock(monkeypatch, TICKET_SECONDS - 2)
    assert opens(ticket)
    move_clock(monkeypatch, 4)
    assert not opens(ticket)
    assert opens(ticket, is_recheck=True)


def test_a_ticket_lasts_as_long_as_its_session(alice: User, session: str, token: str) -> None:
    """By the database's clock; a token of DRF's has no end."""
    Session.objects.update(expire_date=timezone.now() + timedelta(seconds=90))
    asked = {(make_ticket(alice, session=session), True), (make_ticket(alice, token=token), True)}
    of_session, of_token = sorted(
        (one.expires_in_ms for one in signed_in_by_ticket(asked).values()), key=lambda left: left is None
    )
    assert of_session is not None
    assert 60_000 < of_session <= 90_000
    assert of_token is None


def test_no_clock_but_the_databases_counts(alice: User, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The api's and the worker's may be hours apart; only our own signature counts."""
    ticket = make_ticket(alice, token=token)
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert opens(ticket)
    ticket = make_ticket(alice, token=token)
    forged = ["", "42", ticket + "x", "4" + ticket, "\0", "é", TimestampSigner(salt=SALT).sign("42")]
    forged += [
        Signer(salt=SALT).sign_object(said) for said in (42, [], {"user": id_of(alice)}, [id_of(alice)])
    ]
    forged += [Signer(salt="other").sign_object([id_of(alice), 0, "", "", "", ""])]
    assert [read_ticket(one) for one in forged] == [None] * len(forged)


def test_a_ticket_shows_no_secret(alice: User, token: str, session: str) -> None:
    """Whoever sees tickets learns neither the token nor the session's key; no two tickets are alike."""
    made = [make_ticket(alice, session=session) for _ in range(2)] + [make_ticket(alice, token=token)]
    said = [Signer(salt=SALT).unsign_object(ticket) for ticket in made]
    assert session not in str(said)
    assert session.encode().hex() not in str(said)
    assert token not in str(said)
    assert said[0][4] != said[1][4]


def _delete(user: User) -> None:
    Token.objects.all().delete()
    Session.objects.all().delete()


def _replace_token(user: User) -> None:
    Session.objects.all().delete()
    Token.objects.update(key="a" * 40)


def _change_password(user: User) -> None:
    user.set_password("another")
    User.objects.filter(pk=user.pk).update(password=user.password)


def _replace_account(user: User) -> None:
    tokens, facts = list(Token.objects.all()), {"pk": user.pk, "password": user.password}
    user.delete()
    User.objects.create(username="another", **facts)
    Token.objects.bulk_create(tokens)


LOSSES: dict[str, Callable[[User], object]] = {
    "deleted": _delete,
    "replaced": _replace_token,
    "another password": _change_password,
    "deactivated": lambda user: User.objects.update(is_active=False),
    "another account": _replace_account,
}


@pytest.mark.parametrize("change", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("origin", ["token", "session"])
def test_a_ticket_dies_with_what_it_came_from(
    alice: User, origin: str, change: Callable[[User], object], request: pytest.FixtureRequest
) -> None:
    """Fresh or at a recheck: token, session, password and account must be as they were."""
    ticket = make_ticket(alice, **{origin: request.getfixturevalue(origin)})
    change(alice)
    assert [opens(ticket), opens(ticket, is_recheck=True)] == [False, False]


def _edit(change: Callable[[SessionStore], object]) -> Callable[[Client], None]:
    def edit(client: Client) -> None:
        store = SessionStore(client.session.session_key)
        change(store)
        store.save()

    return edit


ENDS: dict[str, Callable[[Client], object]] = {
    "logged out": lambda client: client.logout(),
    "expired": lambda client: Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1)),
    "another's": _edit(lambda store: store.update({"_auth_user_id": "0"})),
    "emptied": _edit(lambda store: store.clear()),
}


@pytest.mark.parametrize("change", ENDS.values(), ids=ENDS)
def test_a_session_must_still_be_its_users(
    alice: User, client: Client, session: str, change: Callable[[Client], object]
) -> None:
    """Logged out, expired or taken over by another login: the row alone proves nothing."""
    ticket = make_ticket(alice, session=session)
    change(client)
    assert not opens(ticket, is_recheck=True)


def test_a_new_secret_key_keeps_sockets_where_the_old_one_still_counts(
    alice: User, token: str, session: str, settings: Any
) -> None:
    """As Django keeps the sessions themselves."""
    made = [make_ticket(alice, token=token), make_ticket(alice, session=session)]
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another key, which is long enough not to be laughed at 0123456789"
    assert all(opens(ticket, is_recheck=True) for ticket in made)
    settings.SECRET_KEY_FALLBACKS = []
    assert not any(opens(ticket, is_recheck=True) for ticket in made)


def test_sessions_outside_the_database_give_no_tickets(alice: User, client: Client, settings: Any) -> None:
    """Workers could not look whether they still stand; the sentence says what to set."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    client.force_login(alice)
    with pytest.raises(ImproperlyConfigured, match="SESSION_ENGINE"):
        client.post("/api/v1/ticket/")
