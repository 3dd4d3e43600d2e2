"""The log's lines about a database that is away: each request says so, and one line says that it is over."""

from django.db import OperationalError
from structlog.testing import capture_logs

from roomlog.outage import CALM_SECONDS, Outage


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds since some moment."""
        return self.now


def test_an_outage_ends_by_one_line_with_its_length() -> None:
    """A success between failures ends nothing, and without one every success is silent."""
    clock = Clock()
    outage = Outage(clock)
    with capture_logs() as said:
        outage.met(OperationalError("in words that nobody should read"))
        clock.now += 7.5
        outage.met(OperationalError())
        clock.now += CALM_SECONDS
        outage.answered()
        outage.answered()
    assert [line["event"] for line in said] == [
        "database_unavailable",
        "database_unavailable",
        "database_back",
    ]
    assert (said[-1]["log_level"], said[-1]["seconds"]) == ("info", 7.5)
    assert "in words" not in str(said)
    clock = Clock()
    outage = Outage(clock)
    outage.met(OperationalError())
    with capture_logs() as said:
        for _ in range(3):
            clock.now += CALM_SECONDS - 0.1
            outage.answered()
            outage.met(OperationalError())
    assert {line["event"] for line in said} == {"database_unavailable"}
    clock = Clock()
    outage = Outage(clock)
    with capture_logs() as said:
        outage.answered()
        outage.met(OperationalError())
        clock.now += CALM_SECONDS
        outage.answered()
        clock.now += 60.0
        outage.met(OperationalError())
        clock.now += CALM_SECONDS
        outage.answered()
    assert [line.get("seconds") for line in said if line["event"] == "database_back"] == [0.0, 0.0]
