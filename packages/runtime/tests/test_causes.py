"""What the log says of a failed dependency."""

import psycopg
import pytest
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as RedisConnectionError

from roomlog_runtime.causes import cause_of, is_login_refused

CASES = {
    "a wrong password": (
        psycopg.OperationalError('FATAL:  password authentication failed for user "x"'),
        ("28P01", True),
    ),
    "a refusal with a code": (psycopg.errors.InvalidPassword("secret"), ("28P01", True)),
    "a host that is away": (psycopg.OperationalError("connection refused"), ("", False)),
    "a deadlock": (psycopg.errors.DeadlockDetected("secret"), ("40P01", False)),
    "Redis' wrong password": (AuthenticationError("invalid username-password pair"), ("", True)),
    "Redis away": (RedisConnectionError("away"), ("", False)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_refused_login_is_one_field(name: str) -> None:
    """For PostgreSQL and Redis alike; the error's words are left out."""
    error, expected = CASES[name]
    said = cause_of(error)
    assert (said["sqlstate"], said["authentication_failed"]) == expected
    assert said["error"] == type(error).__name__
    assert "secret" not in str(said)


def test_a_cause_behind_djangos_error_counts() -> None:
    """And Redis' replies of a refused login."""
    error = ValueError("wrapped")
    error.__cause__ = psycopg.errors.InvalidPassword()
    assert cause_of(error)["sqlstate"] == "28P01"
    replies = ("NOAUTH Authentication required.", "WRONGPASS x", "NOPERM x")
    assert [is_login_refused(reply) for reply in replies] == [True, True, False]
