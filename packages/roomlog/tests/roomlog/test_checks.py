"""`manage.py check` names each wrong or missing setting, and says what to write."""

from types import SimpleNamespace
from typing import Any, Final

import pytest
from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.management import CommandError, call_command
from django.urls import clear_url_caches

from roomlog.checks import TAG, project, values
from roomlog.configuration import KEYS

WRONG: Final[list[tuple[str, object, str]]] = [
    ("REDIS_URL", "http://sec:ret@host", "redis://host:port/database"),
    ("REDIS_URL", 6379, "a text"),
    ("REDIS_PREFIX", "a:b", "1 to 128 letters"),
    ("SHARDS", 65, "Write one of 64, 128, 256, 512, 1024"),
    ("WEBSOCKET_URL", "https://chat.example.org/ws", "wss://chat.example.org/ws"),
    ("FIND_PEOPLE", "some", "all, shared_rooms, nobody"),
    ("PEOPLE", "no.such.function", "dotted path of a function"),
    ("PEOPLE", len, "dotted path of a function"),
    ("PEOPLE", "roomlog.people.SYSTEM_NAME", "dotted path of a function"),
    ("AUTHENTICATORS", "authtoken", "a list of authtoken"),
    ("AUTHENTICATORS", ["authtoken", "shop.nothing"], "dotted path of a function"),
    ("AUTHENTICATORS", ["knox"], 'INSTALLED_APPS += ["knox"]'),
    ("POLICY", "shop.rules", "dotted path of a class or module"),
    ("POLICY", 7, "dotted path of a class or module"),
    ("POLICY", "tests.roomlog.test_checks.Misspelt", "may_crate_room is no question"),
    ("WEBHOOKS", "on", "off, public, private"),
    ("AWAY_SECONDS", -1, "seconds from 0"),
    ("AWAY_SECONDS", "60", "seconds from 0"),
    ("EDIT_WINDOW_SECONDS", 0, "seconds above 0"),
    ("EDIT_WINDOW_SECONDS", True, "seconds above 0"),
    ("RETENTION_DAYS", 6, "from 7, or None"),
    ("PROXIES", 11, "from 0 to 10"),
    ("PROXIES", True, "whole number"),
    ("PARTITIONS", 257, "from 0 to 256"),
    ("READ_REPLICA", "default", "other than"),
    ("READ_REPLICA", "nowhere", "alias of a PostgreSQL replica"),
    ("ATTACHMENT_BYTES", 0, "from 1"),
    ("ATTACHMENT_BYTES_PER_DAY", "1 GiB", "whole number"),
    ("ATTACHMENT_TYPES", ["text/html"], "application/pdf"),
    ("ATTACHMENT_TYPES", "image/png", "application/pdf"),
    ("ATTACHMENT_REDIRECT", "s3", "True or False"),
    ("ROOMS_PER_USER", 0, "from 1"),
    ("ROOM_CREATIONS_PER_MINUTE", "60", "whole number"),
]


class Misspelt:
    """A policy that would never be asked."""

    def may_crate_room(self) -> bool:
        """Allow nothing."""
        return False


def found() -> dict[str | None, CheckMessage]:
    """Return what the app's checks say now, by id."""
    return {message.id: message for message in run_checks(tags=[TAG]) if message.id not in {"roomlog.W007"}}


def test_nothing_is_said_where_nothing_is_wrong(settings: Any) -> None:
    """In development Redis has a usual address: a new project needs no dictionary."""
    assert found() == {}
    settings.DEBUG = True
    del settings.ROOMLOG
    assert found() == {}


@pytest.mark.parametrize(("key", "value", "hint"), WRONG)
def test_a_wrong_value_is_named(key: str, value: object, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what may stand there, and without the value, which may hold a password."""
    monkeypatch.setitem(settings.ROOMLOG, key, value)
    (fault,) = found().values()
    assert key in fault.msg
    assert hint in str(fault.hint)
    assert "sec:ret" not in f"{fault.msg}{fault.hint}"


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its app, which could not be installed without it."""
    monkeypatch.setitem(settings.ROOMLOG, "AUTHENTICATORS", ["knox"])
    monkeypatch.setattr(values, "find_spec", lambda name: None)
    (fault,) = found().values()
    assert "Install the package of knox" in str(fault.hint)


def test_every_key_has_a_wrong_value_above() -> None:
    """A setting that nobody can get wrong needs no check."""
    assert {key for key, *_ in WRONG} == set(KEYS)


@pytest.mark.parametrize(
    ("key", "hint"), [("REDIS_URI", '"REDIS_URL"'), ("redis_url", '"REDIS_URL"'), ("X", "The keys are")]
)
def test_an_unknown_key_is_named(key: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the nearest of those that there are."""
    monkeypatch.setitem(settings.ROOMLOG, key, 1)
    fault = found()["roomlog.E003"]
    assert hint in str(fault.hint)
    assert key in fault.msg


@pytest.mark.parametrize(
    ("setting", "value", "fault", "hint"),
    [
        ("ROOMLOG", ["REDIS_URL"], "roomlog.E014", "ROOMLOG = {"),
        ("ROOMLOG", {}, "roomlog.E005", "REDIS_URL"),
        ("USE_TZ", False, "roomlog.E011", "USE_TZ = True"),
        ("SESSION_ENGINE", "django.contrib.sessions.backends.cache", "roomlog.W012", "SESSION_ENGINE"),
        ("ROOT_URLCONF", "tests.roomlog.no_addresses", "roomlog.W013", 'include("roomlog.urls")'),
        ("DATABASE_ROUTERS", ["tests.roomlog.split_router.SplitRouter"], "roomlog.E009", "one database"),
    ],
)
def test_a_projects_lacks_are_told(setting: str, value: object, fault: str, hint: str, settings: Any) -> None:
    """By one sentence for what is missing, and no other."""
    setattr(settings, setting, value)
    clear_url_caches()
    said = found()
    clear_url_caches()
    assert list(said) == [fault]
    assert hint in str(said[fault].hint)


def test_what_a_database_must_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transactions that SQLite would refuse, and databases of another kind."""
    for mode, faults in (({}, ["roomlog.W015"]), ({"transaction_mode": "IMMEDIATE"}, [])):
        sqlite = SimpleNamespace(vendor="sqlite", settings_dict={"OPTIONS": mode})
        monkeypatch.setattr(project, "connections", {"default": sqlite})
        assert list(found()) == faults
    monkeypatch.setattr(project, "connections", {"default": SimpleNamespace(vendor="mysql")})
    assert "mysql" in found()["roomlog.E008"].msg


def test_missing_apps_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line to write."""
    installed = apps.is_installed
    missing = {"django.contrib.contenttypes", "roomlog_worker"}
    monkeypatch.setattr(apps, "is_installed", lambda name: name not in missing and installed(name))
    said = {message.id: str(message.hint) for message in run_checks(tags=[TAG])}
    assert said == {
        "roomlog.E006": 'Write INSTALLED_APPS += ["django.contrib.contenttypes"].',
        "roomlog.W007": 'Write INSTALLED_APPS += ["roomlog_worker"].',
    }


def test_a_worker_does_not_start_with_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks the same checks as `manage.py check`."""
    from roomlog_worker.management.commands.message_process_worker import Command

    monkeypatch.setitem(settings.ROOMLOG, "FIND_PEOPLE", "some")
    with pytest.raises(CommandError, match="FIND_PEOPLE"):
        call_command(Command(), skip_checks=False)
