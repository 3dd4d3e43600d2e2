"""Guessing is slow at every door, for every process, and locks nobody else out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils import timezone

from roomlog import login, login_tries
from roomlog.login_tries import ADDRESS_FAILURES, NAME_FAILURES, PAIR_FAILURES, TooManyTries, address_of
from roomlog.models import LoginTry

pytestmark = pytest.mark.django_db
PASSWORDS = {"alice": "correct horse", "bob": "battery staple", "root": "root root root"}
DOORS = ("/login/", "/admin/login/", "/api/v1/token/")
HOME, AWAY = "192.0.2.1", "198.51.100.7"


def log_in(door: str, name: str, password: str | None = None, address: str = AWAY) -> Any:
    """Try once, with the right password unless one is given, as a browser without cookies."""
    fields = {"username": name, "password": password or PASSWORDS[name]}
    kind: dict[str, Any] = {"content_type": "application/json"} if door == "/api/v1/token/" else {}
    return Client(REMOTE_ADDR=address).post(door, fields, **kind)


def is_in(answer: Any) -> bool:
    """Tell whether a door let somebody in."""
    return answer.status_code == 302 or "token" in answer.content.decode()[:12]


def fail(name: str, times: int, address: str = AWAY) -> None:
    """Write failures down, without the cost of hashing."""
    for _ in range(times):
        login_tries.begin(name, RequestFactory(REMOTE_ADDR=address).post("/"))


@contextmanager
def later(pause: timedelta, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let time pass."""
    with monkeypatch.context() as patch:
        now = timezone.now() + pause
        patch.setattr(timezone, "now", lambda: now)
        yield


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("other", DOORS)
def test_failures_at_one_door_count_at_all(admin_user: User, door: str, other: str) -> None:
    """After ten wrong passwords even the right one is 429 for a while, with the time to wait."""
    for _ in range(PAIR_FAILURES):
        assert not is_in(log_in(door, "root", "wrong"))
    answer = log_in(other, "root")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 60
    is_rest = other == "/api/v1/token/"
    assert answer.headers["content-type"].startswith("application/problem+json" if is_rest else "text/html")
    assert "Too many attempts" in answer.content.decode()


@pytest.mark.parametrize("door", DOORS)
def test_a_stranger_elsewhere_locks_nobody_out(admin_user: User, door: str) -> None:
    """Ten wrong passwords from one address concern that address alone; and it passes."""
    fail("root", PAIR_FAILURES)
    assert log_in(door, "root").status_code == 429
    assert is_in(log_in(door, "root", address=HOME))


def test_a_pause_ends(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time that was told is enough."""
    fail("alice", PAIR_FAILURES)
    wait = int(log_in("/login/", "alice").headers["retry-after"])
    with later(timedelta(seconds=wait + 1), monkeypatch):
        assert is_in(log_in("/login/", "alice"))


def test_one_address_tries_few_names(alice: User) -> None:
    """Many names from one address are stopped too; other addresses are not."""
    for number in range(ADDRESS_FAILURES):
        fail(f"name{number}", 1)
    assert log_in("/login/", "alice").status_code == 429
    assert is_in(log_in("/login/", "alice", address=HOME))


def test_many_addresses_guess_slowly_and_the_owner_gets_in(alice: User, bob: User) -> None:
    """A botnet is paused for the name; who logged in from an address before gets in from there."""
    assert is_in(log_in("/login/", "alice", address=HOME))
    for number in range(NAME_FAILURES):
        fail("alice", 1, f"203.0.113.{number}")
    for number in range(ADDRESS_FAILURES):
        fail(f"name{number}", 1, HOME)
    assert log_in("/login/", "alice").status_code == 429
    assert is_in(log_in("/login/", "alice", address=HOME))
    assert is_in(log_in("/login/", "bob"))


def test_no_flood_makes_the_counts_forget(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused try costs neither a hash nor a row."""
    fail("alice", PAIR_FAILURES)
    for number in range(ADDRESS_FAILURES * 12):
        fail(f"name{number}", 1, f"2001:db8:{number:x}::1")
    cache.clear()
    assert log_in("/login/", "alice").status_code == 429
    rows = LoginTry.objects.count()
    monkeypatch.setattr("django.contrib.auth.models.User.check_password", lambda *_: pytest.fail("hashed"))
    assert log_in("/login/", "alice").status_code == 429
    assert LoginTry.objects.count() == rows


def test_logins_take_some_threads_and_never_all(alice: User) -> None:
    """While as many as may log in do, the next one is told to come again."""
    for _ in range(login.LOGINS):
        assert login._logins.acquire(blocking=False)
    try:
        answer = log_in("/login/", "alice")
    finally:
        for _ in range(login.LOGINS):
            login._logins.release()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert is_in(log_in("/login/", "alice"))


def test_old_rows_go(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is as long as the last hour, and one row for each name and address that is known."""
    for _ in range(3):
        assert is_in(log_in("/login/", "alice"))
    fail("nobody", 5)
    with later(login_tries.NAME_PAUSE + timedelta(minutes=1), monkeypatch):
        fail("nobody", 1)
        assert sorted(LoginTry.objects.values_list("has_succeeded", flat=True)) == [False, True]
    with later(login_tries.KNOWN + timedelta(days=1), monkeypatch):
        fail("nobody", 1)
        assert LoginTry.objects.count() == 1


def test_rows_name_nobody_and_go(alice: User) -> None:
    """People type passwords where the name belongs; code without a request is paced too."""
    fail("my secret pass phrase", 1)
    assert "secret" not in str(LoginTry.objects.values().get())
    assert AWAY not in str(LoginTry.objects.values().get())
    for _ in range(PAIR_FAILURES):
        login_tries.begin("alice", None)
    with pytest.raises(TooManyTries):
        login_tries.begin("alice", None)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", AWAY),
        (1, None, AWAY),
        (1, "", AWAY),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (3, "203.0.113.9", "203.0.113.9"),
        (1, "::ffff:203.0.113.9", "203.0.113.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "unknown", "unknown"),
    ],
)
def test_the_address_is_the_last_that_can_be_trusted(
    settings: Any, proxies: int, forwarded: str | None, address: str
) -> None:
    """What a stranger writes into the header stands left of what our own proxies add."""
    settings.ROOMLOG = {**settings.ROOMLOG, "PROXIES": proxies}
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    assert address_of(RequestFactory(headers=headers, REMOTE_ADDR=AWAY).get("/")) == address


def test_the_old_password_is_guessed_as_slowly(admin_user: User) -> None:
    """Whoever found a browser open has no more tries at the password than a stranger."""
    client = Client(REMOTE_ADDR=AWAY)
    client.force_login(admin_user)
    words = {"new_password1": "a long pass phrase", "new_password2": "a long pass phrase"}
    page = "/admin/password_change/"
    assert client.get(page).status_code == 200
    for _ in range(PAIR_FAILURES):
        assert client.post(page, words | {"old_password": "wrong"}).status_code == 200
    assert client.post(page, words | {"old_password": PASSWORDS["root"]}).status_code == 429
    assert log_in("/login/", "root").status_code == 429
    assert client.post(page, words | {"old_password": PASSWORDS["root"]}, REMOTE_ADDR=HOME).status_code == 302
