"""Names and pictures of people, by the project's own function (`ROOMLOG["PEOPLE"]`) or from its user model.

Beside the message's way. The function is the project's code: it is asked for many at once, outside of
transactions, and what it can't say leaves people as they are.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import structlog
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.module_loading import import_string

from .configuration import configuration
from .models import PERSON_NAME_CODE_POINTS, Person

ASKED_AT_ONCE: Final = 1_000
KEPT_SECONDS: Final = 60.0
"""The hook is not asked about a person again within this time, unless the account was saved."""
KEPT_PEOPLE: Final = 10_000
"""More are forgotten and asked for again: a process must not grow with the users of a project."""
AVATAR_CHARACTERS: Final = 500
AVATAR_BEGINNINGS: Final = ("https://", "http://", "/")
"""How a picture's address begins: it is elsewhere, or a path of the project's own."""

Facts = Mapping[str, str]
Hook = Callable[[Sequence[AbstractBaseUser]], Mapping[Any, Facts]]
log = structlog.get_logger()
_asked_at: dict[Any, float] = {}


def name_of(user: AbstractBaseUser) -> str:
    """Return the name that people see where the project says no other: the full name, or that of the login.

    A longer one is cut, because no user must fail to be saved for it.
    """
    full_name: Callable[[], object] = getattr(user, "get_full_name", str)
    name = str(full_name()).strip() or str(user.get_username())
    return name[:PERSON_NAME_CODE_POINTS]


def refresh_seen(user: AbstractBaseUser) -> None:
    """Ask for somebody who is here now, after the transaction, if nobody has in the last minute."""
    asked_at = _asked_at.get(user.pk)
    if asked_at is None or time.monotonic() - asked_at >= KEPT_SECONDS:
        refresh_after_commit([user])


def refresh_after_commit(users: Iterable[AbstractBaseUser]) -> None:
    """Ask for these once the caller's transaction, if any, has committed."""
    if configuration().people is None:
        return
    asked = list(users)

    def ask() -> None:  # no partial: Django's report of a failing hook asks for its __qualname__
        refresh(asked)

    transaction.on_commit(ask, robust=True)


def refresh(users: Sequence[AbstractBaseUser]) -> None:
    """Ask the project for names and pictures of these users and store what has changed.

    For your own code too, where a name lives elsewhere than in the account. Never raises for the function.
    """
    path = configuration().people
    if path is None:
        return
    hook: Hook = import_string(path)
    for start in range(0, len(users), ASKED_AT_ONCE):
        _refresh(hook, users[start : start + ASKED_AT_ONCE])


def _refresh(hook: Hook, users: Sequence[AbstractBaseUser]) -> None:
    _remember(users)
    try:
        said = hook(users)
        facts = {user.pk: _checked(user, said.get(user.pk, {})) for user in users}
    except Exception as error:  # the project's own code: chat goes on with the names that there are
        log.warning("people_hook_failed", error=type(error).__name__)
        return
    people = list(Person.objects.filter(user_id__in=list(facts)))
    changed = [person for person in people if (person.name, person.avatar) != facts[person.user_id]]
    for person in changed:
        person.name, person.avatar = facts[person.user_id]
    Person.objects.bulk_update(changed, ["name", "avatar"])


def _checked(user: AbstractBaseUser, facts: Facts) -> tuple[str, str]:
    """Return name and picture; a name of blanks is none, nor is an address that no page should load."""
    name = str(facts.get("name") or "").strip() or name_of(user)
    avatar = str(facts.get("avatar") or "")
    is_picture = len(avatar) <= AVATAR_CHARACTERS and avatar.startswith(AVATAR_BEGINNINGS)
    return name[:PERSON_NAME_CODE_POINTS], avatar if is_picture else ""


def _remember(users: Iterable[AbstractBaseUser]) -> None:
    now = time.monotonic()
    if len(_asked_at) > KEPT_PEOPLE:
        _asked_at.clear()
    _asked_at.update((user.pk, now) for user in users)
