"""The table: medians, spreads, ratios and whether the targets were reached."""

from typing import Any

from benchmarks.report import NOTHING, levels_table, table


def level(accepted: float, **facts: Any) -> dict[str, Any]:
    """One level's result."""
    return {
        "level": 20,
        "accepted_per_second": accepted,
        "delivered_per_second": accepted * 10,
        "accepted_in_window": int(accepted),
        "generator_cpu_share": 0.25,
        "cpu_seconds": {"server": 0.75, "postgres": 0.25},
        "lost": 0,
        "doubled": 0,
        "unanswered": 0,
        "errors": {},
        "answer_p50_ms": 2.0,
        "last_p50_ms": 3.0,
        "last_p99_ms": 4.0,
        **facts,
    }


def one_round(accepted: float, **facts: Any) -> dict[str, Any]:
    """One round of one system."""
    return {
        "idle": {
            "bytes_per_connection": {"server": 10 * 1024, "worker": 2 * 1024, "postgres": 1e9, "valkey": 1e9}
        },
        "steady": [level(100, **facts)],
        "small": [level(accepted), level(accepted / 2)],
        "large": [level(accepted / 10)],
    }


def row(text: str, label: str) -> list[str]:
    """The cells of a row."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {label} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_row_has_median_spread_ratio_and_target() -> None:
    """The best level of each round counts; ratios are those of the medians, judged by the issue's targets."""
    rounds = {
        "roomlog": [one_round(3000), one_round(4000), one_round(5000)],
        "channels": [one_round(200)],
        "classic": [one_round(1000)],
    }
    cells = row(table(rounds), "accepted messages/s, rooms of 10")
    assert cells[1:] == [
        "4,000 (3,000 to 5,000)",
        "200",
        "1,000",
        "20.00 (target ≥ 15: reached)",
        "4.00 (target ≥ 5: missed)",
    ]


def test_every_level_is_listed_with_the_cpu_of_each_part() -> None:
    """Memory is of the system's own processes."""
    assert row(table({"classic": [one_round(1)]}), "memory of an idle connection, KiB")[1] == "12.0"
    text = levels_table({"classic": [one_round(1000)]})
    assert len(text.splitlines()) == 2 + 4
    assert "server 750, postgres 250" in text


def test_a_load_without_an_answer_has_no_figure() -> None:
    """What a ratio says nothing about has none; losses of all loads are added up."""
    rounds = {"channels": [one_round(200, lost=3, unanswered=5)]}
    assert row(table(rounds), "copies lost")[1] == "3"
    assert row(table(rounds), "messages never answered")[1] == "5"
    rounds = {"roomlog": [one_round(3000, lost=1)], "channels": [one_round(200, lost=3)]}
    for label in ("… at so many unanswered", "copies lost", "generator's CPU, share of a core at most"):
        assert row(table(rounds), label)[3] == ""
    mute = {"last_p50_ms": None, "last_p99_ms": None, "answer_p50_ms": None, "accepted_in_window": 0}
    rounds = {"roomlog": [one_round(1)], "channels": [one_round(1, **mute)]}
    assert row(table(rounds), "p50 to the last recipient at 100/s, ms")[2:] == [NOTHING, ""]
    assert f"| {NOTHING} | {NOTHING} |" in levels_table(rounds)
