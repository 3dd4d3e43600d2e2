"""Whose tokens sign in: DRF's and those of the project's own function, at sockets and at REST alike."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from roomlog import authenticators
from roomlog.authenticators import End, own_authenticators, rest_classes, signed_in
from roomlog.people import as_user, person_of
from roomlog.signed_in import SignedIn
from tests.harness.people import make_token

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def alice() -> User:
    """Somebody with an account."""
    return User.objects.create_user("alice")


@pytest.fixture(autouse=True)
def _own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that names DRF's tokens and a function that knows people by `own-<name>`."""

    def by_token(token: str) -> Any:
        return User.objects.filter(username=token.removeprefix("own-")).first()

    monkeypatch.setitem(settings.ROOMLOG, "AUTHENTICATORS", ["authtoken", "shop.by_token"])
    monkeypatch.setattr(authenticators, "import_string", lambda path: by_token)


def request(token: str | None) -> Request:
    """Return a request with this token of the project's kind."""
    headers: Any = {} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    return Request(APIRequestFactory().get("/", **headers))


def test_the_first_who_knows_a_token_decides(alice: User) -> None:
    """Active people are known by any of them; who was deactivated by none."""
    shown, key = SignedIn(as_user(person_of(alice))), make_token(person_of(alice).pk).key
    own = own_authenticators()
    assert [signed_in(token, own) for token in (key, "own-alice", "own-nobody")] == [shown, shown, None]
    User.objects.update(is_active=False)
    assert [signed_in(token, own) for token in (key, "own-alice")] == [None, None]


@pytest.mark.parametrize("kind", ["seconds", "a time"])
def test_a_function_may_say_when_its_token_ends(alice: User, kind: str) -> None:
    """Then whoever has it is told how long it lasts; what has ended is nobody's."""

    def ends_in(seconds: float) -> End:
        return time.time() + seconds if kind == "seconds" else datetime.now(UTC) + timedelta(seconds=seconds)

    found = signed_in("t", [lambda token: (alice, ends_in(90))])
    assert found is not None
    assert found.expires_in_ms is not None
    assert 60_000 < found.expires_in_ms <= 90_000
    assert signed_in("t", [lambda token: (alice, None)]) == SignedIn(found.user)
    assert signed_in("t", [lambda token: (alice, ends_in(-1)), lambda token: alice]) is None


def test_a_project_without_its_own_asks_none_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """DRF's tokens are read by the hundred, without a thread for each."""
    monkeypatch.setitem(settings.ROOMLOG, "AUTHENTICATORS", ["authtoken"])
    assert own_authenticators() == []
    assert rest_classes() == [TokenAuthentication]


def test_rest_knows_the_same_tokens(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """And their ends; a project without its own is asked in no thread."""
    drf, own = rest_classes()
    assert drf is TokenAuthentication
    assert own().authenticate(request("own-alice")) == (alice, "own-alice")
    assert own().authenticate(request(None)) is None
    assert own().authenticate_header(request(None)) == "Bearer"
    with pytest.raises(AuthenticationFailed):
        own().authenticate(request("own-nobody"))
    User.objects.update(is_active=False)
    with pytest.raises(AuthenticationFailed):
        own().authenticate(request("own-alice"))
    for seconds, is_valid in ((90.0, True), (-1.0, False)):
        found = (alice, time.time() + seconds)
        monkeypatch.setattr(authenticators, "import_string", lambda path, found=found: lambda token: found)
        _, own = rest_classes()
        if is_valid:
            assert own().authenticate(request("t")) == (alice, "t")
        else:
            with pytest.raises(AuthenticationFailed):
                own().authenticate(request("t"))
