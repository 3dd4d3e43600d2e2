"""Names and pictures by the project's own function, and without one."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction

from roomlog import people_hook
from roomlog.models import Person
from roomlog.people import on_migrated, person_of

pytestmark = pytest.mark.usefixtures("database")


class Hook:
    """A project's function: remembers whom it was asked for, and whether a transaction was open."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.was_in_transaction = False
        self.fails = False
        self.avatar = "/a.png"

    def __call__(self, users: Sequence[Any]) -> dict[Any, dict[str, str]]:
        """Return a name and a picture for each."""
        self.asked.append([user.username for user in users])
        self.was_in_transaction |= connection.in_atomic_block
        if self.fails:
            raise RuntimeError("a text that must not be logged")
        return {user.pk: {"name": f"Dr. {user.username}", "avatar": self.avatar} for user in users}


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Hook:
    """The project's function, and a process that has asked for nobody yet."""
    made = Hook()
    monkeypatch.setitem(settings.ROOMLOG, "PEOPLE", "shop.people")
    monkeypatch.setattr(people_hook, "import_string", lambda path: made)
    monkeypatch.setattr(people_hook, "_asked_at", {})
    return made


def shown(user: User) -> tuple[str, str]:
    """Return name and picture that people see now."""
    return Person.objects.values_list("name", "avatar").get(user=user)


def test_without_a_function_the_full_name_is_shown() -> None:
    """Or what the account signs in by, where it has no full name."""
    alice = User.objects.create_user("alice", first_name="Alice", last_name="Smith")
    bob = User.objects.create_user("bob")
    assert (shown(alice), shown(bob)) == (("Alice Smith", ""), ("bob", ""))


def test_the_function_is_asked_after_the_commit(hook: Hook) -> None:
    """Never inside the project's transaction, and not at all for what is rolled back."""
    with transaction.atomic():
        alice = User.objects.create_user("alice")
        assert hook.asked == []
    assert hook.asked == [["alice"]]
    assert not hook.was_in_transaction
    assert shown(alice) == ("Dr. alice", "/a.png")
    with transaction.atomic():
        User.objects.create_user("bob")
        transaction.set_rollback(True)
    assert hook.asked == [["alice"]]


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("https://pictures.example/a.png", "https://pictures.example/a.png"),
        ("javascript:alert(1)", ""),
        ("data:image/png;base64,AAAA", ""),
        ("a.png", ""),
        (f"/{'a' * 499}", f"/{'a' * 499}"),
        (f"/{'a' * 500}", ""),
    ],
)
def test_a_picture_is_a_path_or_a_web_address(hook: Hook, said: str, stored: str) -> None:
    """Of at most 500 characters; anything else is no picture, and the name stays."""
    hook.avatar = said
    assert shown(User.objects.create_user("alice")) == ("Dr. alice", stored)


def test_many_are_asked_for_at_once(hook: Hook) -> None:
    """As after `migrate`, for the users who were there before."""
    User.objects.bulk_create(User(username=f"user-{number}") for number in range(30))
    on_migrated(using="default")
    assert [len(asked) for asked in hook.asked] == [30]
    assert Person.objects.filter(name__startswith="Dr. user-").count() == 30


def test_nobody_is_asked_for_again_within_a_minute(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    """But after it."""
    alice = User.objects.create_user("alice")
    people_hook.refresh_seen(alice)
    assert len(hook.asked) == 1
    monkeypatch.setattr(people_hook, "KEPT_SECONDS", 0.0)
    people_hook.refresh_seen(alice)
    assert len(hook.asked) == 2


def test_a_function_that_fails_changes_nothing(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    """The account is saved, people keep their names, and the log has no text of the project's."""
    alice = User.objects.create_user("alice")
    hook.fails = True
    alice.save()
    bob = User.objects.create_user("bob")
    assert (shown(alice), shown(bob)) == (("Dr. alice", "/a.png"), ("bob", ""))
    assert "must not be logged" not in caplog.text
    assert person_of(bob).name == "bob"
