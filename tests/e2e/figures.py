"""The figures of each fault: as a table for people and as `e2e-report.json`."""

import json
from bisect import bisect_right
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.e2e import settings
from tests.e2e.load import Load
from tests.faults.checker import Report
from tests.faults.history import Fault, History, Outcome

CALM_SECONDS: Final = 1.0
"""Before the fault: connections of the start don't count as reconnects."""
COLUMNS: Final = (
    ("fault", 32),
    ("seconds", 8),
    ("success", 8),
    ("error", 6),
    ("unknown", 8),
    ("in_flight", 10),
    ("reconnects", 11),
    ("most_per_second", 16),
    ("longest_without_service_seconds", 32),
    ("longest_offline_seconds", 24),
    ("longest_unowned_seconds", 24),
    ("anomalies", 9),
)


@dataclass(frozen=True)
class Figures:
    """What one fault did to the people."""

    fault: str
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

    def row(self) -> str:
        """Return the line of the table."""
        values = {**asdict(self), "anomalies": len(self.anomalies)}
        return " ".join(_cell(values[name]).rjust(width) for name, width in COLUMNS)


def measure(name: str, load: Load, history: History, report: Report) -> Figures:
    """Return the figures of one load with one fault."""
    (fault,) = history.faults
    closed = [c for c in history.connections if c.closed_at and c.closed_at > fault.started_at - CALM_SECONDS]
    witnesses = load.journal.witnesses
    waits = [
        operation.answered_at - operation.wanted_at
        for witness in witnesses
        for operation in witness.operations.values()
        if operation.answered_at is not None
    ]
    errors = Counter(a.error_code for a in history.attempts() if a.outcome is Outcome.ERROR)
    return Figures(
        fault=name,
        seconds=round(fault.ended_at - fault.started_at, 1),
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
        longest_offline_seconds=round(max(witness.longest_offline for witness in witnesses), 2),
        longest_unowned_seconds=round(longest_unowned(history), 1),
        rest_seconds=round(load.rest_seconds, 2),
        anomalies=[f"{anomaly.invariant} {anomaly.what}" for anomaly in report.anomalies],
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
    """Return the table of all faults."""
    heads = " ".join(name.replace("_seconds", "_s").rjust(width) for name, width in COLUMNS)
    return "\n".join([heads, *(figures.row() for figures in all_figures)])


def save(all_figures: list[Figures], revision: str) -> None:
    """Write the report where the settings say."""
    report = {
        "revision": revision,
        "size": "full" if settings.IS_FULL else "small",
        "senders": settings.USERS,
        "faults": [asdict(figures) for figures in all_figures],
    }
    Path(settings.REPORT).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def as_fault(name: str, target: str, started_at: float, ended_at: float, leaves_no_owner: bool) -> Fault:
    """Return the fault in the checker's words."""
    return Fault(name, target, started_at, ended_at, leaves_no_owner)


def _cell(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)
