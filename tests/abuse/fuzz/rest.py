"""REST by schemathesis: what its own description says, and what it does not, sent to real processes.

Beside the message's way. Requests are drawn from `/api/v1/schema/` as the api serves it, some as it says and
some against it; schemathesis judges the answers by the same description. One run is one seed and one sender.
"""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen

from tests.abuse.fuzz.rest_hooks import KNOWN, TAKEN
from tests.harness import manage
from tests.harness.stack import Stack

ROOT: Final = Path(__file__).resolve().parents[3]
PROGRAM: Final = Path(sys.executable).with_name("schemathesis")
PHASES: Final = {"small": "examples,fuzzing", "full": "examples,coverage,fuzzing,stateful"}
EXAMPLES: Final = {"small": 3, "full": 40}
"""Of each operation."""
SECONDS: Final = {"small": 300.0, "full": 1_800.0}
"""Until a run is given up; a small one takes 20 on a machine of its own."""
SCHEMA_SECONDS: Final = 30.0
SETTINGS: Final = """
hooks = "tests.abuse.fuzz.rest_hooks"

# Which texts are an emoji, JSON Schema can't say: some that fit the description are refused.
[[operations]]
include-path-regex = ".*/reactions/$"
checks.positive_data_acceptance.enabled = false

# Which files are taken, it can't say either.
[[operations]]
include-path-regex = ".*/attachments/$"
checks.positive_data_acceptance.enabled = false

# Which texts are the next page's cursor, or an invitation's token, and which times are within a year.
[[operations]]
include-path-regex = ".*/(rooms/discoverable|invitation|invitations)/$"
checks.positive_data_acceptance.enabled = false

# An id of an earlier answer takes the place of one that was drawn wrong: the request is good, and accepted.
[phases.stateful.checks]
negative_data_rejection.enabled = false
"""
_GENERATED: Final = re.compile(r"^  (\d+) generated", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Told:
    """What one run told."""

    is_clean: bool
    cases: int
    """Requests that were sent."""
    report: str
    accepted: frozenset[str] = frozenset()
    """Method and path of each operation that was answered 2xx at least once."""


def fuzz_rest(
    stack: Stack,
    directory: Path,
    *,
    seed: int,
    size: str = "small",
    token: str = "",
    known: Mapping[str, Sequence[int | str]] | None = None,
) -> Told:
    """Return what schemathesis says of the stack's api as somebody with this token, or as a stranger.

    `known` are ids that exist, by their names in paths: they stand for drawn ones, which never exist.
    """
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "schemathesis.toml").write_text(SETTINGS)
    (directory / "schema.json").write_bytes(_schema(stack.page))
    facts = {KNOWN: json.dumps(known or {}), TAKEN: str(directory / "taken")}
    sender = []
    if token:  # who takes the own token away is a stranger from then on
        sender = ["--header", f"Authorization: Token {token}", "--exclude-operation-id", "token_destroy"]
    words = [
        str(PROGRAM),
        *("--config-file", "schemathesis.toml", "run", "schema.json", "--url", stack.page),
        *("--phases", PHASES[size], "--max-examples", str(EXAMPLES[size]), "--seed", str(seed)),
        *("--no-color", "--no-shrink", "--continue-on-failure", "--generation-database", "none"),
        *sender,
    ]
    environ = {**facts, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    done = manage.run(words, environ, SECONDS[size], directory)
    cases = _GENERATED.search(done.stdout)
    report = f"seed {seed}\n{done.stdout}{done.stderr}"
    return Told(done.returncode == 0, int(cases[1]) if cases else 0, report, _accepted(directory / "taken"))


def writes_of(page: str) -> frozenset[str]:
    """Return method and path of each operation of the description that changes anything."""
    paths = json.loads(_schema(page))["paths"]
    return frozenset(
        f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method != "get"
    )


def _accepted(taken: Path) -> frozenset[str]:
    lines = taken.read_text().splitlines() if taken.exists() else []
    return frozenset(line.partition(" ")[2] for line in lines if line.startswith("2"))


def _schema(page: str) -> bytes:
    """Return the description as JSON: schemathesis takes seconds to read it as YAML."""
    request = Request(f"{page}/api/v1/schema/", headers={"Accept": "application/json"})
    with urlopen(request, timeout=SCHEMA_SECONDS) as answer:
        description: bytes = answer.read()
    return description
