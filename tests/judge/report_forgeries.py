"""Reports in a good history, and the ways to spoil them.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from typing import Final

from tests.judge.history import History
from tests.judge.reports import Report

from .change_forgeries import OTHER, READER, ROOM
from .spoiling import Table, forgeries

ACCEPTED: Final = Report(ROOM, 1, READER)
REPEATED: Final = Report(ROOM, 2, READER)
UNKNOWN: Final = Report(ROOM, 1, OTHER)
"""It may have been stored, and was not."""


def with_reports(history: History) -> History:
    """Have two messages reported, one of them twice, and a report of which nobody knows the end."""
    history.reports.asked += [ACCEPTED, REPEATED, UNKNOWN]
    history.reports.answered += [(ACCEPTED, True), (REPEATED, True), (REPEATED, False)]
    history.reports.stored += [ACCEPTED, REPEATED]
    return history


_WAYS: Final[Table] = {
    "I40": {
        "A report was accepted, and no moderator sees it": lambda history: history.reports.stored.pop(),
        "A report is stored twice": lambda history: history.reports.stored.append(ACCEPTED),
        "A report is stored that nobody has sent": lambda history: history.reports.stored.append(
            Report(ROOM, 2, OTHER)
        ),
        "A report was the first of its sender and message twice": lambda history: (
            history.reports.answered.append((ACCEPTED, True))
        ),
    },
}
REPORT_FORGERIES: Final = forgeries(_WAYS)
