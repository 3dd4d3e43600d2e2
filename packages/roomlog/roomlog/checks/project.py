"""What a project has beside the dictionary: apps, database, user model, sessions, addresses."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.checks import CheckMessage, Error, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.urls import NoReverseMatch, reverse

from roomlog.tickets import session_model

from .tag import TAG

NEEDED: Final = ("django.contrib.auth", "django.contrib.contenttypes")
VENDORS: Final = ("postgresql", "sqlite")
SQLITE_OPTIONS: Final = (
    'Write DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}:'
    " each transaction then waits for its turn."
)


@register(TAG)
def check_project(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:
    """Refuse what Roomlog can't work in, and name what is still missing."""
    return [*_apps(), *_database(), *_users(), *_sessions(), *_addresses()]


def _apps() -> Iterator[CheckMessage]:
    for name in NEEDED:
        if not apps.is_installed(name):
            yield Error(f"{name} is not installed.", hint=_add(name), id="roomlog.E006")
    if not apps.is_installed("roomlog_worker"):
        problem = "roomlog_worker is not installed: no process of this project writes messages."
        yield Caution(problem, hint=_add("roomlog_worker"), id="roomlog.W007")


def _add(name: str) -> str:
    return f'Write INSTALLED_APPS += ["{name}"].'


def _database() -> Iterator[CheckMessage]:
    connection = connections[DEFAULT_DB_ALIAS]
    vendor = connection.vendor
    if vendor == "sqlite" and connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
        problem = "SQLite refuses a transaction that reads, then writes, where a worker wrote meanwhile."
        yield Caution(problem, hint=SQLITE_OPTIONS, id="roomlog.W015")
    if vendor not in VENDORS:
        hint = 'Write a DATABASES["default"] of PostgreSQL, or of SQLite on one machine.'
        yield Error(f"Roomlog does not work on {vendor}.", hint=hint, id="roomlog.E008")
    elsewhere = sorted(model._meta.label for model in _tables() if not _is_at_home(model))
    if elsewhere:
        problem = f"A database router puts {', '.join(elsewhere)} elsewhere than in {DEFAULT_DB_ALIAS!r}."
        hint = "Let it route Roomlog's tables, users and sessions to one database: they share transactions."
        yield Error(problem, hint=hint, id="roomlog.E009")


def _tables() -> list[Any]:
    return [*apps.get_app_config("roomlog").get_models(), get_user_model()]


def _is_at_home(model: Any) -> bool:
    asked = router.db_for_read(model), router.db_for_write(model)
    return set(asked) == {DEFAULT_DB_ALIAS} and router.allow_migrate_model(DEFAULT_DB_ALIAS, model)


def _users() -> Iterator[CheckMessage]:
    if not issubclass(get_user_model(), AbstractBaseUser):
        hint = "Derive it from django.contrib.auth.models.AbstractBaseUser."
        yield Error(f"{settings.AUTH_USER_MODEL} is no account of Django's.", hint=hint, id="roomlog.E010")
    if not settings.USE_TZ:
        hint = "Write USE_TZ = True."
        yield Error("USE_TZ is off: times of messages would be ambiguous.", hint=hint, id="roomlog.E011")


def _sessions() -> Iterator[CheckMessage]:
    if not apps.is_installed("django.contrib.sessions"):
        return  # nobody signs in by one
    try:
        session_model()
    except ImproperlyConfigured as error:
        problem = "People who sign in by a session can't chat: no worker can see that it ends."
        yield Caution(problem, hint=str(error), id="roomlog.W012")


def _addresses() -> Iterator[CheckMessage]:
    if not getattr(settings, "ROOT_URLCONF", None):
        return  # a worker of the stand-alone project serves nobody
    try:
        reverse("roomlog:chat")
    except NoReverseMatch:
        hint = 'Write path("chat/", include("roomlog.urls")) into the urlpatterns.'
        yield Caution("Roomlog's addresses are not included.", hint=hint, id="roomlog.W013")
