"""Figures along sizes: medians, what is flat, and what one message costs."""

import math

from benchmarks.figures import Panel, growth, points, table
from benchmarks.sizes_running import of_a_message


def test_a_point_is_the_median_between_the_smallest_and_the_largest() -> None:
    """Sizes are in order, however they came."""
    series = points({1_000: [4.0], 10: [3.0, 1.0, 8.0]})
    assert [(one.at, one.median, one.low, one.high) for one in series] == [(10, 3, 1, 8), (1_000, 4, 4, 4)]


def test_growth_is_of_the_largest_over_the_smallest_wherever_they_are() -> None:
    """A peak in the middle counts as one at the end does."""
    assert growth(points({1: [2.0], 2: [5.0], 3: [2.5]})) == 2.5
    assert math.isinf(growth(points({1: [0.0], 2: [1.0]})))


def test_a_table_has_a_column_for_each_size_and_says_what_is_not_flat() -> None:
    """A series without a size leaves its cell empty."""
    panel = Panel(
        "time",
        "ms",
        {"steady": points({10: [2.0], 100: [2.5]}), "steep": points({100: [1], 1_000: [9]})},
        1.5,
    )
    heads, _, steady, steep = table(panel)
    assert heads == "| time, ms | 10 | 100 | 1,000 | largest : smallest |"
    assert steady == "| steady | 2 | 2.5 |  | 1.25 |"
    assert steep == "| steep |  | 1 | 9 | 9.00 NOT FLAT |"


def test_a_message_costs_its_share_of_the_deliveries_without_what_silence_costs() -> None:
    """Processes of one kind are added up."""
    cpu = {"gateway-0": 1.0, "gateway-1": 2.0, "worker-0": 0.5, "postgres": 0.25, "valkey": 0.25}
    result = {"seconds": 5.0, "delivered_per_second": 20.0, "cpu_seconds": cpu}
    assert of_a_message(result, members=10)["gateway"] == 0.3
    assert of_a_message({**result, "idle_cores": {"gateway-0": 0.1}}, members=10) == {
        "gateway": 0.25,
        "worker": 0.05,
        "postgres": 0.025,
        "valkey": 0.025,
    }
