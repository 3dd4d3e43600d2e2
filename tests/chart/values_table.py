"""Writes the table of values in the chart's README, from values.yaml: each key under a `# --` comment.

`python -m tests.chart.values_table` writes it.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).parents[2] / "deploy/helm/roomlog"
README: Final = CHART / "README.md"
HEAD: Final = (
    "## Values\n\nWritten by `make values` from [values.yaml](values.yaml), which a test compares.\n\n"
)
KEY: Final = re.compile(r"^( *)([A-Za-z]\w*):")
COMMENT: Final = re.compile(r"^ *# ?(.*)")
SHOWN: Final = 60
"""Characters of a default; what is longer stands in values.yaml alone."""


def rows(text: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each documented key, and its meaning."""
    path: list[str] = []
    said: list[str] = []
    for line in text.splitlines():
        if (comment := COMMENT.match(line)) is not None:
            said = (
                [comment[1].removeprefix("-- ")]
                if comment[1].startswith("-- ")
                else [*said, comment[1]]
                if said
                else []
            )
        elif (key := KEY.match(line)) is not None:
            path = [*path[: len(key[1]) // 2], key[2]]
            if said:
                yield ".".join(path), " ".join(said)
            said = []
        else:
            said = []


def table() -> str:
    """Return the section of the README."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    values = yaml.safe_load(text)
    lines = [f"| `{path}` | {_default(values, path)} | {_cell(meaning)} |\n" for path, meaning in rows(text)]
    return f"{HEAD}| value | default | meaning |\n|---|---|---|\n{''.join(lines)}"


def written() -> str:
    """Return the README with a fresh table at its end."""
    text = README.read_text(encoding="utf-8")
    return text.partition(HEAD.partition("\n")[0] + "\n")[0] + table()


def _default(values: Any, path: str) -> str:
    for key in path.split("."):
        values = values[key]
    shown = json.dumps(values, ensure_ascii=False)
    return f"`{_cell(shown)}`" if len(shown) <= SHOWN else "see values.yaml"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    README.write_text(written(), encoding="utf-8")
