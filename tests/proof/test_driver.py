"""The driver of the proof: what has not passed, or did not run at all, never looks like a success."""

import json
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.proof import tier_0
from tests.proof.__main__ import main
from tests.proof.driver import prove as prove_tiers
from tests.proof.rows import Row, Size

GOOD = Row(4, "conformance", 1.0, "make proof TIER=4", success=7, unknown=2, cases=247, faults=3)


@pytest.fixture
def tier(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A tier 4 whose rows the test chooses."""
    module = ModuleType("tests.proof.tier_4")
    monkeypatch.setitem(sys.modules, "tests.proof.tier_4", module)
    return module


def prove(tier: ModuleType, directory: Path, *rows: Row, words: str = "") -> int:
    """Run a proof whose tier 4 reports these rows; return the exit code."""
    tier.__dict__["run"] = lambda size, seed: list(rows)
    return main(["--tier", "4", *words.split()], directory)


def test_good_rows_pass_and_no_rows_fail(
    tier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table shows their counts and the command that repeats them."""
    assert prove(tier, tmp_path, GOOD) == 0
    shown = capsys.readouterr().out
    assert "7/0/2" in shown
    assert "247" in shown
    assert "make proof TIER=4" in shown
    assert json.loads((tmp_path / "proof-report.json").read_text())["has_passed"] is True
    assert "| 4 | conformance | 7/0/2 |" in (tmp_path / "proof-report.md").read_text()
    assert prove(tier, tmp_path) == 1


def test_an_anomaly_or_an_uncaught_ablation_fails(
    tier: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its words; a caught one passes with its anomalies."""
    bad = Row(4, "an outage", 1.0, "make proof TIER=4", anomalies=("I3: a gap",))
    assert prove(tier, tmp_path, GOOD, bad) == 1
    assert "tier 4, an outage: I3: a gap" in capsys.readouterr().out
    caught = Row(4, "no lock", 1.0, "x", is_ablation=True, caught_by="seed 3", anomalies=("I2",))
    assert prove(tier, tmp_path, caught) == 0
    assert prove(tier, tmp_path, caught, Row(4, "no check", 1.0, "x", is_ablation=True)) == 1
    assert "NOT CAUGHT" in (tmp_path / "proof-report.md").read_text()


def test_a_missing_tier_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tier without its file fails the proof and is named."""
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "tests.proof.tier_4", raising=False)
    monkeypatch.setattr("tests.proof.__path__", [])
    assert main(["--tier", "4"], tmp_path) == 1
    assert "there is no tests/proof/tier_4.py" in capsys.readouterr().out


@pytest.mark.parametrize("size", list(Size))
def test_a_tier_that_breaks_off_fails(tier: ModuleType, tmp_path: Path, size: Size) -> None:
    """A tier that raises is a failed row, with the size and seed in the command that repeats it."""

    def run(size: Size, seed: int | None) -> list[Row]:
        raise OSError("no server here")

    tier.__dict__["run"] = run
    assert main(["--tier", "4", "--seed", "5", "--size", size], tmp_path) == 1
    (row,) = json.loads((tmp_path / "proof-report.json").read_text())["rows"]
    assert row["anomalies"] == ["broke off: OSError: no server here"]
    assert row["again"].endswith("TIER=4 SEED=5")
    assert ("SIZE=long" in row["again"]) is (size is Size.LONG)


def test_tiers_that_measure_times_run_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soak, the seeds and the first of the others wait for each other, tier 2 for that one, 7 for all."""
    meeting, seen = threading.Barrier(3, timeout=5), []

    def add_tier(number: int, meets: bool) -> None:
        def run(size: Size, seed: int | None) -> list[Row]:
            if meets:
                meeting.wait()
            seen.append(number)
            return [replace(GOOD, tier=number)]

        module = ModuleType(f"tests.proof.tier_{number}")
        module.__dict__["run"] = run
        monkeypatch.setitem(sys.modules, module.__name__, module)

    for number in (1, 2, 4, 6, 7):
        add_tier(number, meets=number in (1, 4, 6))
    rows = prove_tiers((1, 2, 4, 6, 7), Size.SMALL, None, lambda line: None)
    assert seen.index(4) < seen.index(2)
    assert seen[-1] == 7
    assert [row.tier for row in rows] == [1, 2, 4, 6, 7]
    assert all(row.has_passed for row in rows)


@pytest.mark.parametrize("path", [path for part in tier_0.PARTS for path in part.paths])
def test_what_tier_0_runs_is_there(path: str) -> None:
    """A test that is renamed is renamed here too: pytest runs nothing of a part with a missing file."""
    assert (tier_0.ROOT / path).exists()
