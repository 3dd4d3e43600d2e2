"""The probes: readiness asks the database without waiting for it, liveness never asks."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from unittest.mock import Mock
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from django.db import OperationalError, connection
from pytest_django import DjangoAssertNumQueries
from structlog.testing import capture_logs

from roomlog.outage import CALM_SECONDS, Outage
from roomlog_api.health import STALE_SECONDS, Probe, _Question, start
from roomlog_runtime.refused_login import REFUSED_SECONDS
from roomlog_runtime.settings import Bind, SettingError


def test_a_process_is_not_ready_before_the_first_answer() -> None:
    """A refusing database is told without its words."""
    probe = Probe("the database", lambda: None)
    assert probe.problem() == "the database not asked yet"
    probe.probe()
    assert probe.problem() is None

    def refuse() -> None:
        raise OperationalError("could not connect to secret-host")

    probe = Probe("the database", refuse)
    probe.probe()
    assert probe.problem() == "the database refuses: OperationalError"


@pytest.mark.django_db
def test_a_hanging_database_makes_the_answer_stale(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """A probe that does not come back is itself the answer; the question needs migrations."""
    now = [0.0]
    probe = Probe("the database", lambda: None, lambda: now[0])
    probe.probe()
    now[0] += STALE_SECONDS + 0.1
    assert probe.problem() == "the database does not answer"
    question = _Question()
    with django_assert_num_queries(2):
        question()
    with django_assert_num_queries(1) as asked:
        question()
    assert asked.captured_queries[0]["sql"] == "SELECT 1"


@pytest.fixture
def stuck_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a started health server whose database never answers."""
    release = threading.Event()
    monkeypatch.setattr("roomlog_api.health._Question", lambda: lambda: release.wait(10))
    with ThreadPoolExecutor(1) as threads:
        server = start(Bind("127.0.0.1", 0), threads)
        yield server.port
        release.set()
        server.stop()


def test_a_stuck_database_never_kills_the_process(stuck_server: int) -> None:
    """/livez and /metrics answer, /readyz answers no, and all at once."""
    for path in ("livez", "metrics"):
        with urlopen(f"http://127.0.0.1:{stuck_server}/{path}", timeout=2) as answer:
            assert answer.status == 200
    with pytest.raises(HTTPError) as refused:
        urlopen(f"http://127.0.0.1:{stuck_server}/readyz", timeout=2)
    assert refused.value.code == 503
    refused.value.close()


@pytest.mark.django_db
def test_the_end_of_an_outage_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the probe: nobody has to come back and try."""
    now = [0.0]
    outage = Outage(lambda: now[0])
    monkeypatch.setattr("roomlog_api.health.OUTAGE", outage)
    outage.met(OperationalError())
    now[0] += CALM_SECONDS
    question = _Question()
    with capture_logs() as said:
        with connection.execute_wrapper(Mock(side_effect=OperationalError)), pytest.raises(OperationalError):
            question()
        assert said == []
        question()
    assert [line["event"] for line in said] == ["database_back"]


def test_a_password_that_does_not_fit_any_more_ends_the_process() -> None:
    """The kubelet starts it again, with the Secret of then; a database that is away ends nothing."""
    now, error = [0.0], OperationalError()
    cause: list[psycopg.OperationalError] = []

    def refuse() -> None:
        raise error from cause[0]

    probe = Probe("the database", refuse, lambda: now[0])
    for words, ends in (("connection refused", False), ("password authentication failed", True)):
        cause[:] = [psycopg.OperationalError(words)]
        probe.probe()
        now[0] += REFUSED_SECONDS
        with pytest.raises(SettingError, match="a new start") if ends else nullcontext():
            probe.probe()
