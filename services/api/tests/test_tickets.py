"""Tickets: whose they are, and for how long."""

import pytest
from django.core.signing import TimestampSigner

from roomlog_store.tickets import SALT, TICKET_SECONDS, make_ticket, read_ticket


def test_a_ticket_names_its_user() -> None:
    """What the api signs, a worker with the same key reads."""
    assert read_ticket(make_ticket(42)) == 42


def test_an_old_ticket_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its minute a ticket opens nothing; a connection that came with it is still known by it."""
    ticket = make_ticket(42)
    now = TimestampSigner().timestamp()
    monkeypatch.setattr("time.time", lambda: _seconds(now) + TICKET_SECONDS + 2)
    assert read_ticket(ticket) is None
    assert read_ticket(ticket, max_age_seconds=None) == 42


@pytest.mark.parametrize(
    "ticket",
    ["", "42", make_ticket(42) + "x", "4" + make_ticket(42), TimestampSigner(salt="other").sign("42")],
)
def test_a_forged_ticket_is_nobodys(ticket: str) -> None:
    """Only our own signature for this very purpose counts."""
    assert read_ticket(ticket) is None


def test_a_signed_word_is_nobodys() -> None:
    """A value that is no user's number is refused, not raised."""
    assert read_ticket(TimestampSigner(salt=SALT).sign("alice")) is None


def _seconds(stamp: str) -> int:
    from django.core.signing import b62_decode

    return b62_decode(stamp)
