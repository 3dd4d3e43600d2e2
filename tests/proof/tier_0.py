"""Tier 0: unit tests and properties of the parts that everything else stands on.

Parser and envelopes, reorder buffer, outbox and limits of the gateway, repeats, leases, the client's outbox
and order. The whole of the unit tests runs in `make test`.
"""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.harness import manage
from tests.proof.driver import again, fresh
from tests.proof.examples import VARIABLE
from tests.proof.rows import Row, Size

TIER: Final = 0
ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = {Size.SMALL: 100, Size.LONG: 20_000}
SECONDS: Final = {Size.SMALL: 300.0, Size.LONG: 6 * 3600.0}


@dataclass(frozen=True)
class Part:
    """Some tests of one project."""

    what: str
    paths: tuple[str, ...]


GATEWAY: Final = "services/gateway/tests/gateway"
PARTS: Final = (
    Part("parser, envelopes, shards", ("packages/contract",)),
    Part(
        "reorder buffer, outbox, limits",
        tuple(
            f"{GATEWAY}/test_{name}.py"
            for name in (
                *("room_properties", "room_order", "outbox", "token_bucket", "stream_gate"),
                *("websocket_frames", "command_writer"),
            )
        ),
    ),
    Part("repeats", ("services/worker/tests/worker/log/test_repeats.py",)),
    Part("leases", ("services/worker/tests/worker/test_leases.py",)),
    Part(
        "client's outbox, order, pace",
        tuple(
            f"clients/python/tests/client/test_{name}.py"
            for name in ("incoming", "no_stall", "outbox", "pace", "rooms", "state")
        ),
    ),
)


def run(size: Size, seed: int | None) -> list[Row]:
    """Run every part; the seed is hypothesis's."""
    chosen = fresh(seed)
    with tempfile.TemporaryDirectory(prefix="roomlog-units-") as directory:
        return [_run(part, size, chosen, Path(directory) / "report.xml") for part in PARTS]


def _run(part: Part, size: Size, seed: int, report: Path) -> Row:
    report.unlink(missing_ok=True)
    began = time.monotonic()
    arguments = ["-q", "-p", "tests.proof.examples", f"--hypothesis-seed={seed}", f"--junit-xml={report}"]
    words = [sys.executable, "-m", "pytest", *arguments, *part.paths]
    environ = {VARIABLE: str(EXAMPLES[size]), "ROOMLOG_REQUIRE_POSTGRES": "1"}
    done = manage.run(words, environ, SECONDS[size], ROOT)
    cases, failures = _read(report) if report.exists() else (0, [])
    if done.returncode and not failures:
        failures = [f"pytest ended with {done.returncode}: {(done.stdout + done.stderr)[-500:]}"]
    remarks = (f"{EXAMPLES[size]} examples of each property, seed {seed}",)
    return Row(
        TIER,
        part.what,
        time.monotonic() - began,
        again(TIER, size, seed),
        cases=cases,
        anomalies=tuple(failures),
        remarks=remarks,
    )


def _read(report: Path) -> tuple[int, list[str]]:
    """Return how many tests ran, and a line for each that did not pass or did not run."""
    cases = list(ElementTree.parse(report).iter("testcase"))
    failures = [
        f"{case.get('name')}: {problem.get('message', '')[:300]}"
        for case in cases
        for problem in case
        if problem.tag in ("failure", "error", "skipped")
    ]
    return len(cases), failures
