"""I40: moderators are told of every message that somebody reported, once (G30)."""

from collections import Counter
from collections.abc import Iterator

from tests.judge.history import History
from tests.judge.reports import Report

from .anomaly import Anomaly


def reports_hold(history: History) -> Iterator[Anomaly]:
    """I40: each accepted report is stored, once, and no other; at most one answer says it is the first."""
    reports = history.reports
    stored, first = Counter(reports.stored), Counter(one for one, is_first in reports.answered if is_first)
    for one in sorted({one for one, _ in reports.answered} - stored.keys()):
        if not history.retention.has_pruned(one.room, one.seq):
            yield _of(one, "was accepted and is not stored")
    for one in sorted(stored.keys() - set(reports.asked)):
        yield _of(one, "is stored and was sent by nobody")
    for counted, what in ((stored, "is stored {} times"), (first, "was the first {} times")):
        for one, times in sorted(counted.items()):
            if times > 1:
                yield _of(one, what.format(times))


def _of(one: Report, what: str) -> Anomaly:
    return Anomaly("I40", f"a report {what}", room=one.room, user=one.user, seq=one.seq)
