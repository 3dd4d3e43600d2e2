"""`python -m tests.proof`: run the tiers, print and write the report, fail where a row has not passed."""

import argparse
import shutil
import sys
from pathlib import Path

from tests.proof.driver import TIERS, prove
from tests.proof.report import Proof
from tests.proof.rows import Size

ROOT = Path(__file__).resolve().parents[2]


def main(words: list[str] | None = None, directory: Path = ROOT) -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description="Prove the guarantees.")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.SMALL)
    parser.add_argument("--tier", type=int, choices=TIERS, action="append", help="repeatable; default: all")
    parser.add_argument("--seed", type=int, help="run this seed again; default: fresh ones")
    chosen = parser.parse_args(words)
    tiers = tuple(chosen.tier or TIERS)
    proof = Proof(chosen.size, chosen.seed, tiers)
    proof.rows.extend(prove(tiers, chosen.size, chosen.seed, _tell))
    proof.save(directory)
    if tiers == TIERS:
        shutil.copyfile(directory / "proof-report.md", directory / "docs" / "proof-report.md")
    print(proof.table())
    return 0 if proof.has_passed else 1


def _tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
