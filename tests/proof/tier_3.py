"""Tier 3: a cluster on kind, broken in every way that its owner knows, under load: the code of `make e2e`.

It runs the fault tests of tests/e2e and turns their report into rows; a report of this very commit that is
fresh is taken as it is, so that CI doesn't do everything twice. It never makes or removes a cluster.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tests.e2e import settings
from tests.judge.checker.report import git_revision
from tests.proof.rows import Row, Size

TIER: Final = 3
ROOT: Final = Path(__file__).resolve().parents[2]
FAULT_TESTS: Final = "tests/e2e/test_faults.py"
KNOWN_SECONDS: Final = 3600.0
"""A report that is older is made again: the cluster may have changed since."""
ASK_SECONDS: Final = 30.0
RUN_SECONDS: Final = {Size.SMALL: 1800.0, Size.LONG: 4 * 3600.0}
"""Deadlines: 9 faults of up to two minutes each, 22 faults in three rounds."""
SETTINGS: Final = {Size.SMALL: {"SIZE": "small", "ROUNDS": "1"}, Size.LONG: {"SIZE": "full", "ROUNDS": "3"}}

Report = dict[str, Any]


class NoCluster(Exception):
    """There is nothing to break; the text says how to get it."""


def run(size: Size, seed: int | None) -> list[Row]:
    """Return one row for each fault, found just now or within the last hour.

    Raises:
        NoCluster: kind's cluster does not answer.
        RuntimeError: the fault tests ended without a report.
    """
    known = known_report(ROOT / settings.REPORT, size, git_revision(), time.time()) if seed is None else None
    if known is not None:
        return rows(known, "by make e2e of the same commit, within the last hour")
    require_cluster()
    return rows(_make_report(size, seed))


def known_report(path: Path, size: Size, revision: str, now: float) -> Report | None:
    """Return what `make e2e` found, where it is of this size and commit, of no changed file, and fresh."""
    if revision.endswith("+") or not path.is_file():
        return None
    report: Report = json.loads(path.read_text(encoding="utf-8"))
    is_same = report["revision"] == revision and report["complete"]
    is_enough = {name: str(report[name.lower()]) for name in SETTINGS[size]} == SETTINGS[size]
    is_fresh = 0 <= now - report["written_at"] <= KNOWN_SECONDS
    return report if is_same and is_enough and is_fresh else None


def require_cluster() -> None:
    """Ask the cluster whether the install is there.

    Raises:
        NoCluster: it is not, or nothing answers.
    """
    place = ["kubectl", "--context", settings.CONTEXT, "--namespace", settings.NAMESPACE]
    words = [*place, "get", f"statefulset/{settings.RELEASE}-worker", "--request-timeout=10s"]
    try:
        subprocess.run(words, capture_output=True, text=True, check=True, timeout=ASK_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", "") or str(error)
        raise NoCluster(f"tier 3 needs the cluster of `make kind-up`: {said.strip()}") from None


def rows(report: Report, *remarks: str) -> list[Row]:
    """Return one row for each fault of the report."""
    return [_row(found, remarks) for found in report["faults"]]


def _row(found: Mapping[str, Any], remarks: tuple[str, ...]) -> Row:
    noted = [
        *remarks,
        *found["shortcomings"],
        f"{found['longest_without_service_seconds']} s without service",
    ]
    return Row(
        tier=TIER,
        what=f"{found['fault']} for {found['seconds']:.0f} s",
        seconds=found["lasted_seconds"],
        again=f"make e2e FAULT={found['fault']} SEED={found['seed']}",
        success=found["success"],
        error=found["error"],
        unknown=found["unknown"],
        faults=1,
        anomalies=tuple(found["anomalies"]),
        remarks=tuple(noted),
    )


def _make_report(size: Size, seed: int | None) -> Report:
    """Run the fault tests and return their report; a failed test without an anomaly is one."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "report.json"
        chosen = {**SETTINGS[size], "FAULT": "", "SEED": "" if seed is None else str(seed)}
        environ = {**os.environ, **chosen, "E2E_REPORT": str(path)}
        words = [sys.executable, "-m", "pytest", "-q", FAULT_TESTS]
        seconds = RUN_SECONDS[size]
        done = subprocess.run(
            words, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False, timeout=seconds
        )
        if not path.is_file():
            raise RuntimeError(f"the fault tests ended without a report:\n{done.stdout[-2000:]}")
        report: Report = json.loads(path.read_text(encoding="utf-8"))
    if done.returncode and not any(found["anomalies"] for found in report["faults"]):
        raise RuntimeError(f"a fault test failed:\n{done.stdout[-4000:]}")
    return report
