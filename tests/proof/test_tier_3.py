"""Tier 3 takes over what `make e2e` found only where it says the same as a run of its own would."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.proof import tier_3
from tests.proof.rows import Size

REVISION = "0123456"
FOUND: dict[str, Any] = {
    "fault": "force-worker",
    "seed": 7,
    "seconds": 5.2,
    "lasted_seconds": 61.0,
    "success": 3600,
    "error": 1,
    "unknown": 2,
    "longest_without_service_seconds": 3.1,
    "anomalies": [],
    "shortcomings": [],
}


def saved(directory: Path, **changes: Any) -> Path:
    """Write a report of the small size, of now."""
    path = directory / "e2e-report.json"
    report = {
        "revision": REVISION,
        "size": "small",
        "rounds": 1,
        "complete": True,
        "written_at": time.time(),
        "faults": [FOUND],
    }
    path.write_text(json.dumps(report | changes))
    return path


def known(path: Path, size: Size = Size.SMALL, revision: str = REVISION) -> tier_3.Report | None:
    """Ask for the report as tier 3 does."""
    return tier_3.known_report(path, size, revision, time.time())


def test_a_fresh_report_of_this_commit_is_taken(tmp_path: Path) -> None:
    """CI runs the fault tests once; the row says where it comes from."""
    report = known(saved(tmp_path))
    assert report is not None
    (row,) = tier_3.rows(report, "by make e2e")
    assert (row.tier, row.success, row.error, row.unknown, row.faults) == (3, 3600, 1, 2, 1)
    assert row.has_passed
    assert row.remarks[0] == "by make e2e"
    assert row.again == "make e2e FAULT=force-worker SEED=7"


@pytest.mark.parametrize(
    "changes",
    [
        {"revision": "another"},
        {"complete": False},
        {"size": "full"},
        {"rounds": 2},
        {"written_at": time.time() - 2 * tier_3.KNOWN_SECONDS},
        {"written_at": time.time() + tier_3.KNOWN_SECONDS},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_other_report_is_not(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Another commit, a part, another size, another number of rounds, an hour ago, from the future."""
    assert known(saved(tmp_path, **changes)) is None


def test_a_missing_report_is_said(tmp_path: Path) -> None:
    """Nothing for changed files; without a cluster the command that makes it."""
    assert known(saved(tmp_path, revision=f"{REVISION}+"), revision=f"{REVISION}+") is None
    assert known(tmp_path / "e2e-report.json") is None


def test_an_anomaly_fails_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing cluster is said with the command that makes it."""
    report = known(saved(tmp_path, faults=[{**FOUND, "anomalies": ["I2 twice"]}]))
    assert report is not None
    assert not tier_3.rows(report)[0].has_passed
    monkeypatch.setattr("tests.e2e.settings.CONTEXT", "kind-of-nobody")
    with pytest.raises(tier_3.NoCluster, match="needs the cluster of `make kind-up`"):
        tier_3.require_cluster()
