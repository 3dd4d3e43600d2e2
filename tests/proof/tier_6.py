"""Tier 6: a soak. A fault every 30 s under gentle load; memory and open files must stay, promises must hold.

One gateway and two workers live through all of it: their memory is followed. The others are also killed.
"""

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.harness.load import Shape
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.stack_databases import PostgresDatabases, postgres_databases
from tests.harness.topology import Topology
from tests.judge.checker import Report, report_on
from tests.processes.faults.campaign import Plan, describe, prepare, tracebacks
from tests.processes.faults.mishaps import KINDS, Scene, strand
from tests.processes.faults.soak import Growth
from tests.proof.driver import again, fresh
from tests.proof.rows import Row, Size
from tests.proof.tier_2 import problems

TIER: Final = 6
SECONDS: Final = {Size.SMALL: 180.0, Size.LONG: 7200.0}
FAULT_SECONDS: Final = 30.0
PERCENT_PER_HOUR: Final = 1.0
"""Growth of memory that a long run may show; a short one can't tell it from a warm-up."""
SHAPE: Final = Shape(pause_seconds=(0.4, 1.2))
SPARED: Final = ("gateway-0", "worker-0", "worker-1")


def run(size: Size, seed: int | None) -> list[Row]:
    """Run the soak of this seed, or of a fresh one."""
    chosen = fresh(seed)
    directory = Path(tempfile.mkdtemp(prefix="roomlog-soak-"))
    began = time.monotonic()
    with postgres_databases() as databases:
        report, growth = asyncio.run(_soak(Plan(seed=chosen, seconds=SECONDS[size]), databases, directory))
    row = _row(size, report, growth, time.monotonic() - began)
    if row.has_passed:
        shutil.rmtree(directory)
    else:
        report.save(directory / "report.json")
        print(f"  logs and report in {directory}", flush=True)
    return [row]


async def _soak(plan: Plan, databases: PostgresDatabases, directory: Path) -> tuple[Report, Growth]:
    topology = Topology(directory / "soak", databases)
    growth = Growth(topology.stack, SPARED)
    try:
        await topology.start()
        report = await _run(plan, topology, growth)
        found = tracebacks(topology.stack)
    finally:
        await topology.close()
    return replace(report, anomalies=[*report.anomalies, *found]), growth


async def _run(plan: Plan, topology: Topology, growth: Growth) -> Report:
    load = await prepare(topology, plan.seed, SHAPE)
    async with load, Watch(topology.stack, load):
        measuring = asyncio.create_task(growth.watch())
        await _disturb(plan, Scene(topology, load, random.Random(plan.seed), SPARED))
        measuring.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await measuring
        await strand(topology.stack, load, topology.gateways)
        await load.hush()
        await asyncio.to_thread(topology.redis.wait_done)
        rows = await load.rest(lambda: read_log(topology.stack))
        history = load.history(
            rows, [await read_epoch(topology.stack)], tables=await read_tables(topology.stack)
        )
    return await asyncio.to_thread(report_on, history)


async def _disturb(plan: Plan, scene: Scene) -> None:
    """Do one mishap every 30 s, until the time is over."""
    began = time.monotonic()
    end = began + plan.seconds
    due = began
    while time.monotonic() < end:
        due = max(due + FAULT_SECONDS, time.monotonic())
        await scene.dice.choice(KINDS)(scene)
        await asyncio.sleep(max(0.0, min(due, end) - time.monotonic()))


def _row(size: Size, report: Report, growth: Growth, seconds: float) -> Row:
    counts = report.operations
    return Row(
        TIER,
        f"soak of {SECONDS[size]:.0f} s, a fault every {FAULT_SECONDS:.0f} s",
        seconds,
        again(TIER, size, report.seed),
        success=counts["success"],
        error=counts["error"],
        unknown=counts["unknown"],
        faults=len(report.faults),
        anomalies=tuple(_anomalies(size, report, growth)),
        remarks=tuple(growth.sentence(name) for name in growth.names),
        timeline=tuple(describe(one.fault, report.began_at, one.in_flight) for one in report.faults),
    )


def _anomalies(size: Size, report: Report, growth: Growth) -> Iterator[str]:
    yield from problems(report)
    for name in growth.names:
        if grown := growth.files_grown(name):
            yield f"{name} keeps {grown} more files open than at its beginning"
        if size is Size.LONG and growth.percent_per_hour(name) >= PERCENT_PER_HOUR:
            yield f"{growth.sentence(name)}: {PERCENT_PER_HOUR:g} %/h are allowed"
