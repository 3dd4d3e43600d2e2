"""Tier 4: RFC 6455 by the Autobahn test suite, against the gateway's own sockets.

Small: every section but limits and performance (9) and compression (12, 13), at the product's message limit.
Long: all 517 cases; section 9 sends up to 16 MiB, so the limit is lifted for it. The cases are fixed: a seed
changes nothing.
"""

import tempfile
import time
from pathlib import Path

from tests.abuse.rfc6455 import suite
from tests.abuse.rfc6455.deviations import judge
from tests.abuse.rfc6455.server import echo_gateway
from tests.proof.driver import again
from tests.proof.rows import Row, Size

TIER = 4
BIG_SECTIONS = ("9.*",)
COMPRESSION = ("12.*", "13.*")
BIG_MESSAGE_BYTES = 17_000_000
CASES_WITHOUT_BIG = 247
BIG_CASES = 270
TRACEBACK = "Traceback (most recent call last)"


def run(size: Size, seed: int | None) -> list[Row]:
    """Run the suite and return its rows; raises where the suite can't run."""
    aside = (*BIG_SECTIONS, *COMPRESSION)
    rows = [_row(size, "Autobahn, framing to close", ("*",), aside, CASES_WITHOUT_BIG)]
    if size is Size.LONG:
        rows.append(_row(size, "Autobahn, sizes and compression", aside, (), BIG_CASES, BIG_MESSAGE_BYTES))
    return rows


def _row(
    size: Size,
    what: str,
    cases: tuple[str, ...],
    excluded: tuple[str, ...],
    expected: int,
    message_bytes: int | None = None,
) -> Row:
    suite.install()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        log = directory / "gateway.log"
        with echo_gateway(log, message_bytes) as url:
            verdicts = suite.run(url, cases, excluded, directory)
        written = log.read_text(errors="replace")
    failed, remarks = judge(verdicts)
    if len(verdicts) != expected:
        failed.append(f"{len(verdicts)} cases ran, not {expected}")
    if TRACEBACK in written:
        failed.append(f"the gateway wrote a traceback: {written[written.find(TRACEBACK) :][:2000]}")
    return Row(
        tier=TIER,
        what=what,
        seconds=time.monotonic() - began,
        again=again(TIER, size),
        cases=len(verdicts),
        anomalies=tuple(failed),
        remarks=tuple(remarks),
    )
