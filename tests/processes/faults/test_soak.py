"""The measure of growth: a slope is seen through noise, a leak of files through reconnects."""

from pathlib import Path
from typing import cast

import pytest

from tests.harness.stack import Stack
from tests.processes.faults.soak import Growth, Size, slope


def growth_of(sizes: list[Size]) -> Growth:
    """Return what was seen of one process."""
    growth = Growth(cast(Stack, Path()), ["worker-0"])
    growth.sizes["worker-0"] += sizes
    return growth


def test_a_line_has_its_slope() -> None:
    """Memory that grows is seen, a warm-up is not; open files are counted."""
    assert slope((x, 3 + 2 * x) for x in range(10)) == pytest.approx(2.0)
    assert slope([(1.0, 5.0)]) == 0.0
    growing = growth_of([Size(60.0 * i, 100_000_000 + 16_667 * i, 9) for i in range(120)])
    assert growing.percent_per_hour("worker-0") == pytest.approx(1.0, rel=0.02)
    warming = growth_of([Size(60.0 * i, min(100, 70 + i) * 10**6, 9) for i in range(120)])
    assert warming.percent_per_hour("worker-0") == 0.0
    leaking = growth_of([Size(float(i), 1, 9 + i // 10) for i in range(120)])
    assert leaking.files_grown("worker-0") > 0
    reconnecting = growth_of([Size(float(i), 1, 9 + i % 3) for i in range(120)])
    assert reconnecting.files_grown("worker-0") == 0
