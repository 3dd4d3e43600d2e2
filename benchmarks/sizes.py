"""`python -m benchmarks.sizes FIGURE`: what something costs, by the size of what it is done in.

Prints tables, writes JSON and draws a plot; see docs/performance.md. The small sizes take a minute or two;
`--full`, or SIZE=full in the environment, measures the large ones too and draws into docs/performance.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.figures import FOLDER, ROOT, Figure, publish


@dataclass(frozen=True)
class Range:
    """Where a figure is measured, and up to which size."""

    module: str
    small: int
    full: int
    rounds: int = 5
    seconds: float = 1.0


STORED: Final = "benchmarks.sizes_stored"
RUNNING: Final = "benchmarks.sizes_running"
"""It must not set Django up, as the other does: it starts processes with settings of their own."""
FIGURES: Final = {
    "history": Range(STORED, 100_000, 10_000_000),
    "rooms": Range(STORED, 10_000, 100_000),
    "user": Range(STORED, 1_000, 10_000),
    "members": Range(RUNNING, 100, 10_000, rounds=3, seconds=4),
    "connections": Range(RUNNING, 2_000, 20_000, rounds=2, seconds=30),
    "processes": Range(RUNNING, 2, 4, rounds=5, seconds=3),
}
SMALL_FOLDER: Final = ROOT / ".roomlog" / "performance"
"""So that a look at small sizes does not replace the documented figures."""


def main() -> None:
    """Read the arguments, measure, publish."""
    parser = argparse.ArgumentParser(prog="benchmarks.sizes", description=__doc__)
    parser.add_argument("figure", choices=FIGURES)
    parser.add_argument("--full", action="store_true", default=os.environ.get("SIZE") == "full")
    parser.add_argument("--largest", type=int, help="size, instead of the small or the full one")
    parser.add_argument("--rounds", type=int, help="repetitions of each size, in turns")
    parser.add_argument("--seconds", type=float, help="of each repetition")
    parser.add_argument("--folder", type=Path, help="for JSON and plot")
    arguments = parser.parse_args()
    chosen = FIGURES[arguments.figure]
    largest = arguments.largest or (chosen.full if arguments.full else chosen.small)
    measure = getattr(import_module(chosen.module), arguments.figure)
    figure: Figure = measure(
        largest=largest,
        rounds=arguments.rounds or chosen.rounds,
        seconds=arguments.seconds or chosen.seconds,
    )
    publish(figure, arguments.folder or (FOLDER if largest >= chosen.full else SMALL_FOLDER))


if __name__ == "__main__":
    main()
