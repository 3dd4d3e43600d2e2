"""The Autobahn test suite: where it runs, and a run of it against one address.

Beside the message's way. The suite is a Python 2.7 program: it gets a virtual environment of its own inside
`.venv`, made once. A machine without Python 2.7 can't run it and is told so.
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.harness import manage

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PLACE = Path(sys.prefix) / "conformance"
"""Goes with the development environment: `make clean` removes it."""
VIRTUALENV = "virtualenv==20.21.1"
"""The last that makes environments for Python 2.7."""
INSTALL_SECONDS = 600
RUN_SECONDS = 900
ASK_SECONDS = 30
AGENT = "gateway"
PYTHON_VARIABLE = "PYTHON27"
HOW_TO_GET_IT = (
    "The Autobahn test suite needs Python 2.7: set PYTHON27 to one, put python2.7 on PATH, or install it with"
    " `pyenv install 2.7.18`."
)


class SuiteMissing(RuntimeError):
    """The suite can't run here."""


@dataclass(frozen=True)
class Verdict:
    """What the suite says of one case."""

    case: str
    behavior: str
    """OK, NON-STRICT, INFORMATIONAL, UNIMPLEMENTED or FAILED …"""
    close: str
    """The same for how the connection ended."""


def find_python27(environ: Mapping[str, str] = os.environ) -> Path:
    """Return a Python 2.7 that runs: PYTHON27's, PATH's or pyenv's.

    Raises:
        SuiteMissing: there is none; the text says how to get one.
    """
    pyenv = Path(environ.get("HOME", "/")) / ".pyenv" / "versions"
    candidates = [
        environ.get(PYTHON_VARIABLE),
        shutil.which("python2.7", path=environ.get("PATH")),
        *sorted(pyenv.glob("2.7*/bin/python2.7"), reverse=True),
    ]
    for candidate in candidates:
        if candidate and _is_python27(Path(candidate)):
            return Path(candidate)
    raise SuiteMissing(HOW_TO_GET_IT)


def install() -> Path:
    """Return the suite's program, made on the first call.

    Raises:
        SuiteMissing: no Python 2.7, or the packages could not be installed.
    """
    program = PLACE / "bin" / "wstest"
    pins = PLACE / "requirements.txt"
    if not (program.exists() and pins.exists() and pins.read_bytes() == REQUIREMENTS.read_bytes()):
        python27 = find_python27()
        shutil.rmtree(PLACE, ignore_errors=True)
        tool = PLACE / "virtualenv"
        _do([*_PIP, "install", "--target", str(tool), VIRTUALENV])
        _do([sys.executable, "-m", "virtualenv", "-p", str(python27), str(PLACE)], PYTHONPATH=str(tool))
        _do([str(PLACE / "bin" / "pip"), *_QUIET, "install", "--require-hashes", "-r", str(REQUIREMENTS)])
        shutil.copyfile(REQUIREMENTS, pins)
    return program


def run(url: str, cases: Sequence[str], excluded: Sequence[str], directory: Path) -> list[Verdict]:
    """Run the chosen cases (with * for all of a section) against an echo server and return the verdicts.

    Raises:
        SuiteMissing: it can't run here, or broke off.
    """
    specification = {
        "outdir": str(directory / "reports"),
        "servers": [{"agent": AGENT, "url": url}],
        "cases": list(cases),
        "exclude-cases": list(excluded),
        "exclude-agent-cases": {},
    }
    written = directory / "specification.json"
    written.write_text(json.dumps(specification))
    _do([str(install()), "--mode", "fuzzingclient", "--spec", str(written)], seconds=RUN_SECONDS)
    return read_verdicts((directory / "reports" / "index.json").read_text())


def read_verdicts(index: str) -> list[Verdict]:
    """Return the verdicts of the suite's own report."""
    cases = json.loads(index)[AGENT]
    return [Verdict(name, found["behavior"], found["behaviorClose"]) for name, found in cases.items()]


_PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
_QUIET = ["--quiet", "--disable-pip-version-check", "--no-python-version-warning"]


def _is_python27(candidate: Path) -> bool:
    """Ask it: on PATH there may be a launcher that has nothing to launch."""
    words = [str(candidate), "-c", "import sys; sys.exit(sys.version_info[:2] != (2, 7))"]
    try:
        return manage.run(words, {}, ASK_SECONDS).returncode == 0
    except OSError:
        return False


def _do(words: list[str], seconds: float = INSTALL_SECONDS, **environ: str) -> None:
    done = manage.run(words, environ, seconds)
    if done.returncode:
        what = " ".join([Path(words[0]).name, *words[1:]])
        raise SuiteMissing(f"`{what}` failed: {(done.stderr or done.stdout)[-2000:].strip()}")
