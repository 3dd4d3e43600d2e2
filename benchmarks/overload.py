"""`python -m benchmarks.overload`: what becomes of messages when more are sent than can be taken.

One gateway, one worker and PostgreSQL on one core, the generator on another. First the rate is measured at
which messages are answered when 600 are unanswered at once; then shares of it are offered at a steady rate,
with everything that is refused dropped. How late the generator sent stands beside: on a loaded machine that
spoils what is measured. With `--cluster` Redis is a Cluster of three primaries with a replica each, on the
same core; `--shares` without a number measures saturation alone.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvloop

from benchmarks.loads import ClosedLoop, Fleet, OpenLoop
from benchmarks.processes import cpu_seconds
from benchmarks.run import pin
from benchmarks.systems import Roomlog, roomlog_alone
from benchmarks.tally import Number, percentile
from benchmarks.wires import ROOMLOG
from tests.harness.redis_cluster import RedisCluster

IN_FLIGHT: Final = 600
WARMUP_SECONDS: Final = 2.0
GOAL_MS: Final = 500
"""What is accepted should be answered within it, in 99 of 100 cases."""


class RefusingFleet(Fleet):
    """A fleet that sends nothing twice, and notes how soon it was refused."""

    def begin(self) -> None:
        """Start counting afresh."""
        super().begin()
        self.refused_at: dict[Number, float] = {}
        self.told_ms: list[float] = []
        self.late_ms: list[float] = []

    def send(self, sender: int, room: int, sent_at: float) -> Number:
        """Send a new message and note how late; `sent_at` is when it was due."""
        self.late_ms.append((time.perf_counter() - sent_at) * 1000)
        return super().send(sender, room, sent_at)

    def _refused(self, number: Number, answer: dict[str, object]) -> None:
        self.errors[str(answer.get("error_code", "error"))] += 1
        self.refused_at.setdefault(number, time.perf_counter())
        retry_ms = answer.get("retry_after_ms")
        if isinstance(retry_ms, (int, float)):
            self.told_ms.append(retry_ms)


async def measure(system: Roomlog, cluster: RedisCluster | None, arguments: argparse.Namespace) -> None:
    """Print the saturation, what a message costs there, and what came of each share of it."""
    pids = system.pids() | (cluster.pids if cluster is not None else {"valkey": system.valkey_pid()})
    fleet = RefusingFleet(ROOMLOG, system.address(), system.rooms([10] * arguments.rooms))
    await fleet.open()
    print(
        "offered/s  accepted/s  p50 ms  p99 ms  refused: share  p99 ms  retry after ms  lost  late p99 ms",
    )
    for number in range(arguments.rounds):
        used = cpu_seconds(pids)
        window = await load(fleet, ClosedLoop(fleet, IN_FLIGHT), arguments.seconds)
        saturation = report(fleet, window, f"{IN_FLIGHT} in flight", None)
        accepted, costs = sum(map(bool, fleet.tally.accepted_at)), defaultdict[str, float](float)
        for name, now in cpu_seconds(pids).items():
            costs[name.partition("-")[0]] += 1000 * (now - used[name]) / accepted
        print("CPU ms a message:", ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items()))
        for share in arguments.shares:
            window = await load(fleet, OpenLoop(fleet, saturation * share / 100), arguments.seconds)
            report(fleet, window, f"{share} %, round {number + 1}", saturation)
    for reason, lost in fleet.closed.items():
        print(f"{lost} connections closed: {reason}")
    fleet.close()


async def load(fleet: Fleet, loop: ClosedLoop | OpenLoop, seconds: float) -> list[float]:
    """Load the system; return when the measured part began and ended."""
    window: list[float] = []
    fleet.begin()
    await loop.run(WARMUP_SECONDS, seconds, lambda: window.append(time.perf_counter()))
    return window


def report(fleet: RefusingFleet, window: list[float], name: str, saturation: float | None) -> float:
    """Print what came of one load, and return its accepted messages a second."""
    since, until = window
    tally = fleet.tally
    sent = sum(since <= at < until for at in tally.sent_at)
    accepted = sum(since <= at < until for at in tally.accepted_at if at) / (until - since)
    answers = tally.answer_milliseconds(since, until)
    refused = sorted(
        (at - tally.sent_at[number]) * 1000
        for number, at in fleet.refused_at.items()
        if since <= tally.sent_at[number] < until
    )
    p50, p99 = (percentile(answers, share) or 0.0 for share in (0.5, 0.99))
    told = sorted(fleet.told_ms)
    words = [
        f"{sent / (until - since):9.0f}",
        f"{accepted:10.0f}",
        f"{p50:6.0f}",
        f"{p99:6.0f}",
        f"{len(refused) / max(1, sent):14.0%}",
        f"{percentile(refused, 0.99) or 0.0:6.0f}",
        f"{percentile(told, 0.05) or 0:5.0f} to {percentile(told, 0.95) or 0:5.0f}",
        f"{tally.losses().lost:4}",
        f"{percentile(sorted(fleet.late_ms), 0.99) or 0.0:11.0f}",
    ]
    verdict = ""
    if saturation is not None:
        verdict = f"; {accepted / saturation:.0%} of saturation; {dict(fleet.errors)}"
        verdict += "" if p99 <= GOAL_MS else f"; p99 OVER {GOAL_MS} ms"
    print("  ".join(words) + f"  {name}{verdict}", flush=True)
    return accepted


@contextmanager
def a_cluster(is_wanted: bool) -> Iterator[RedisCluster | None]:
    """Run a Redis Cluster, if it is wanted."""
    if not is_wanted:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="roomlog-cluster-") as directory:
        cluster = RedisCluster(Path(directory))
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.overload")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument(
        "--rooms", type=int, default=200, help="of 10, so that nobody meets a limit of its own"
    )
    parser.add_argument("--cluster", action="store_true", help="on a Redis Cluster of six nodes")
    parser.add_argument("--shares", type=int, nargs="*", default=[90, 150, 300], help="percent of saturation")
    arguments = parser.parse_args()
    generator_cores = pin()
    with (
        a_cluster(arguments.cluster) as cluster,
        roomlog_alone("overload", cluster.url() if cluster is not None else "") as system,
    ):
        if generator_cores:
            os.sched_setaffinity(0, generator_cores)
        gc.disable()  # a collection over a million numbers stands still for longer than what is measured
        uvloop.run(measure(system, cluster, arguments))
    placed = "the servers on one, the generator on another" if generator_cores else "nothing pinned"
    print(f"{os.cpu_count()} cores, {placed}; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
