"""The chart's README has every value, as values.yaml explains it."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.chart import values_table
from tests.chart.values_table import CHART, README


def test_every_value_is_explained() -> None:
    """The README's table is fresh; a comment over two lines is one meaning."""
    assert README.read_text(encoding="utf-8") == values_table.written(), "stale: make values"
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    explained = {path for path, _ in values_table.rows(text)}
    assert set(leaves(yaml.safe_load(text), explained)) <= explained
    text = "# A section.\npart:\n  # -- First line\n  # second line.\n  key: 1\n  other: 2\n"
    assert list(values_table.rows(text)) == [("part.key", "First line second line.")]


def leaves(values: Any, explained: set[str], path: str = "") -> Iterator[str]:
    """Yields the keys that a reader must find explained: those without explained keys inside."""
    if isinstance(values, dict) and any(one.startswith(f"{path}." if path else "") for one in explained):
        for key, value in values.items():
            yield from leaves(value, explained, f"{path}.{key}" if path else key)
    else:
        yield path
