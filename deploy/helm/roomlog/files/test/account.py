"""Makes the account of `helm test` and a ticket for it: first half of the test, in the api's image.

The user has no password and no token, only a session of some minutes that the ticket comes from; it stays for
the next test, because people are never deleted under their messages.
"""

import sys
from pathlib import Path

import django

NAME = "helm-test"
SESSION_SECONDS = 600
"""Longer than the test may take."""


def main() -> None:
    """Write a ticket into the file that the first argument names."""
    django.setup()
    from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    from roomlog.tickets import make_ticket

    user, _ = User.objects.get_or_create(username=NAME, defaults={"password": make_password(None)})
    session = SessionStore()
    session.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash()})
    session.set_expiry(SESSION_SECONDS)
    session.create()
    Path(sys.argv[1]).write_text(make_ticket(user, session=str(session.session_key)), encoding="utf-8")


if __name__ == "__main__":
    main()
