"""People: the log's view of the project's users. A person's id is the user id of the wire.

Before the message's way. Saving a user makes and renames the person, `migrate` makes those of the users who
were there before, and identifying somebody makes what is still missing. People come about nowhere else.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.apps.registry import Apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import router
from django.db.models import Model, Q, QuerySet
from django.db.models.signals import post_migrate, post_save
from rest_framework.authtoken.models import Token

from roomlog_contract.events import User

from .compiled import CompiledQuery, among
from .configuration import configuration
from .models import Person
from .people_hook import name_of, refresh, refresh_after_commit

SYSTEM_NAME: Final = "system"
MADE_AT_ONCE: Final = 1_000
"""People in one statement after `migrate`."""


def connect(app: AppConfig) -> None:
    """Listen to the signals of users and of `migrate`; again is harmless."""
    for model in user_models():
        post_save.connect(on_user_saved, sender=model, dispatch_uid="roomlog.user_saved")
    post_migrate.connect(on_migrated, sender=app, dispatch_uid="roomlog.migrated")


def user_models() -> list[type[Model]]:
    """Return the project's model of users and what is derived from it: each sends signals of its own.

    With a listener for all models Django would read every row of a project before it deletes it.
    """
    return [model for model in installed_apps.get_models() if issubclass(model, get_user_model())]


def person_of(user: AbstractBaseUser | AnonymousUser) -> Person:
    """Return the person of a signed-in user, making it if it is missing. Two at once make one."""
    assert isinstance(user, AbstractBaseUser), "only the signed-in are people"
    try:
        person: Person = user.roomlog_person  # type: ignore[attr-defined] # Person.user is its other end
    except Person.DoesNotExist:
        key: Any = user.pk  # whatever the project's user model has
        person, _ = Person.objects.get_or_create(user_id=key, defaults={"name": name_of(user)})
    return person


def person_ids(users: Iterable[AbstractBaseUser]) -> list[int]:
    """Return the ids of the persons of these users, making those that are missing."""
    by_key = {user.pk: user for user in users}
    known = dict(Person.objects.filter(user_id__in=list(by_key)).values_list("user_id", "pk"))
    return [known.get(key) or person_of(user).pk for key, user in by_key.items()]


def person_of_code(name: str) -> Person:
    """Return the person who speaks for code under this name: it has no user, so nobody can sign in as it."""
    person, _ = Person.objects.get_or_create(name=name, user=None, deleted_at=None)
    return person


def system_person() -> Person:
    """Return the person who acts for the project itself."""
    return person_of_code(SYSTEM_NAME)


def person_id(user_key: Any) -> int | None:
    """Return the id of the person whose user has this primary key."""
    return Person.objects.filter(user_id=user_key).values_list("pk", flat=True).first()


def person_id_by_text(text: str) -> int | None:
    """Return the id of the person whose user has this primary key, or None for what is no key."""
    field: Any = get_user_model()._meta.pk
    while field.remote_field:  # a user model that extends another's table
        field = field.target_field
    try:
        key = field.to_python(text)
        field.run_validators(key)  # no database is asked for a number that it can't hold
    except ValidationError:
        return None
    return person_id(key)


def as_user(person: Person) -> User:
    """Return a person as the wire shows them."""
    return User(person.pk, person.name)


def users_by_token(keys: Collection[str]) -> dict[str, User]:
    """Return the active user of each valid token."""
    if not keys or Token._meta.abstract:  # a project without DRF's tokens
        return {}
    found = list(_TOKENS.rows(keys))
    users = {key: User(number, name) for key, number, name in found if number is not None}
    if missing := {key for key, number, _ in found if number is None}:
        rows = Token.objects.filter(is_active("user"), key__in=missing)
        users |= {token.key: as_user(person_of(token.user)) for token in rows}
    return users


def _tokens() -> QuerySet[Token, tuple[Any, ...]]:
    rows = Token.objects.filter(is_active("user"), among(Token, "key", "text"))
    return rows.values_list("key", "user__roomlog_person__id", "user__roomlog_person__name")


_TOKENS: Final = CompiledQuery(_tokens)


def is_active(user: str) -> Q:
    """Return the condition that the user whom this field refers to may take part."""
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:  # this project can't deactivate anybody
        return Q(**{f"{user}__isnull": False})
    return Q(**{f"{user}__is_active": True})


def on_user_saved(
    instance: AbstractBaseUser, raw: bool = False, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """Make the person of a new user, and keep the name current; fixtures bring their own people."""
    if raw or update_fields == frozenset({"last_login"}):
        return
    person = person_of(instance)
    if configuration().people is None:
        person.name = name_of(instance)
        Person.objects.filter(pk=person.pk).exclude(name=person.name).update(name=person.name)
    refresh_after_commit([instance])


def on_migrated(using: str, apps: Apps = installed_apps, **_: Any) -> None:
    """Make the people of the users who were there before this app; again is harmless."""
    has_table = "person" in apps.all_models["roomlog"]
    if not has_table or not router.allow_migrate_model(using, Person):
        return
    if not _has_all_columns(apps.get_model(settings.AUTH_USER_MODEL)):
        return  # on the way to an older or a newer account: the next `migrate` makes them
    users = get_user_model()._default_manager.using(using).filter(roomlog_person=None)
    while batch := list(users[:MADE_AT_ONCE]):
        made = [Person(user=user, name=name_of(user)) for user in batch]
        Person.objects.using(using).bulk_create(made, ignore_conflicts=True)
        refresh(batch)


def _has_all_columns(migrated: type[Model]) -> bool:
    """Return whether the users' table, as migrated so far, has each column that a query of users names."""
    columns = {field.column for field in migrated._meta.concrete_fields}
    return columns >= {field.column for field in get_user_model()._meta.concrete_fields}
