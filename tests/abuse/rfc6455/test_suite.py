"""The suite is found or asked for, and its verdicts are read without mercy."""

import json
from pathlib import Path

import pytest

from tests.abuse.rfc6455.deviations import DEVIATIONS, judge
from tests.abuse.rfc6455.suite import AGENT, SuiteMissing, Verdict, find_python27, read_verdicts


def _launcher(path: Path, code: int) -> Path:
    """Write a program that says whether it is Python 2.7 by its exit code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_a_machine_without_python_2_7_is_told_how_to_get_it(tmp_path: Path) -> None:
    """Nothing is skipped in silence; a launcher on PATH that has nothing to launch is none."""
    _launcher(tmp_path / "bin" / "python2.7", 127)
    with pytest.raises(SuiteMissing, match="PYTHON27"):
        find_python27({"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")})


def test_the_setting_is_believed_before_path_and_pyenv(tmp_path: Path) -> None:
    """PYTHON27 first, then PATH, then the newest of pyenv."""
    versions = tmp_path / ".pyenv" / "versions"
    pyenv = _launcher(versions / "2.7.18" / "bin" / "python2.7", 0)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert find_python27(environ) == pyenv
    on_path = _launcher(tmp_path / "bin" / "python2.7", 0)
    assert find_python27(environ) == on_path
    chosen = _launcher(tmp_path / "mine", 0)
    assert find_python27({**environ, "PYTHON27": str(chosen)}) == chosen


def test_a_report_becomes_one_verdict_a_case() -> None:
    """Named deviations are told with their reason."""
    index = {AGENT: {"1.1.1": {"behavior": "OK", "behaviorClose": "OK", "duration": 1}}}
    assert read_verdicts(json.dumps(index)) == [Verdict("1.1.1", "OK", "OK")]
    failed, remarks = judge([Verdict("6.4.1", "NON-STRICT", "OK"), Verdict("1.1.1", "OK", "OK")])
    assert failed == []
    assert remarks == [f"cases 6.4.1: {DEVIATIONS['6.4.1']}"]


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("7.9.5", "FAILED", "WRONG CODE"),
        Verdict("6.4.1", "FAILED", "OK"),
        Verdict("6.4.1", "NON-STRICT", "UNCLEAN"),
        Verdict("2.1", "NON-STRICT", "OK"),
        Verdict("2.1", "OK", "WRONG CODE"),
    ],
)
def test_what_is_not_named_fails(verdict: Verdict) -> None:
    """A failure of any case, and laxness of a case that is not listed."""
    failed, remarks = judge([verdict])
    assert [line for line in failed if verdict.case in line]
    assert remarks == []
