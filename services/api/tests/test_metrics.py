"""What a scanner sends makes no series: labels are closed sets."""

from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from prometheus_client import REGISTRY

from roomlog.login_tries import PAIR_FAILURES

pytestmark = pytest.mark.django_db
PAGES = ("/", "/login/", "/admin/", "/admin/login/", "/static/{word}")
PATHS = (*PAGES, "/api/v1/rooms/", "/api/v1/token/", "/api/v1/schema/")


def series() -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return name and labels of each of the process's series; which statuses came depends on the throttle."""
    return {
        (sample.name, tuple(sorted((sample.labels | {"status": ""}).items())))
        for family in REGISTRY.collect()
        for sample in family.samples
    }


def scan(clients: list[Client], room: UUID, word: str) -> None:
    """Send what a scanner sends, with a word that was never sent before wherever there may be one."""
    where = [path.format(word=word) for path in PATHS]
    where += [f"/{word}", f"/{word}.php", f"/api/{word}/", f"/admin/{word}/", f"/api/v1/messages/{word}/"]
    where += [
        f"/api/v1/rooms/{room.hex}/messages/",
        f"/api/v1/rooms/{uuid4().hex}/messages/",
        f"/?{word}={word}",
    ]
    for client in clients:
        for path in where:
            for method in ("GET", "HEAD", "POST", "DELETE", "TRACE", "CONNECT", word.upper(), word):
                client.generic(method, path, b"{}", content_type=f"application/{word}").close()
            for headers in (
                {"host": f"{word}.example"},
                {"accept": f"text/{word}"},
                {"user-agent": word, "x-requested-with": word, "x-forwarded-proto": word},
                {"authorization": f"Token {word}"},
            ):
                client.generic("GET", path, headers=headers).close()


def test_a_scanner_makes_no_series(lobby: UUID, admin_user: User) -> None:
    """A second scan with other words finds every series made; none has a word of the scanner's in it."""
    staff = Client(raise_request_exception=False)
    staff.force_login(admin_user)
    clients = [Client(raise_request_exception=False), staff]
    scan(clients, lobby, "brew")
    first = series()
    scan(clients, lobby, "propfind")
    assert series() - first == set()
    labels = {value.lower() for _, labels in first for _, value in labels}
    assert not {value for value in labels if "brew" in value or ".example" in value}


def logins(result: str) -> float:
    """Return how many ended so."""
    return REGISTRY.get_sample_value("roomlog_api_logins_total", {"result": result}) or 0.0


@pytest.mark.parametrize("door", ["/login/", "/admin/login/", "/api/v1/token/"])
def test_logins_are_counted_by_result(admin_user: User, door: str) -> None:
    """At every door: the right password, a wrong one, and one that is not looked at any more."""
    import_module("roomlog_api.wsgi")  # as gunicorn does
    admin_user.set_password("right")
    admin_user.save()

    def log_in(password: str) -> None:
        fields = {"username": admin_user.username, "password": password}
        kind: dict[str, Any] = {"content_type": "application/json"} if door == "/api/v1/token/" else {}
        Client().post(door, fields, **kind)

    before = [logins(result) for result in ("accepted", "refused", "too_many")]
    log_in("right")
    for _ in range(PAIR_FAILURES + 1):
        log_in("wrong")
    after = [logins(result) for result in ("accepted", "refused", "too_many")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, PAIR_FAILURES, 1]
