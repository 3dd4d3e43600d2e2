"""Tier 5: bad inputs. The tables, each kind with its expected outcome, and what nobody thought of, by seed.

Hypothesis draws frames for the codec, held to a second reading of the specification, and what Redis might
hand to workers and gateways; a generator draws bytes for live sockets. The printed seed repeats a row.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.abuse.fuzz.fuzz_once import fuzz_apart
from tests.abuse.fuzz.sockets import abuse
from tests.harness import manage
from tests.harness.postgres import REQUIRED_VARIABLE
from tests.proof.driver import again, fresh
from tests.proof.rows import Row, Size

TIER = 5
ROOT = Path(__file__).resolve().parents[2]
TABLES = "tests/abuse/inputs/test_bad_inputs.py"
TABLES_SECONDS = 600
FRAMES = {Size.SMALL: 3_000, Size.LONG: 120_000}
INSIDES = {Size.SMALL: 2_000, Size.LONG: 70_000}
SOCKETS = {Size.SMALL: 400, Size.LONG: 10_000}
SAID_CHARACTERS = 1_500


def run(size: Size, seed: int | None) -> list[Row]:
    """Run the tables and the three fuzzers and return their rows."""
    seed = fresh(seed)
    return [
        _tables(size, seed),
        _fuzzed("the codec against its reference", "frames", FRAMES[size], size, seed),
        _fuzzed("entries, pending rows, replies and notices", "insides", INSIDES[size], size, seed),
        _sockets(size, seed),
    ]


def _tables(size: Size, seed: int) -> Row:
    from tests.abuse.inputs.test_bad_inputs import AT_THE_DATABASE, AT_THE_GATEWAY

    began = time.monotonic()
    words = [sys.executable, "-m", "pytest", "-q", TABLES]
    done = manage.run(words, {REQUIRED_VARIABLE: "1"}, TABLES_SECONDS, ROOT)
    return Row(
        tier=TIER,
        what="the tables of bad inputs",
        seconds=time.monotonic() - began,
        again=again(TIER, size, seed),
        cases=sum(len(list(kinds())) for kinds in (AT_THE_GATEWAY | AT_THE_DATABASE).values()),
        anomalies=(done.stdout[-SAID_CHARACTERS:],) if done.returncode else (),
    )


def _fuzzed(what: str, fuzzer: str, examples: int, size: Size, seed: int) -> Row:
    began = time.monotonic()
    fuzzed = fuzz_apart(fuzzer, examples, seed)
    return Row(
        tier=TIER,
        what=f"fuzzed: {what}",
        seconds=time.monotonic() - began,
        again=again(TIER, size, seed),
        success=fuzzed.accepted,
        error=fuzzed.refused,
        cases=fuzzed.accepted + fuzzed.refused,
        anomalies=(fuzzed.anomaly,) if fuzzed.anomaly else (),
    )


def _sockets(size: Size, seed: int) -> Row:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        found = abuse(Path(name), SOCKETS[size], seed)
    return Row(
        tier=TIER,
        what="fuzzed: bytes on live sockets, beside neighbours who chat",
        seconds=time.monotonic() - began,
        again=again(TIER, size, seed),
        cases=SOCKETS[size],
        anomalies=tuple(found),
    )
