"""When a process should end because its password does not fit any more, and when it should not."""

import psycopg
import pytest
import redis

from roomlog_runtime.refused_login import REFUSED_SECONDS, RefusedLogin

REFUSALS = [psycopg.errors.InvalidPassword("secret"), redis.AuthenticationError("WRONGPASS")]


@pytest.mark.parametrize("refusal", REFUSALS, ids=["PostgreSQL", "Redis"])
def test_a_login_that_stays_refused_ends_the_process(refusal: Exception) -> None:
    """Not the first refusal: a server may learn the new password later than its clients."""
    now = [0.0]
    login = RefusedLogin(lambda: now[0])
    assert not login.lasts(refusal)
    now[0] += REFUSED_SECONDS - 1
    assert not login.lasts(refusal)
    now[0] += 1
    assert login.lasts(refusal)


@pytest.mark.parametrize("between", [None, psycopg.OperationalError("connection refused")])
def test_a_server_that_is_away_or_answers_begins_anew(between: Exception | None) -> None:
    """Only refusals without anything between them count."""
    now = [0.0]
    login = RefusedLogin(lambda: now[0])
    login.lasts(REFUSALS[0])
    login.lasts(between)
    now[0] += REFUSED_SECONDS
    assert not login.lasts(REFUSALS[0])
