"""`python -m benchmarks.shard_costs`: what silence costs an install, by its number of shards.

One worker that owns all of them and a gateway, on PostgreSQL; nothing is pinned. Each number of shards has an
install of its own, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.processes import cpu_seconds
from benchmarks.systems import postgres_server
from roomlog_contract.shards import SHARD_NUMBERS
from tests.harness.postgres import PostgresServer
from tests.harness.stack import Stack, build_stack
from tests.harness.stack_databases import PostgresDatabases
from tests.harness.waiting import wait_until

NUMBERS: Final = (64, 256, 1024)
SETTLE_SECONDS: Final = 5.0
OWNING_SECONDS: Final = 30.0
GOAL: Final = 0.05
"""Cores that an idle worker may take of 1,024 shards."""
OUTPUT: Final = Path(".roomlog/shards.json")
PARTS: Final = ("worker-0", "gateway-0", "postgres", "valkey")


def measure(stack: Stack, server: PostgresServer, shards: int, seconds: float) -> dict[str, float]:
    """Return the cores that each process takes, as the mean of so many seconds."""
    pids = {name: stack.child(name).pid for name in stack.names} | {"postgres": server.child.pid}
    running = {name: pid for name, pid in pids.items() if pid is not None}

    def owned() -> float:
        return stack.metrics("worker-0").total("roomlog_worker_shard_owned")

    wait_until(lambda: owned() == shards, OWNING_SECONDS, "the worker owns all shards")
    time.sleep(SETTLE_SECONDS)
    began, before = time.perf_counter(), cpu_seconds(running)
    time.sleep(seconds)
    elapsed, after = time.perf_counter() - began, cpu_seconds(running)
    return {name: (after[name] - before[name]) / elapsed for name in PARTS}


def measured(directory: Path, shards: int, seconds: float) -> dict[str, float]:
    """Run an install of so many shards on a server of its own, and measure it."""
    with postgres_server() as server:
        stack = build_stack(directory / str(shards), PostgresDatabases(server), shards=shards)
        try:
            stack.start()
            return measure(stack, server, shards, seconds)
        finally:
            stack.close()


def main() -> None:
    """Read the arguments, measure, print a Markdown table."""
    parser = argparse.ArgumentParser(prog="benchmarks.shard_costs")
    parser.add_argument("--shards", type=int, nargs="+", choices=SHARD_NUMBERS, default=NUMBERS)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    arguments = parser.parse_args()
    uses: dict[int, dict[str, float]] = {}
    print("| shards | " + " | ".join(name.removesuffix("-0") for name in PARTS) + " |")
    print("|---" * (len(PARTS) + 1) + "|", flush=True)
    with tempfile.TemporaryDirectory(prefix="roomlog-shards-") as directory:
        for shards in arguments.shards:
            uses[shards] = measured(Path(directory), shards, arguments.seconds)
            cells = " | ".join(f"{cores:.1%}" for cores in uses[shards].values())
            print(f"| {shards:,} | {cells} |", flush=True)
    most = max(uses)
    verdict = "reached" if uses[most]["worker-0"] < GOAL else "NOT REACHED"
    print(f"a worker of {most:,} shards: {uses[most]['worker-0']:.1%} of a core; goal {GOAL:.0%} {verdict}")
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(uses, indent=2))


if __name__ == "__main__":
    main()
