"""What a proof prints and writes: one table for people, Markdown for the repository, JSON for programs."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.judge.checker.report import git_revision
from tests.proof.rows import Row, Size

HEADINGS = ("tier", "what ran", "success/error/unknown", "cases", "faults", "anomalies", "caught by", "s")
SENTENCE_CHARACTERS = 300
"""Of an anomaly in the table; the JSON has all of it."""


def machine() -> str:
    """Return what a figure needs beside it: cores, system, Python."""
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {system}, Python {platform.python_version()}"


@dataclass(frozen=True)
class Proof:
    """All that one run of the proof found, and where."""

    size: Size
    seed: int | None
    tiers: tuple[int, ...]
    rows: list[Row] = field(default_factory=list)
    revision: str = field(default_factory=git_revision)
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    machine: str = field(default_factory=machine)

    @property
    def has_passed(self) -> bool:
        """Tell whether there is a row and every one has passed."""
        return bool(self.rows) and all(row.has_passed for row in self.rows)

    def table(self) -> str:
        """Return the report for a terminal: what has not passed stands last, where a cut log shows it."""
        lines = [_cells(row) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(HEADINGS, *lines, strict=True)]
        rule = ["-" * width for width in widths]
        table = [
            "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
            for cells in (HEADINGS, rule, *lines)
        ]
        commands = ["", "Again:", *(f"  {command}" for command in self._commands())]
        return "\n".join([self._headline(), "", *table, *commands, *self._findings()])

    def markdown(self) -> str:
        """Return the report for the repository."""
        lines = ["| " + " | ".join(cells) + " |" for cells in (HEADINGS, *map(_cells, self.rows))]
        lines.insert(1, "|" + "---|" * len(HEADINGS))
        parts = ["# The last proof", "", self._headline(), "", *lines, *self._findings("- ")]
        for row in self.rows:
            if row.timeline or row.remarks:
                parts += ["", f"## Tier {row.tier}: {row.what}", "", f"Again: `{row.again}`", ""]
                parts += [f"- {line}" for line in (*row.remarks, *row.timeline)]
        parts += ["", "## Again", "", *(f"    {command}" for command in self._commands())]
        return "\n".join(parts) + "\n"

    def json(self) -> bytes:
        """Return the report for programs."""
        facts: dict[str, Any] = {**asdict(self), "has_passed": self.has_passed}
        return msgspec.json.format(msgspec.json.encode(facts), indent=1)

    def save(self, directory: Path) -> None:
        """Write proof-report.json and proof-report.md."""
        (directory / "proof-report.json").write_bytes(self.json())
        (directory / "proof-report.md").write_text(self.markdown(), encoding="utf-8")

    def _headline(self) -> str:
        verdict = "passed" if self.has_passed else "FAILED"
        tiers = ", ".join(map(str, self.tiers))
        seed = "fresh seeds" if self.seed is None else f"seed {self.seed}"
        return (
            f"Proof {verdict}: size {self.size}, tiers {tiers}, {seed}, revision {self.revision}, "
            f"{self.began_at:%Y-%m-%d %H:%M} UTC, {self.machine}."
        )

    def _findings(self, bullet: str = "  ") -> list[str]:
        found = []
        for row in self.rows:
            if row.is_ablation and not row.caught_by:
                found.append(f"{bullet}tier {row.tier}, {row.what}: nothing caught the missing safeguard")
            if not row.is_ablation:
                sentences = (sentence[:SENTENCE_CHARACTERS] for sentence in row.anomalies)
                found += [f"{bullet}tier {row.tier}, {row.what}: {sentence}" for sentence in sentences]
        return ["", "Not passed:", "", *found] if found else []

    def _commands(self) -> Sequence[str]:
        return list(dict.fromkeys(row.again for row in self.rows))


def _cells(row: Row) -> tuple[str, ...]:
    operations = (row.success, row.error, row.unknown)
    return (
        str(row.tier),
        row.what,
        "/".join(map(str, operations)) if any(operations) else "",
        str(row.cases or ""),
        str(row.faults or ""),
        "" if row.is_ablation else str(len(row.anomalies)),
        (row.caught_by or "NOT CAUGHT") if row.is_ablation else "",
        f"{row.seconds:.0f}",
    )
