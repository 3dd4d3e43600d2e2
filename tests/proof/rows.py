"""What a tier reports: one row for each thing it ran. Every tier has `run(size, seed) -> list[Row]`.

A row with anomalies is a found bug; a tier that can't run raises and never returns a row.
"""

from dataclasses import dataclass
from enum import StrEnum


class Size(StrEnum):
    """How much a tier runs: what each change must pass, or a night's worth."""

    SMALL = "small"
    LONG = "long"


@dataclass(frozen=True)
class Row:
    """One line of the table and of the report."""

    tier: int
    what: str
    """For example "16 histories of 25 s" or "without the head lock"."""
    seconds: float
    again: str
    """The command that runs this row again, its seed included."""
    success: int = 0
    error: int = 0
    unknown: int = 0
    """Operations by what their sender was told, where the tier counts them."""
    cases: int = 0
    """Seeds, inputs or conformance cases, where the tier counts those."""
    faults: int = 0
    anomalies: tuple[str, ...] = ()
    """What broke a promise: must be empty."""
    caught_by: str = ""
    """Of an ablation: the seed or history that saw the missing safeguard; empty fails the proof."""
    is_ablation: bool = False
    remarks: tuple[str, ...] = ()
    """Named deviations, for example conformance cases with their reason."""
    timeline: tuple[str, ...] = ()
    """Each fault with its time and what it hit, where the tier records that."""

    @property
    def has_passed(self) -> bool:
        """An ablation must be caught; everything else must be without anomalies."""
        return bool(self.caught_by) if self.is_ablation else not self.anomalies
