"""Runs one seed and prints what it showed: `python -m tests.simulation SEED [PART OF AN ABLATION'S NAME]`.

For whoever looks into an anomaly of tier 1. It judges as the tier does.
"""

import sys

from tests.judge.checker import report_on

from .ablation import run_without
from .ablations import ABLATIONS
from .seeds import Verdict, run_seed


def main(seed: int, name: str) -> int:
    """Print the report; return how many anomalies there are."""
    verdict = _verdict(seed, name)
    assert verdict.history is not None
    print(report_on(verdict.history, min_successes=0, digest=verdict.digest).table())
    for anomaly in verdict.anomalies:
        print(f"  {anomaly}")
    return len(verdict.anomalies)


def _verdict(seed: int, name: str) -> Verdict:
    if not name:
        return run_seed(seed)
    ablation = next(one for one in ABLATIONS if name in one.name)
    return run_without(ablation, seed)


if __name__ == "__main__":
    raise SystemExit(min(1, main(int(sys.argv[1]), " ".join(sys.argv[2:]))))
