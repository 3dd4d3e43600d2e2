"""`python -m benchmarks.plots FIGURE.json PICTURE.png`: draw a figure of benchmarks.figures.

After the run, in the peers' environment, which has matplotlib and nothing of ours.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

mpl.use("Agg")
INCHES: Final = (4.6, 3.6)
"""Of one panel."""
COLUMNS: Final = 3
MARKS: Final = "os^Dv*PX"


def main(data: Path, picture: Path) -> None:
    """Draw the panels side by side."""
    figure = json.loads(data.read_text())
    panels = figure["panels"]
    rows = math.ceil(len(panels) / COLUMNS)
    columns = math.ceil(len(panels) / rows)
    drawn = Figure(figsize=(columns * INCHES[0], rows * INCHES[1] + 0.6), layout="constrained")
    drawn.suptitle(figure["title"], x=0.01, ha="left", fontweight="bold")
    drawings = [drawn.add_subplot(rows, columns, place + 1) for place in range(len(panels))]
    for axes, panel in zip(drawings, panels, strict=True):
        _draw(axes, panel, figure["along"])
    if all(panel["series"].keys() == panels[0]["series"].keys() for panel in panels):
        lines, names = drawings[0].get_legend_handles_labels()
        drawn.legend(lines, names, loc="outside lower center", ncols=4, fontsize=8)
    else:
        for axes in drawings:
            axes.legend(fontsize=7, framealpha=0.6)
    drawn.savefig(picture, dpi=80, metadata={"Software": ""})


def _draw(axes: Axes, panel: dict[str, Any], along: str) -> None:
    for number, (name, points) in enumerate(panel["series"].items()):
        at = [point["at"] for point in points]
        medians = [point["median"] for point in points]
        spread = [
            [point["median"] - point["low"] for point in points],
            [point["high"] - point["median"] for point in points],
        ]
        marks = MARKS[number % len(MARKS)]
        axes.errorbar(
            at, medians, yerr=spread, label=name, marker=marks, markersize=4, linewidth=1, capsize=2
        )
    sizes = sorted({point["at"] for points in panel["series"].values() for point in points})
    axes.set_title(f"{panel['title']}, {panel['unit']}", loc="left", fontsize=9)
    axes.set_xscale("log")
    axes.set_xticks(sizes)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.set_xlabel(along, fontsize=8)
    if panel["goal"] is None and _is_wide(panel):
        axes.set_yscale("log")
    else:
        highs = [point["high"] for points in panel["series"].values() for point in points]
        axes.set_ylim(0, 1.1 * max(highs))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 100 else f"{value:.3g}")
    )
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=7)


def _is_wide(panel: dict[str, Any]) -> bool:
    """Tell whether the panel's medians lie so far apart that only powers of ten show them all."""
    medians = [point["median"] for points in panel["series"].values() for point in points]
    return bool(min(medians) > 0 and max(medians) > 50 * min(medians))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
