"""`make bench`: measure Roomlog and its peers in interleaved rounds and print what came out.

The whole server side of each system (its processes, Valkey, PostgreSQL) runs on one core and the generator on
another, so that accepted messages a second are messages a second and core. The raw results go to
`.roomlog/bench.json`, the tables to standard output, progress to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.measures import QUICK, Sizes, measure
from benchmarks.systems import NAMES, PEERS_PYTHON, make_system, names_here
from roomlog_local.valkey import find_server
from tests.harness.postgres import HOW_TO_GET_IT, PostgresServer, find_binaries
from tests.harness.stack_databases import PostgresDatabases

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / ".roomlog" / "bench.json"


def main() -> None:
    """Read the arguments, measure, print."""
    arguments = parse()
    binaries = find_binaries()
    if binaries is None:
        sys.exit(HOW_TO_GET_IT)
    generator_cores = pin() if arguments.pin else []
    directory = Path(tempfile.mkdtemp(prefix="roomlog-bench-"))
    server = PostgresServer(binaries)
    started = time.time()
    try:
        server.start()
        rounds = measure_rounds(arguments, directory, server, generator_cores)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    machine = describe_machine(binaries, bool(generator_cores))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(
        json.dumps({"machine": machine, "started": started, "rounds": rounds}, indent=1)
    )
    print(f"{machine}\n\n{report.table(rounds)}\n\n{report.levels_table(rounds)}")


def parse() -> argparse.Namespace:
    """Return the command line's wishes."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 3, with --quick 1)")
    parser.add_argument("--quick", action="store_true", help="short rounds: a check, not a measurement")
    parser.add_argument("--systems", nargs="+", choices=NAMES, default=names_here())
    parser.add_argument("--seconds", type=float, help="measured seconds of each level")
    parser.add_argument(
        "--no-pin", dest="pin", action="store_false", help="let the system place all processes"
    )
    parser.add_argument(
        "--peers-python", type=Path, default=PEERS_PYTHON, help="interpreter with the peers' packages"
    )
    parser.add_argument("--output", type=Path, default=OUTPUT)
    return parser.parse_args()


def measure_rounds(
    arguments: argparse.Namespace, directory: Path, server: PostgresServer, cores: Sequence[int]
) -> dict[str, list[dict[str, Any]]]:
    """Measure each system once a round, one after the other, each freshly started."""
    sizes = sizes_of(arguments)
    databases = PostgresDatabases(server)
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in arguments.systems}
    assert server.child.pid is not None
    for number in range(arguments.rounds or (1 if arguments.quick else 3)):
        for name in arguments.systems:
            print(f"round {number + 1}: {name}", file=sys.stderr, flush=True)
            system = make_system(name, directory / f"{name}-{number}", databases, arguments.peers_python)
            try:
                system.start()
                rounds[name].append(measure(system, server.child.pid, sizes, cores))
            finally:
                system.stop()
    return rounds


def sizes_of(arguments: argparse.Namespace) -> Sizes:
    """Return the sizes that the arguments ask for."""
    sizes = QUICK if arguments.quick else Sizes()
    if arguments.seconds is None:
        return sizes
    return Sizes(**{**vars(sizes), "seconds": arguments.seconds})


def pin() -> list[int]:
    """Put this process and all that it will start on the first core; return the generator's cores.

    Nothing is pinned, and an empty list returned, where there is one core or no way to choose.
    """
    if not hasattr(os, "sched_setaffinity"):
        return []
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return []
    os.sched_setaffinity(0, {first})
    return others[:1]


def describe_machine(binaries: Path, is_pinned: bool) -> str:
    """Return one line about what the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].split(":", 1)[1].strip() if names else model
    postgres = _version([str(binaries / "postgres"), "--version"])
    valkey = _version([find_server(), "--version"])
    load = os.getloadavg()[0]
    placing = "server side on one core, generator on another" if is_pinned else "processes not pinned"
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {postgres}, {valkey}; {placing}; load {load:.1f} at the end."
    )


def _version(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return " ".join(done.stdout.split()[:3])


if __name__ == "__main__":
    main()
