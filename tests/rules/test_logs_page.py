"""The table of the logs' events is what the code logs."""

from tests.rules.log_events import MEANINGS
from tests.rules.logs_page import PAGE, calls, names_of, page


def test_every_event_has_a_meaning_and_every_meaning_an_event() -> None:
    """And the page of the logs is true."""
    logged = {name for _, call, _ in calls() for name in names_of(call.args[0])}
    assert sorted(logged - MEANINGS.keys()) == []
    assert sorted(MEANINGS.keys() - logged) == []
    assert PAGE.read_text(encoding="utf-8") == page()
