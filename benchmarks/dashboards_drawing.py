"""`python -m benchmarks.dashboards_drawing FILE FOLDER`: draw one PNG for each dashboard.

After the run, in the peers' environment, which has matplotlib. The figures are those that Grafana would show;
how they are drawn is ours.
"""

import json
import math
import re
import sys
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

mpl.use("Agg")
COLUMNS: Final = 24
"""Of Grafana's grid."""
INCHES: Final = (0.58, 0.3)
"""Of one cell of the grid."""
MOST_NAMES: Final = 8
"""In a legend: those of the highest lines."""
COLORS: Final = {"green": "#37872d", "orange": "#e0821c", "red": "#c4162a", "yellow": "#e0b400"}


def main(data: Path, folder: Path) -> None:
    """Draw each dashboard."""
    for board in json.loads(data.read_text()):
        _draw(board).savefig(folder / f"{board['name']}.png", dpi=80, metadata={"Software": ""})


def _draw(board: dict[str, Any]) -> Figure:
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) + 2
    figure = Figure(figsize=(COLUMNS * INCHES[0], rows * INCHES[1]))
    figure.suptitle(board["title"], x=0.01, y=1 - 0.6 / rows, ha="left", fontweight="bold")
    for panel in board["panels"]:
        place = panel["gridPos"]
        # Around the axes there is room for titles and numbers.
        left, width = (place["x"] + 1.2) / COLUMNS, (place["w"] - 1.7) / COLUMNS
        bottom, height = 1 - (place["y"] + place["h"] + 0.9) / rows, (place["h"] - 2.2) / rows
        axes = figure.add_axes((left, bottom, width, height))
        axes.set_title(panel["title"], loc="left", fontsize=9)
        if panel["type"] == "stat":
            _draw_stat(axes, panel)
        else:
            _draw_lines(axes, panel, board["began"])
            axes.set_xlim(0, board["ended"] - board["began"])
    return figure


def _draw_lines(axes: Axes, panel: dict[str, Any], began: float) -> None:
    for number, series in enumerate(sorted(panel["series"], key=_peak, reverse=True)):
        points = [(moment - began, float(value)) for moment, value in series["values"]]
        seconds, values = zip(*points, strict=True)
        name = _name(series) if number < MOST_NAMES else "_hidden"
        axes.plot(seconds, values, linewidth=1, label=name)
    if panel["series"]:
        axes.legend(fontsize=6, loc="upper right", framealpha=0.6)
    else:
        axes.text(0.5, 0.5, "nothing in this run", ha="center", color="gray", transform=axes.transAxes)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=6)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _said(value, panel)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} s"))


def _peak(series: dict[str, Any]) -> float:
    return max(0.0, *(float(value) for _, value in series["values"]))


def _draw_stat(axes: Axes, panel: dict[str, Any]) -> None:
    axes.set_axis_off()
    values = [(series, float(series["values"][-1][1])) for series in panel["series"]]
    shown = "\n".join(
        _said(value, panel) if len(values) == 1 else f"{_said(value, panel)}  {_name(series)}"
        for series, value in values
    )
    color = _color(values[0][1], panel) if values else "gray"
    size = 20 if len(values) == 1 else 9
    axes.text(0.5, 0.5, shown or "nothing", ha="center", va="center", fontsize=size, color=color)


def _color(value: float, panel: dict[str, Any]) -> str:
    """Return the color of the highest threshold that the value reaches."""
    steps = panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
    reached = [step["color"] for step in steps if step.get("value") is None or value >= step["value"]]
    return COLORS.get(reached[-1], reached[-1]) if reached else "black"


def _name(series: dict[str, Any]) -> str:
    labels = series["metric"]
    named = re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), series["legend"])
    return named or ", ".join(labels.values()) or "all"


def _said(value: float, panel: dict[str, Any]) -> str:
    """Return a value in the panel's unit."""
    if math.isnan(value):
        return "none"
    match panel["fieldConfig"]["defaults"].get("unit", "short"):
        case "s":
            return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "bytes":
            return f"{value / 2**20:.3g} MiB"
        case _:
            return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
