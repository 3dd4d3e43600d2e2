"""A project with the user model that the first argument names: signs in, writes, deletes an account.

A program of its own, because a process has one user model. Its database is the second argument's file.
"""

import sys

import django
from django.conf import settings
from django.core.management import call_command


def main(model: str, path: str) -> None:
    """Do it all; a failed assertion ends the process."""
    settings.configure(
        SECRET_KEY="only for this program",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "rest_framework.authtoken",
            "roomlog",
            "tests.roomlog.accounts",
        ],
        AUTH_USER_MODEL=f"accounts.{model}",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": path}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        ROOMLOG={"FIND_PEOPLE": "all"},
        ROOMLOG_REDIS_URL="redis://127.0.0.1:1/0",  # nobody listens, and nothing is sent there
        USE_TZ=True,
    )
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    from roomlog import notices

    told: list[int] = []
    notices._send_recheck = told.append  # type: ignore[assignment] # what Redis would be told
    sign_in()
    write_and_delete(told)


def sign_in() -> None:
    """Token, ticket and session name the person."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
    from django.contrib.sessions.backends.db import SessionStore
    from rest_framework.authtoken.models import Token

    from roomlog.finding import people_found
    from roomlog.people import as_user, person_of, users_by_token
    from roomlog.tickets import make_ticket, users_by_ticket

    users = get_user_model()._default_manager
    users.bulk_create([users.model(**{users.model.USERNAME_FIELD: "alice@x"})])
    alice = users.get()
    key = Token.objects.create(user=alice).key
    shown = users_by_token([key])[key]
    assert shown == as_user(person_of(alice))
    assert shown.username == "alice@x"
    assert people_found(0, "alice@") == [shown]
    session = SessionStore()
    session[SESSION_KEY] = alice._meta.pk.value_to_string(alice)
    session[HASH_SESSION_KEY], session[BACKEND_SESSION_KEY] = alice.get_session_auth_hash(), ""
    session.save()
    tickets = make_ticket(alice, token=key), make_ticket(alice, session=str(session.session_key))
    asked = {(ticket, False) for ticket in tickets}
    assert users_by_ticket(asked) == dict.fromkeys(asked, shown)


def write_and_delete(told: list[int]) -> None:
    """The log outlives the account, sockets are told, and the next account of its key is another person."""
    from django.contrib.auth import get_user_model

    from roomlog.models import Person, RoomEvent
    from roomlog.people import person_of
    from roomlog.selectors import active_user_ids, summaries_by_user
    from tests.harness.people import make_room, message, written

    alice = get_user_model()._default_manager.get()
    key, number = alice.pk, person_of(alice).pk
    assert active_user_ids([number]) == {number}
    written(message(make_room(number)), number)
    assert set(told) == {number}, "a token and a session were saved"
    told.clear()
    alice.delete()
    assert set(told) == {number}
    assert RoomEvent.objects.filter(user=number).count() == 2
    assert Person.objects.get(pk=number).name == "deleted account"
    heir = type(alice)(pk=key, **({} if alice.USERNAME_FIELD == "email" else {"telephone": "bob@x"}))
    heir.save()
    assert heir.pk == key
    assert summaries_by_user([person_of(heir).pk]) == {person_of(heir).pk: []}
    assert active_user_ids([number]) == set()


if __name__ == "__main__":
    main(*sys.argv[1:])
