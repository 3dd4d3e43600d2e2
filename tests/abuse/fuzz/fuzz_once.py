"""`python -m tests.abuse.fuzz.fuzz_once frames 3000 7`: one fuzzer alone, its outcome as JSON.

Beside the message's way. What hypothesis draws depends on the seed and on the modules that are loaded, whose
constants it tries: here they are always the same, so that a seed repeats its run.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.abuse.fuzz.frames_drawn import frames
from tests.abuse.fuzz.fuzzing import Fuzzed, check_frame, check_inside, fuzz, insides
from tests.harness.manage import run

ROOT: Final = Path(__file__).resolve().parents[3]
FUZZERS: Final[Mapping[str, tuple[Any, Any]]] = {
    "frames": (check_frame, frames),
    "insides": (check_inside, insides),
}
EXAMPLES_PER_SECOND: Final = 5
"""Far below what a loaded machine does: only a fuzzer that hangs is given up."""


def fuzz_apart(name: str, examples: int, seed: int) -> Fuzzed:
    """Return what a fuzzer finds, run in a process of its own."""
    words = [sys.executable, "-m", "tests.abuse.fuzz.fuzz_once", name, str(examples), str(seed)]
    done = run(words, {"PYTHONHASHSEED": "0"}, 60 + examples / EXAMPLES_PER_SECOND, ROOT, check=True)
    return Fuzzed(**json.loads(done.stdout))


if __name__ == "__main__":
    check, drawn = FUZZERS[sys.argv[1]]
    print(json.dumps(asdict(fuzz(check, drawn, int(sys.argv[2]), int(sys.argv[3])))))
