"""`python -m tests.abuse [--seconds 4] [WORD …]`: try the attacks whose names hold a word, or all."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.abuse.campaign import try_all


def main() -> int:
    """Try the chosen attacks, print what came of them, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.abuse", description="One against the rest.")
    parser.add_argument("words", nargs="*", metavar="WORD", help="a part of an attack's name; default: all")
    parser.add_argument("--seconds", type=float, default=4.0, help="of each attack")
    chosen = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="roomlog-abuse-"))
    print(f"logs in {directory}", flush=True)
    tried = try_all(
        directory, chosen.seconds, lambda name: not chosen.words or any(word in name for word in chosen.words)
    )
    for outcome, anomalies in tried:
        print(f"{outcome.name}: {'; '.join(anomalies) or 'passed'}")
    return 1 if any(anomalies for _, anomalies in tried) else 0


if __name__ == "__main__":
    sys.exit(main())
