"""From the rounds' results to one table: medians, spreads, ratios and the targets beside them.

After all loads. A system's figure of a round is that of its best level; the table shows the median over the
rounds and, in brackets, the smallest and the largest. Ratios are those of the medians.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

Result = dict[str, Any]
"""What `benchmarks.measures.measure` returns for one round of one system."""

LABELS = {
    "roomlog": "Roomlog",
    "channels": "Channels",
    "classic": "classic, subscription per socket",
    "shared": "classic, subscription per process",
    "centrifuge": "centrifuge, nothing stored",
}

NOTHING = "none"
"""What a cell says where no round gave a figure."""


@dataclass(frozen=True)
class Figure:
    """One row of the table."""

    label: str
    read: Callable[[Result], float | None]
    """Its value in one round; None where a load got no answer at all."""
    digits: int = 0
    targets: Mapping[str, float] | None = None
    """Per peer: how many times the peer's figure Roomlog's is to be."""
    is_low_good: bool = False
    is_compared: bool = True
    """Whether Roomlog's divided by a peer's says anything."""


def best(levels: Sequence[Result]) -> Result:
    """Return the level with the most accepted messages a second."""
    return max(levels, key=lambda level: float(level["accepted_per_second"]))


def server_microseconds(level: Result) -> float | None:
    """Return the CPU time of the whole server side for one accepted message."""
    if not level["accepted_in_window"]:
        return None
    return float(sum(level["cpu_seconds"].values()) / level["accepted_in_window"] * 1e6)


def idle_kibibytes(result: Result) -> float:
    """Return the memory of an idle connection in the system's own processes."""
    grown = result["idle"]["bytes_per_connection"]
    return float(sum(size for name, size in grown.items() if name not in ("valkey", "postgres")) / 1024)


def _all_levels(result: Result) -> Iterable[Result]:
    return (*result["steady"], *result["small"], *result["large"])


def _total(name: str) -> Callable[[Result], float]:
    return lambda result: float(sum(level[name] for level in _all_levels(result)))


FIGURES = (
    Figure(
        "accepted messages/s, rooms of 10",
        lambda result: best(result["small"])["accepted_per_second"],
        targets={"channels": 15, "classic": 5, "centrifuge": 0.65},
    ),
    Figure("… at so many unanswered", lambda result: best(result["small"])["level"], is_compared=False),
    Figure("delivered frames/s, rooms of 10", lambda result: best(result["small"])["delivered_per_second"]),
    Figure("server CPU, µs a message", lambda result: server_microseconds(best(result["small"]))),
    Figure(
        "accepted messages/s, one room of 500",
        lambda result: best(result["large"])["accepted_per_second"],
        digits=1,
        targets={"classic": 10},
    ),
    Figure("… at so many unanswered", lambda result: best(result["large"])["level"], is_compared=False),
    Figure(
        "delivered frames/s, one room of 500", lambda result: best(result["large"])["delivered_per_second"]
    ),
    Figure(
        "p50 to the last recipient at 100/s, ms",
        lambda result: result["steady"][0]["last_p50_ms"],
        digits=2,
        targets={"classic": 1, "centrifuge": 2.5},
        is_low_good=True,
    ),
    Figure(
        "p99 to the last recipient at 100/s, ms",
        lambda result: result["steady"][0]["last_p99_ms"],
        digits=2,
        targets={"classic": 1, "centrifuge": 2.5},
        is_low_good=True,
    ),
    Figure("memory of an idle connection, KiB", idle_kibibytes, digits=1, is_low_good=True),
    Figure("copies lost", _total("lost"), is_compared=False),
    Figure("copies doubled", _total("doubled"), is_compared=False),
    Figure("messages never answered", _total("unanswered"), is_compared=False),
    Figure(
        "generator's CPU, share of a core at most",
        lambda result: max(level["generator_cpu_share"] for level in _all_levels(result)),
        digits=2,
        is_compared=False,
    ),
)


def table(rounds: Mapping[str, Sequence[Result]]) -> str:
    """Return the table of all figures in Markdown; `rounds` has the rounds of each system."""
    peers = [name for name in rounds if name != "roomlog"]
    compared = peers if "roomlog" in rounds else []
    heads = ["", *(LABELS[name] for name in rounds), *(f"Roomlog / {LABELS[name]}" for name in compared)]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for figure in FIGURES:
        values = {name: _values(figure, results) for name, results in rounds.items()}
        cells = [_spread(figure, values[name]) for name in rounds]
        ratios = [_ratio(figure, values["roomlog"], values[name], name) for name in compared]
        lines.append("| " + " | ".join([figure.label, *cells, *ratios]) + " |")
    return "\n".join(lines)


def levels_table(rounds: Mapping[str, Sequence[Result]]) -> str:
    """Return a table of every level of the closed loops: medians, and sums of what went wrong."""
    lines = [
        "| system | load | level | accepted/s | answer p50, ms | server CPU, µs a message, by part | lost "
        "| doubled | never answered | errors |",
        "|---" * 10 + "|",
    ]
    for name, results in rounds.items():
        for load in ("steady", "small", "large"):
            for place in range(len(results[0][load])):
                lines.append(_level_row(name, load, [result[load][place] for result in results]))
    return "\n".join(lines)


def _level_row(name: str, load: str, levels: Sequence[Result]) -> str:
    answers = [level["answer_p50_ms"] for level in levels if level["answer_p50_ms"] is not None]
    errors = sum(sum(level["errors"].values()) for level in levels)
    cells = [
        LABELS[name],
        load,
        str(levels[0]["level"]),
        f"{median(level['accepted_per_second'] for level in levels):.0f}",
        f"{median(answers):.1f}" if answers else NOTHING,
        _parts(levels),
        *(str(sum(level[key] for level in levels)) for key in ("lost", "doubled", "unanswered")),
        str(errors),
    ]
    return "| " + " | ".join(cells) + " |"


def _parts(levels: Sequence[Result]) -> str:
    accepted = sum(level["accepted_in_window"] for level in levels)
    if not accepted:
        return NOTHING
    used = {part: sum(level["cpu_seconds"][part] for level in levels) for part in levels[0]["cpu_seconds"]}
    return ", ".join(f"{part} {seconds / accepted * 1e6:.0f}" for part, seconds in used.items())


def _values(figure: Figure, results: Sequence[Result]) -> list[float]:
    values = (figure.read(result) for result in results)
    return [value for value in values if value is not None]


def _spread(figure: Figure, values: Sequence[float]) -> str:
    if not values:
        return NOTHING
    marks = (median(values), min(values), max(values))
    middle, low, high = (f"{value:,.{figure.digits}f}" for value in marks)
    return middle if low == high else f"{middle} ({low} to {high})"


def _ratio(figure: Figure, ours: Sequence[float], theirs: Sequence[float], peer: str) -> str:
    if not figure.is_compared or not ours or not theirs or not median(theirs):
        return ""
    ratio = median(ours) / median(theirs)
    target = (figure.targets or {}).get(peer)
    if target is None:
        return f"{ratio:.2f}"
    is_reached = ratio <= target if figure.is_low_good else ratio >= target
    bound = "≤" if figure.is_low_good else "≥"
    return f"{ratio:.2f} (target {bound} {target:g}: {'reached' if is_reached else 'missed'})"
