"""What a process may hold at worst, by its own limits: shares in, lines for an operator out.

No stage of the message's way. The arithmetic is each service's own (`memory.py` there); this adds up, names
units and reads what the container allows. It must not measure: a bound is not a usage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CGROUP_LIMITS: Final = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
"""Where the container's or unit's limit stands under versions 2 and 1 of Linux control groups."""
UNLIMITED: Final = 2**62
"""Version 1 writes a number just below 2**63 where there is no limit, version 2 the word "max"."""
KIB: Final = 1024
UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True, slots=True)
class Share:
    """One thing that takes memory."""

    what: str
    each_bytes: int
    count: int = 1

    @property
    def total_bytes(self) -> int:
        """Return what all of them take."""
        return self.each_bytes * self.count


def total(shares: Sequence[Share]) -> int:
    """Return the bytes of all shares."""
    return sum(share.total_bytes for share in shares)


def describe(process: str, shares: Sequence[Share], limit_bytes: int | None) -> list[str]:
    """Return lines for an operator: each share, the sum, and what the container allows."""
    lines = [f"worst-case memory of {process}, by its limits:"]
    for share in shares:
        each, both = in_units(share.each_bytes), in_units(share.total_bytes)
        lines.append(f"  {share.count:>7,} x {each:>10}  {both:>10}  {share.what}")
    lines.append(f"  {'':>7}   {'sum':>10}  {in_units(total(shares)):>10}")
    allowed = "no limit" if limit_bytes is None else f"limit {in_units(limit_bytes)}"
    return [*lines, f"  this container: {allowed}"]


def container_limit(paths: Iterable[Path] = CGROUP_LIMITS) -> int | None:
    """Return the bytes that this container may use; None where nobody set a limit."""
    for path in paths:
        try:
            text = path.read_text(encoding="ascii").strip()
        except OSError:
            continue
        return int(text) if text.isdigit() and int(text) < UNLIMITED else None
    return None


def in_units(size: int) -> str:
    """Return bytes as people read them: 1.5 MiB."""
    value, unit = float(size), UNITS[0]
    for unit in UNITS:
        if value < KIB or unit == UNITS[-1]:
            break
        value /= KIB
    return f"{value:,.0f} {unit}" if unit == UNITS[0] else f"{value:,.1f} {unit}"
