"""The api's settings with a harmless environment: for mypy's plugin and for tests.

No stage of the message's way. A variable that is set wins, so that tests can run on PostgreSQL.
"""

import os

os.environ.setdefault("ROOMLOG_SECRET_KEY", "only-for-checks-and-tests-never-for-people-0123456789")
os.environ.setdefault("ROOMLOG_DATABASE_URL", "sqlite://:memory:")

from .settings import *  # noqa: F403 - the environment must be there before

LOGGING_CONFIG = None
PASSWORD_HASHERS = [
    f"django.contrib.auth.hashers.{name}" for name in ("MD5PasswordHasher", "PBKDF2PasswordHasher")
]
"""Hundreds of test users: a slow hash would be most of the run."""
