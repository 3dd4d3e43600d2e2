"""Tier 2: real processes, PostgreSQL, Redis with Sentinels or as a Cluster; histories from seeds, ablations.

Every history must count: enough successes, an unknown outcome, work in flight under a fault. One that does
not is as bad as one with an anomaly.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tests.harness.stack_databases import PARTITIONS, PostgresDatabases, postgres_databases
from tests.judge.checker import Report
from tests.processes.faults.campaign import Plan, describe, run_history
from tests.processes.faults.clustered import run_clustered
from tests.processes.faults.healing import Healing, healings, in_turn
from tests.processes.faults.mishaps import Mishap, flush, kill_worker, partition, reset
from tests.processes.faults.pooled import pooled_healings, run_pooled
from tests.processes.faults.replicated import replica_healings, while_looking_back
from tests.proof.driver import again, fresh
from tests.proof.rows import Row, Size

TIER: Final = 2
HISTORIES: Final = {Size.SMALL: (16, 25.0), Size.LONG: (240, 60.0)}
"""How many, and for how long each is disturbed."""
CLUSTERED: Final = {Size.SMALL: (1, 10.0), Size.LONG: (24, 60.0)}
"""The same of histories on a Redis Cluster."""
LANES: Final = 2
"""Histories at a time: one alone keeps two thirds of a core busy."""
PARTITIONED: Final = 4
"""Each so-many-th seed's log is in partitions."""
SHOWN: Final = 10
"""Anomalies of one history that are named."""
HEALING_SUCCESSES: Final = 100
"""Fewest successes of a healing history, which waits for service after each fault."""
ABLATION_SECONDS: Final = 10.0
ABLATION_REST_SECONDS: Final = 10.0
ABLATION_TRIES: Final = 6
"""Rechecks find heads too: the one after a lost link is removed with the poll, that of each minute isn't."""
PROMISES: Final = ("I", "G")
"""What the name of a broken promise begins with; other findings are no catch."""


@dataclass(frozen=True)
class Ablation:
    """A safeguard that is taken out, and what should then do harm."""

    safeguard: str
    kinds: tuple[Mishap, ...]


ABLATIONS: Final = (
    Ablation("answer after commit", (kill_worker,)),
    Ablation("heads poll", (flush,)),
    Ablation("gap fetch", (reset, partition)),
)


def run(size: Size, seed: int | None) -> list[Row]:
    """Run the histories and the ablations; with a seed the one history of that seed, and the ablations."""
    count, seconds = (1, HISTORIES[size][1]) if seed is not None else HISTORIES[size]
    first = fresh(seed)
    clustered = range(first, first + (1 if seed is not None else CLUSTERED[size][0]))
    with postgres_databases() as databases, ThreadPoolExecutor(LANES) as lanes:
        runner = Runner(databases, PostgresDatabases(databases.server, PARTITIONS), size)
        others = [lanes.submit(one, runner, first) for one in (heal, heal_pooled, heal_replicated)]
        others += [lanes.submit(run_on_cluster, runner, one) for one in clustered]
        others += [lanes.submit(_ablation, runner, ablation, first) for ablation in ABLATIONS]
        rows = _histories(runner, lanes, range(first, first + count), seconds)
        return rows + [other.result() for other in others]


Begin = Callable[[Path], Coroutine[Any, Any, Report]]
"""Runs a history whose logs go to a folder."""


@dataclass(frozen=True)
class Runner:
    databases: PostgresDatabases
    partitioned: PostgresDatabases
    size: Size

    def run(self, plan: Plan) -> Report:
        """Run one history."""

        def begin(directory: Path) -> Coroutine[Any, Any, Report]:
            databases = self.databases if plan.seed % PARTITIONED else self.partitioned
            return run_history(plan, databases, directory)

        return self.judge(plan.seed, begin, plan.ablation)

    def judge(self, seed: int, begin: Begin, ablation: str = "") -> Report:
        """Run a history in a folder that is kept where something was found that should not be."""
        directory = Path(tempfile.mkdtemp(prefix=f"roomlog-{seed}-"))
        report = asyncio.run(begin(directory / "history"))
        report.save(directory / "report.json")
        is_kept = not (report.is_good or ablation)
        verdict = f"NOT good, see {directory}" if is_kept else "done" if ablation else "good"
        if not is_kept:
            shutil.rmtree(directory)
        without = f" without {ablation}" if ablation else ""
        print(f"  seed {seed}{without}: {_summary(report)}; {verdict}", flush=True)
        return report


def _histories(runner: Runner, lanes: Executor, seeds: range, seconds: float) -> list[Row]:
    """Return one row for all good histories, and one for each other."""
    began = time.monotonic()
    good, bad = [], []
    plans = [Plan(seed=seed, seconds=seconds) for seed in seeds]
    reports = list(lanes.map(runner.run, plans))
    for seed, report in zip(seeds, reports, strict=True):
        if report.is_good:
            good.append(report)
        else:
            bad.append(_row(runner, f"history of seed {seed}", [report], report.seconds, seed))
    what = f"{len(good)} of {len(seeds)} histories of {seconds:.0f} s"
    first = seeds[0] if len(seeds) == 1 else None
    return [*([_row(runner, what, good, time.monotonic() - began, first)] if good else []), *bad]


