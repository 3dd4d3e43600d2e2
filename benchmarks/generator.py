"""The load generator: one process that connects everybody to one system and loads it.

The same program for every system. It reads a plan (one JSON line) from standard input and prints a JSON
line at each turn: `connected`, then per level of the load `measuring` and `measured` at the two ends of the
measured window, and `result`; at last `done`. After `connected` it waits for a line, so that the runner can
read the servers' memory. Its own CPU share is in each result. It never starts or inspects a server.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from typing import Any, Literal, TypedDict

import uvloop

from benchmarks.loads import ClosedLoop, Fleet, OpenLoop
from benchmarks.tally import percentile
from benchmarks.wires import WIRES, Member


class Plan(TypedDict):
    """What a generator is told."""

    wire: str
    address: str
    rooms: list[list[Member]]
    load: Literal["closed", "open", "idle"]
    levels: list[int]
    """Unanswered messages (closed) or messages a second (open), one level after the other."""
    warmup_seconds: float
    seconds: float
    cores: list[int]
    """Where to run; empty: anywhere."""


class Window:
    """Clock, CPU and counts at the two ends of the measured window."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.marks: list[tuple[float, float, int, int]] = []

    def mark(self) -> None:
        """Note one end, and tell the runner."""
        tally = self.fleet.tally
        say("measured" if self.marks else "measuring")
        self.marks.append((time.perf_counter(), time.process_time(), tally.accepted, tally.delivered))

    @property
    def ends(self) -> tuple[float, float]:
        """When the window began and ended."""
        return self.marks[0][0], self.marks[1][0]

    def rates(self) -> dict[str, float]:
        """Return what happened per second between the two ends."""
        (since, cpu_since, accepted_since, delivered_since), (until, cpu, accepted, delivered) = self.marks
        seconds = until - since
        return {
            "seconds": seconds,
            "accepted_in_window": accepted - accepted_since,
            "accepted_per_second": (accepted - accepted_since) / seconds,
            "delivered_per_second": (delivered - delivered_since) / seconds,
            "generator_cpu_share": (cpu - cpu_since) / seconds,
        }


async def run(plan: Plan) -> None:
    """Run one plan."""
    fleet = Fleet(WIRES[plan["wire"]], plan["address"], plan["rooms"])
    await fleet.open()
    say("connected")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for level in plan["levels"]:
        fleet.begin()
        window = Window(fleet)
        load = ClosedLoop(fleet, level) if plan["load"] == "closed" else OpenLoop(fleet, level)
        await load.run(plan["warmup_seconds"], plan["seconds"], window.mark)
        say("result", level=level, **report(fleet, window))
    say("done", closed=dict(fleet.closed))
    fleet.close()


def report(fleet: Fleet, window: Window) -> dict[str, Any]:
    """Put the figures of one finished level together."""
    answers = fleet.tally.answer_milliseconds(*window.ends)
    lasts = fleet.tally.last_recipient_milliseconds(*window.ends)
    losses = fleet.tally.losses()
    return window.rates() | {
        "errors": dict(fleet.errors),
        "sent": len(fleet.tally.sent_at),
        "accepted": fleet.tally.accepted,
        "lost": losses.lost,
        "doubled": losses.doubled,
        "unanswered": losses.unanswered,
        "answer_p50_ms": percentile(answers, 0.5),
        "answer_p99_ms": percentile(answers, 0.99),
        "last_p50_ms": percentile(lasts, 0.5),
        "last_p99_ms": percentile(lasts, 0.99),
    }


def say(state: str, **facts: Any) -> None:
    """Print one line for the runner."""
    print(json.dumps({"state": state, **facts}), flush=True)


def main() -> None:
    """Read the plan and run it."""
    plan: Plan = json.loads(sys.stdin.readline())
    if plan["cores"]:
        os.sched_setaffinity(0, plan["cores"])
    gc.disable()  # a collection over a million numbers would stand still for longer than what is measured
    uvloop.run(run(plan))


if __name__ == "__main__":
    main()
