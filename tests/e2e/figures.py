"""The figures of each fault: as a table for people and as `e2e-report.json`."""

import json
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.breaking import Fault
from tests.e2e.load import Load
from tests.judge.checker import Report
from tests.judge.history import History, Outcome

COLUMNS: Final = {
    "fault": "fault",
    "seconds": "seconds",
    "success": "success",
    "error": "error",
    "unknown": "unknown",
    "in_flight": "in flight",
    "reconnects": "reconnects",
    "most_per_second": "most/s",
    "longest_without_service_seconds": "no answer s",
    "longest_offline_seconds": "offline s",
    "longest_unowned_seconds": "unowned s",
    "anomalies": "anomalies",
}
"""Figures of the table and what stands above them; the report holds all."""


@dataclass(frozen=True)
class Figures:
    """What one fault did to the people."""

    fault: str
    """Its name as the tests and `make e2e FAULT=` know it."""
    seed: int
    lasted_seconds: float
    """From the first message to the last."""
    seconds: float
    """From the fault to the whole cluster."""
    success: int
    """Messages that were answered, before, during and after."""
    error: int
    """Refusals, `busy` nearly always; each was repeated."""
    unknown: int
    """Sendings without an answer; each was repeated."""
    error_codes: dict[str, int]
    in_flight: int
    """Sendings that were unanswered when the fault began."""
    connections: int
    reconnects: int
    most_per_second: int
    """Reconnects in the worst second."""
    closed_with: dict[str, int]
    longest_without_service_seconds: float
    """The longest time from wanting to send to the answer, over all messages."""
    longest_offline_seconds: float
    """The longest time without a usable socket, over all clients."""
    longest_unowned_seconds: float
    """The longest time that any shard was seen without an owner."""
    rest_seconds: float
    """From the last message to everybody having everything."""
    anomalies: list[str]
    shortcomings: list[str]
    """What the history does not show, for example that the fault hit no work in flight."""

    def row(self) -> list[str]:
        """Return the cells of the table."""
        values = {**asdict(self), "anomalies": len(self.anomalies)}
        return [str(values[name]) for name in COLUMNS]


def measure(fault: Fault, load: Load, history: History, report: Report) -> Figures:
    """Return the figures of one load with one fault."""
    (broken,) = history.faults
    closed = [c for c in history.connections if c.closed_at]
    witnesses = load.journal.witnesses
    wanted = [one for witness in witnesses for one in witness.wanted.values()]
    waits = [one.answered_at - one.wanted_at for one in wanted if one.answered_at is not None]
    errors = Counter(a.error_code for a in history.attempts() if a.outcome is Outcome.ERROR)
    return Figures(
        fault=fault.id,
        seed=history.seed,
        lasted_seconds=round(report.seconds, 1),
        seconds=round(broken.ended_at - broken.started_at, 1),
        success=load.journal.successes(),
        error=report.operations["error"],
        unknown=report.operations["unknown"],
        error_codes=dict(errors),
        in_flight=report.faults[0].in_flight,
        connections=len(witnesses),
        reconnects=len(reconnect_times(history)),
        most_per_second=most_within(reconnect_times(history), 1.0),
        closed_with=dict(Counter(str(connection.close_code) for connection in closed)),
        longest_without_service_seconds=round(max(waits, default=0.0), 2),
        longest_offline_seconds=round(longest_offline(history), 2),
        longest_unowned_seconds=round(longest_unowned(history), 1),
        rest_seconds=round(load.rest_seconds, 2),
        anomalies=[f"{anomaly.invariant} {anomaly.what}" for anomaly in report.anomalies],
        shortcomings=report.does_not_count,
    )


def reconnect_times(history: History) -> list[float]:
    """Return when each client's second and later sockets became usable."""
    seen: set[str] = set()
    times = []
    for connection in sorted(history.connections, key=lambda connection: connection.opened_at):
        if connection.client in seen:
            times.append(connection.opened_at)
        seen.add(connection.client)
    return times


def most_within(times: list[float], seconds: float) -> int:
    """Return the largest number of times within any span of that length; `times` are sorted."""
    return max((bisect_right(times, at + seconds) - place for place, at in enumerate(times)), default=0)


def longest_offline(history: History) -> float:
    """Return the longest time between the end of a client's socket and its next one."""
    sockets = defaultdict(list)
    for connection in sorted(history.connections, key=lambda connection: connection.opened_at):
        sockets[connection.client].append(connection)
    gaps = (
        later.opened_at - earlier.closed_at
        for mine in sockets.values()
        for earlier, later in pairwise(mine)
        if earlier.closed_at is not None
    )
    return max(gaps, default=0.0)


def longest_unowned(history: History) -> float:
    """Return the longest time between two samples in which the same shard had an owner."""
    owned_at: dict[int, float] = {}
    longest = 0.0
    for sample in history.ownership:
        for shard in sample.owned:
            longest = max(longest, sample.at - owned_at.get(shard, sample.at))
            owned_at[shard] = sample.at
    return longest


def table(all_figures: list[Figures]) -> str:
    """Return the table of all faults, in Markdown, to be read as it is or put into a page."""
    rows = [list(COLUMNS.values()), *(figures.row() for figures in all_figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    ruler = ["-" * (width - 1) + ":" for width in widths]
    return "\n".join(f"| {' | '.join(line)} |" for line in [lines[0], ruler, *lines[1:]])


def save(all_figures: list[Figures], revision: str, is_complete: bool) -> None:
    """Write the report where the settings say; complete is one of all faults of its size, none failed."""
    report = {
        "revision": revision,
        "written_at": time.time(),
        "complete": is_complete,
        "size": "full" if settings.IS_FULL else "small",
        "rounds": settings.ROUNDS,
        "seconds": settings.SECONDS,
        "senders": settings.USERS,
        "faults": [asdict(figures) for figures in all_figures],
    }
    Path(settings.REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
