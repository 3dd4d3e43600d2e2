"""The verdict over one history, whether it counts and what was found: a dataclass, JSON and a table."""

import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from tests.judge.history import Fault, History, Outcome

from .anomaly import Anomaly
from .invariants import check

MIN_SUCCESSES: Final = 500
"""Fewer successes show too little to count as evidence."""
PRINTED_ANOMALIES: Final = 20
"""Lines of a printed table; the JSON holds all."""


class FaultReport(msgspec.Struct, frozen=True):
    """A fault and the work that it hit."""

    fault: Fault
    in_flight: int
    """Sendings that were unanswered when it began."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What one history shows."""

    seed: int
    revision: str
    operations: dict[str, int]
    """Sendings by outcome: success, error, unknown."""
    messages: int
    """Operations, each with one uuid and one or more sendings."""
    rows: int
    events: int
    """Events handed to applications."""
    began_at: float
    """The monotonic clock at the first sending: the printed times count from here."""
    seconds: float
    faults: list[FaultReport]
    does_not_count: list[str]
    """Why the history is no evidence; empty where it counts."""
    anomalies: list[Anomaly]
    notes: dict[str, str] = field(default_factory=dict)
    """Facts of the run that its reader needs: database, topology, ablation."""

    @property
    def is_good(self) -> bool:
        """Tell whether the history counts and no invariant is broken."""
        return not self.anomalies and not self.does_not_count

    def save(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))

    def table(self) -> str:
        """Return the report for people."""
        lines = [
            f"seed        {self.seed} at {self.revision}, {self.seconds:.1f} s",
            *(f"{name:<11} {value}" for name, value in self.notes.items()),
            f"operations  {self.messages}, sent {sum(self.operations.values())} times: "
            + ", ".join(f"{count} {outcome}" for outcome, count in self.operations.items()),
            f"log         {self.rows} rows, {self.events} events applied",
            *(_fault_line(report, self.began_at) for report in self.faults),
            *(f"no evidence {reason}" for reason in self.does_not_count),
            f"anomalies   {len(self.anomalies)}",
            *(_anomaly_line(anomaly) for anomaly in self.anomalies[:PRINTED_ANOMALIES]),
        ]
        return "\n".join(lines)


def report_on(history: History, *, min_successes: int = MIN_SUCCESSES, **notes: str) -> Report:
    """Judge a history; `notes` appear in the report as they are."""
    outcomes = Counter(attempt.outcome for attempt in history.attempts())
    times = [attempt.invoked_at for attempt in history.attempts()]
    faults = [FaultReport(fault, in_flight(history, fault)) for fault in history.faults]
    return Report(
        seed=history.seed,
        revision=git_revision(),
        operations={outcome.value: outcomes[outcome] for outcome in Outcome},
        messages=len(history.operations),
        rows=len(history.rows),
        events=sum(len(reading.events) for reading in history.readings),
        began_at=min(times, default=0.0),
        seconds=max(times, default=0.0) - min(times, default=0.0),
        faults=faults,
        does_not_count=_shortcomings(history, faults, min_successes),
        anomalies=check(history),
        notes=notes,
    )


def in_flight(history: History, fault: Fault) -> int:
    """Return how many sendings were unanswered at the moment when the fault began."""
    return sum(attempt.invoked_at < fault.started_at < attempt.completed_at for attempt in history.attempts())


def _shortcomings(history: History, faults: list[FaultReport], min_successes: int) -> list[str]:
    successes = sum(bool(operation.seqs) for operation in history.operations)
    unknowns = sum(attempt.outcome is Outcome.UNKNOWN for attempt in history.attempts())
    reasons = []
    if successes < min_successes:
        reasons.append(f"{successes} successes, {min_successes} are needed")
    if not unknowns:
        reasons.append("no sending ended unknown")
    if not any(report.in_flight for report in faults):
        reasons.append("no fault hit work in flight")
    return reasons


def git_revision() -> str:
    """Return the short commit id, with a + where files differ from it; unknown outside a checkout."""
    here = Path(__file__).parent
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return described.stdout.strip()


def _fault_line(report: FaultReport, began_at: float) -> str:
    fault = report.fault
    times = f"{fault.started_at - began_at:.2f} to {fault.ended_at - began_at:.2f} s"
    return f"fault       {fault.name} {fault.target} at {times}, {report.in_flight} in flight"


def _anomaly_line(anomaly: Anomaly) -> str:
    names = ("client", "room", "user", "uuid", "seq", "at")
    facts = " ".join(
        f"{name}={getattr(anomaly, name)}" for name in names if getattr(anomaly, name) not in ("", None)
    )
    return f"  {anomaly.invariant:<4} {anomaly.what} ({facts})"
