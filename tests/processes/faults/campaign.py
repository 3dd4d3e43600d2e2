"""One history of tier 2: a topology, load, mishaps from a seed, rest, and the checker's verdict.

Around the message's way. The seed fixes who says what and what is broken, for how long; the machine fixes
the rest.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.harness.bringing import upload_rows
from tests.harness.load import REST_SECONDS, Load, Shape
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.stack import TRACEBACK, Stack
from tests.harness.stack_databases import PostgresDatabases
from tests.harness.topology import Topology
from tests.judge.checker import MIN_SUCCESSES, Anomaly, Report, report_on
from tests.judge.history import Fault, Row
from tests.processes.faults.mishaps import KINDS, Mishap, Scene, isolate, kill_gateway

PEOPLE: Final = 8
ROOMS: Final = 5
FILES: Final = 30
"""Of each person in each room."""
SHAPE: Final = Shape(pause_seconds=(0.02, 0.12))
CALM_SECONDS: Final = (0.3, 1.5)
"""Between two mishaps: sometimes the next comes before everything is mended."""
PATIENCE: Final = 4
"""So many times its length may a history take to have the successes that make it count."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done."""

    seed: int
    seconds: float
    kinds: Sequence[Mishap] = KINDS
    ablation: str = ""
    """The safeguard that is missing."""
    rest_seconds: float = REST_SECONDS
    min_successes: int = MIN_SUCCESSES
    """That make it count."""


async def run_history(plan: Plan, databases: PostgresDatabases, directory: Path) -> Report:
    """Run one history and judge it; the logs stay in `directory`."""
    topology = Topology(directory, databases, plan.ablation)
    try:
        await topology.start()
        report = await _run(plan, topology, directory)
        found = tracebacks(topology.stack)
    finally:
        late = await topology.close()
    found += [Anomaly("end", f"{name} did not stop when asked") for name in late]
    return replace(report, anomalies=[*report.anomalies, *found])


async def _run(plan: Plan, topology: Topology, directory: Path) -> Report:
    load = await prepare(topology, plan.seed)
    stuck: list[Anomaly] = []
    async with load, Watch(topology.stack, load):
        scene = Scene(topology, load, random.Random(plan.seed))
        assert topology.is_through_proxy(), "a process goes round its proxy"
        try:
            await _break(plan, scene)
            rows = await _calm(plan, scene)
        except (AssertionError, TimeoutError) as error:
            states = await asyncio.to_thread(topology.states)
            stuck.append(Anomaly("G9", f"{type(error).__name__} {str(error)[:500]}; {states}"))
            rows = await read_log(topology.stack)
        history = load.history(
            rows, [await read_epoch(topology.stack)], tables=await read_tables(topology.stack)
        )
    history.save(directory / "history.json")
    report = await asyncio.to_thread(
        report_on, history, min_successes=plan.min_successes, ablation=plan.ablation or "none"
    )
    return replace(report, anomalies=[*stuck, *report.anomalies])


async def _calm(plan: Plan, scene: Scene) -> list[Row]:
    """Let everything come to its end; the last words are said where one gateway can't hear them."""
    topology, load = scene.topology, scene.load
    await load.hush(plan.rest_seconds)
    await asyncio.to_thread(topology.redis.wait_done)
    isolated, spared = await asyncio.to_thread(_by_clients, topology)
    last_words = load.say_last(topology.stack.websocket(topology.gateways.index(spared)))
    await isolate(scene, isolated, last_words)
    return await load.rest(lambda: read_log(topology.stack), plan.rest_seconds)


def _by_clients(topology: Topology) -> list[str]:
    """Return the gateways, the one with the most clients first: after a restart one may have none."""
    counts = {
        name: topology.stack.metrics(name).total("roomlog_gateway_connections") for name in topology.gateways
    }
    return sorted(counts, key=lambda name: -counts[name])


async def prepare(topology: Topology, seed: int, shape: Shape = SHAPE) -> Load:
    """Return a load with some of the people in every room."""
    stack = topology.stack
    people = await asyncio.to_thread(stack.make_users, PEOPLE)
    members = [[person for index, person in enumerate(people) if (index + room) % 3] for room in range(ROOMS)]
    rooms = await asyncio.to_thread(stack.make_rooms, members)
    files = await asyncio.to_thread(upload_rows, stack, rooms, FILES)
    tokens = await asyncio.to_thread(stack.invite, rooms)
    return Load(topology.websockets(), people, rooms, seed=seed, shape=shape, files=files, invitations=tokens)


async def _break(plan: Plan, scene: Scene) -> None:
    """Do mishaps until the time is over and the history counts, but not for ever."""
    began = time.monotonic()
    mishap = plan.kinds[plan.seed % len(plan.kinds)]
    await scene.load.succeed(20)
    while True:
        await mishap(scene)
        await asyncio.sleep(scene.dice.uniform(*CALM_SECONDS))
        seconds = time.monotonic() - began
        journal = scene.load.journal
        counts = journal.successes() >= plan.min_successes and journal.has_unknown()
        if seconds > plan.seconds and (counts or seconds > PATIENCE * plan.seconds):
            return
        # A gateway's death leaves its senders without an answer more surely than anything else.
        mishap = kill_gateway if seconds > plan.seconds else scene.dice.choice(plan.kinds)


def tracebacks(stack: Stack) -> list[Anomaly]:
    """Return the first traceback of each log: under faults everything that goes wrong is expected."""
    found = []
    for name, text in stack.logs().items():
        if (place := text.find(TRACEBACK)) >= 0:
            found.append(Anomaly("log", f"{name} wrote a traceback: {text[place : place + 3000]}"))
    return found


def describe(fault: Fault, began_at: float, in_flight: int) -> str:
    """Return one line of a report's timeline."""
    times = f"{fault.started_at - began_at:.1f} to {fault.ended_at - began_at:.1f} s"
    return f"{fault.name} {fault.target} at {times}, {in_flight} in flight"
