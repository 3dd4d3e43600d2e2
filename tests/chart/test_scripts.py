"""The project's shell scripts: few, short and checked."""

from pathlib import Path

import pytest

from tests.harness.manage import run

ROOT = Path(__file__).parents[2]
LINES = 80
SECONDS = 60


def scripts() -> list[str]:
    """Every file of the repository that bash runs."""
    listed = run(["git", "grep", "-l", "--untracked", "-E", "^#!.*bash"], {}, SECONDS, ROOT, check=True)
    paths = [path for path in listed.stdout.split() if not path.startswith("tests/")]
    return [path for path in paths if (ROOT / path).read_text(encoding="utf-8").startswith("#!")]


@pytest.mark.parametrize("path", scripts())
def test_a_script_stops_at_its_first_error_and_stays_short(path: str) -> None:
    """Nothing goes on after a failure, and nothing in shell grows to a program."""
    text = (ROOT / path).read_text(encoding="utf-8")
    assert "\nset -euo pipefail\n" in text
    assert len(text.splitlines()) < LINES
    assert (ROOT / path).stat().st_mode & 0o111


@pytest.mark.usefixtures("shellcheck")
@pytest.mark.parametrize("path", scripts())
def test_a_script_passes_the_linter(path: str) -> None:
    """shellcheck has nothing to say."""
    assert run(["shellcheck", path], {}, SECONDS, ROOT).stdout == ""