def heal(runner: Runner, seed: int) -> Row:
    """Return the row of a history in which these faults are all that is broken, one after the other."""
    several = healings()
    plan = Plan(seed=seed, seconds=0.0, kinds=(in_turn(several),), min_successes=HEALING_SUCCESSES)
    return _healed(runner, several, seed, lambda: runner.run(plan))


def heal_pooled(runner: Runner, seed: int) -> Row:
    """Return the row of the same behind a pooler, on a server of its own: it is restarted."""
    several = pooled_healings()

    def run() -> Report:
        with postgres_databases() as own:
            return runner.judge(seed, lambda directory: run_pooled(several, seed, own, directory))

    return _healed(runner, several, seed, run)


def heal_replicated(runner: Runner, seed: int) -> Row:
    """Return the row of a history in which a replica answers what it can, and is broken."""
    several = replica_healings()
    kinds = (while_looking_back(several),)
    plan = Plan(seed=seed, seconds=0.0, kinds=kinds, min_successes=HEALING_SUCCESSES)

    def run() -> Report:
        with runner.databases.replicated() as both:
            return runner.judge(seed, lambda directory: run_history(plan, both, directory))

    return _healed(runner, several, seed, run)


def run_on_cluster(runner: Runner, seed: int) -> Row:
    """Return the row of a history on a Redis Cluster."""
    began, seconds = time.monotonic(), CLUSTERED[runner.size][1]
    report = runner.judge(seed, lambda directory: run_clustered(seed, seconds, runner.databases, directory))
    what = f"a history of {seconds:.0f} s on a Redis Cluster"
    return _row(runner, what, [report], time.monotonic() - began, seed)


def _healed(runner: Runner, several: Sequence[Healing[Any]], seed: int, run: Callable[[], Report]) -> Row:
    began = time.monotonic()
    report = run()
    what = f"{len(several)} faults that heal: {', '.join(f'{one.target} {one.what}' for one in several)}"
    row = _row(runner, what, [report], time.monotonic() - began, seed)
    times = [
        f"{one.target} {one.what}: {', '.join(one.times) or 'never'} after the mending" for one in several
    ]
    print(*(f"  {line}" for line in times), sep="\n", flush=True)
    return replace(row, remarks=(*row.remarks, *times))


def _row(runner: Runner, what: str, reports: list[Report], seconds: float, seed: int | None) -> Row:
    def total(outcome: str) -> int:
        return sum(report.operations[outcome] for report in reports)

    return Row(
        TIER,
        what,
        seconds,
        again(TIER, runner.size, seed),
        success=total("success"),
        error=total("error"),
        unknown=total("unknown"),
        cases=len(reports),
        faults=sum(len(report.faults) for report in reports),
        anomalies=tuple(problem for report in reports for problem in problems(report)),
        remarks=tuple(f"seed {report.seed}: {_summary(report)}" for report in reports),
        timeline=tuple(line for report in reports for line in _timeline(report)),
    )


def _ablation(runner: Runner, ablation: Ablation, first: int) -> Row:
    began = time.monotonic()
    caught = ""
    for seed in range(first, first + ABLATION_TRIES):
        plan = Plan(
            seed=seed,
            seconds=ABLATION_SECONDS,
            kinds=ablation.kinds,
            ablation=ablation.safeguard,
            rest_seconds=ABLATION_REST_SECONDS,
        )
        report = runner.run(plan)
        found = [anomaly for anomaly in report.anomalies if anomaly.invariant.startswith(PROMISES)]
        # Where nothing succeeds, something else is broken than the safeguard.
        if found and report.operations["success"]:
            caught = f"seed {seed}: {', '.join(sorted({one.invariant for one in found}))}"
            break
    what = f"without {ablation.safeguard}"
    seconds = time.monotonic() - began
    return Row(TIER, what, seconds, again(TIER, runner.size, first), caught_by=caught, is_ablation=True)


def problems(report: Report) -> Iterator[str]:
    """Yield why a history is no evidence, and what it shows; the report holds all of it."""
    for reason in report.does_not_count:
        yield f"does not count: {reason}"
    for anomaly in report.anomalies[:SHOWN]:
        yield f"{anomaly.invariant} {anomaly.what}"
    if len(report.anomalies) > SHOWN:
        yield f"and {len(report.anomalies) - SHOWN} more"


def _summary(report: Report) -> str:
    counts = "/".join(str(report.operations[name]) for name in ("success", "error", "unknown"))
    hit = sum(fault.in_flight for fault in report.faults)
    return f"{counts}, {len(report.faults)} faults hit {hit} in flight, {len(report.anomalies)} anomalies"


def _timeline(report: Report) -> Iterator[str]:
    for fault in report.faults:
        yield f"seed {report.seed}: {describe(fault.fault, report.began_at, fault.in_flight)}"
