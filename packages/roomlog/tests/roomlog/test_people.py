"""Each of the project's users is one person of the log, whatever happens to the user."""

from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import call_command
from django.db import connection
from pytest_django import DjangoAssertNumQueries
from rest_framework.authtoken.models import Token

from roomlog import people, selectors
from roomlog.models import Person
from roomlog.people import on_migrated, person_of, system_person, users_by_token
from roomlog_contract.events import User as WireUser
from tests.harness.people import add_user

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def unknown() -> User:
    """A user whom no signal told of, as after a `bulk_create`."""
    User.objects.bulk_create([User(username="unknown")])
    return User.objects.get(username="unknown")


def name_of(number: int) -> str:
    """Return the name that people see."""
    return selectors.users_by_id([number])[number].username


class TestComingAbout:
    """One person for each user, made once."""

    def test_a_saved_user_is_a_person(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        """With an id of its own; who asks again gets the same, and nothing is asked twice for one user."""
        user = User.objects.create(username="dora")
        person = Person.objects.get(user=user)
        assert person.name == "dora"
        assert person.pk != user.pk
        assert person_of(user) == person
        fresh = User.objects.get()
        with django_assert_num_queries(1):
            assert [person_of(fresh), person_of(fresh)] == [person, person]

    def test_a_user_whom_nobody_told_of_is_made_when_needed(self, unknown: User) -> None:
        """By whoever identifies it: a token, or a request."""
        token = Token.objects.create(user=unknown)
        found = users_by_token([token.key])
        person = Person.objects.get(user=unknown)
        assert found == {token.key: WireUser(person.pk, "unknown")}
        assert person_of(unknown) == person

    def test_migrate_makes_those_who_were_there_before(self, unknown: User) -> None:
        """In pieces; again is harmless."""
        User.objects.bulk_create(User(username=f"old-{number}") for number in range(5))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(people, "MADE_AT_ONCE", 2)
            for _ in range(2):
                call_command("migrate", verbosity=0)
        assert Person.objects.exclude(user=None).count() == User.objects.count() == 6
        assert person_of(unknown).name == "unknown"

    def test_migrating_to_nothing_asks_for_no_people(self) -> None:
        """The table is gone then."""
        from django.apps.registry import Apps

        on_migrated("default", apps=Apps())

    def test_people_come_with_users(self) -> None:
        """Of a fixture too; strangers are nobody, and code has one without a user."""
        User(username="raw").save_base(raw=True)
        assert Person.objects.exclude(user=None).count() == 0
        with pytest.raises(AssertionError):
            person_of(AnonymousUser())

    def test_two_at_once_make_one(self, unknown: User) -> None:
        """The later finds what the earlier made."""
        barrier, made = Barrier(2), []

        def make() -> None:
            user = User.objects.get(pk=unknown.pk)
            barrier.wait(10)
            made.append(person_of(user).pk)
            connection.close()

        threads = [Thread(target=make) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert made == [Person.objects.get(user=unknown).pk] * 2

    def test_code_has_one_person_without_a_user(self) -> None:
        """It has no user to sign in with, and does not count as a deleted account."""
        one, other = system_person(), system_person()
        assert (one.pk, one.user, one.deleted_at) == (other.pk, None, None)
        assert selectors.active_user_ids([one.pk]) == set()


class TestName:
    """The name that people see is the user's."""

    def test_it_follows_the_user(self, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        """Saving renames; a login, which saves its time alone, asks nothing."""
        alice = add_user("alice")
        user = User.objects.get()
        user.username = "alicia"
        user.save()
        assert name_of(alice) == "alicia"
        with django_assert_num_queries(1):
            user.save(update_fields=["last_login"])

    def test_a_longer_one_is_cut(self) -> None:
        """The largest frames count on 150; SQLite would store any number of them."""
        user = User.objects.create(username="dora")
        user.get_username = lambda: "x" * 151  # type: ignore[method-assign]
        user.save()
        assert name_of(person_of(user).pk) == "x" * 150
