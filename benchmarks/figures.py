"""What a measurement along sizes comes to: panels of series of points; printed, kept as JSON, and drawn.

After the measuring, of which nothing is known here. A point is a median of several repetitions with the
smallest and largest of them. A panel that has a goal says of each series how many times its smallest median
the largest one is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.systems import PEERS_PYTHON

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "performance"
FLAT: Final = 1.5
"""A figure that does not depend on the size stays within so many times."""


def conditions() -> str:
    """Return what else the machine had to do."""
    load = os.getloadavg()
    return f"{os.cpu_count()} cores, nothing pinned; load {load[0]:.1f}, over 15 minutes {load[2]:.1f}"


@dataclass(frozen=True)
class Point:
    """What was measured at one size."""

    at: int
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Panel:
    """One figure, of each series by size."""

    title: str
    unit: str
    series: Mapping[str, Sequence[Point]]
    goal: float | None = None
    """So many times its smallest median a series may reach; None: it is meant to grow."""


@dataclass(frozen=True)
class Figure:
    """A measurement along one size."""

    name: str
    title: str
    along: str
    """What the sizes count."""
    panels: Sequence[Panel]
    conditions: str = field(default_factory=conditions)


def points(values: Mapping[int, Sequence[float]]) -> list[Point]:
    """Return a series of what the repetitions gave at each size."""
    return [Point(at, median(found), min(found), max(found)) for at, found in sorted(values.items())]


def growth(series: Sequence[Point]) -> float:
    """Return how many times the smallest median the largest is: infinite where the smallest is 0."""
    medians = [point.median for point in series]
    return max(medians) / min(medians) if min(medians) > 0 else float("inf")


def table(panel: Panel) -> Iterator[str]:
    """Yield the lines of a panel's Markdown table."""
    sizes = sorted({point.at for series in panel.series.values() for point in series})
    judged = [] if panel.goal is None else ["largest : smallest"]
    heads = [f"{panel.title}, {panel.unit}", *(f"{size:,}" for size in sizes), *judged]
    yield "| " + " | ".join(heads) + " |"
    yield "|---" * len(heads) + "|"
    for name, series in panel.series.items():
        found = {point.at: _said(point) for point in series}
        cells = [name, *(found.get(size, "") for size in sizes)]
        if panel.goal is not None:
            grown = growth(series)
            cells.append(f"{grown:.2f}" + ("" if grown <= panel.goal else " NOT FLAT"))
        yield "| " + " | ".join(cells) + " |"


def publish(figure: Figure, folder: Path) -> None:
    """Print the tables, write the JSON, and draw the plot where there is matplotlib."""
    print(f"\n## {figure.title}\n")
    for panel in figure.panels:
        print("\n".join(table(panel)), "\n")
    print(figure.conditions)
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{figure.name}.json"
    data.write_text(json.dumps(asdict(figure), indent=1) + "\n")
    if not PEERS_PYTHON.exists():
        print(f"no plot: matplotlib is in the peers' environment (make {PEERS_PYTHON.parents[1].name})")
        return
    picture = data.with_suffix(".png")
    subprocess.run([PEERS_PYTHON, "-m", "benchmarks.plots", data, picture], cwd=ROOT, check=True)
    print(f"written: {data}, {picture}", file=sys.stderr)


def _said(point: Point) -> str:
    middle, low, high = map(_number, (point.median, point.low, point.high))
    return middle if low == high else f"{middle} ({low} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
