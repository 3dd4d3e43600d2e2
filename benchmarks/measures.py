"""The measurements of one round of one system, in a fixed order on a fresh start of it.

Idle connections first, while the processes are young; then the steady rate; then as fast as it goes in
rooms of 10 and in one room of 500, each at several numbers of unanswered messages, of which the best
counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.generator import Plan
from benchmarks.generator_process import GeneratorProcess
from benchmarks.processes import cpu_seconds, resident_bytes
from benchmarks.systems import System
from benchmarks.wires import Member

SETTLE_SECONDS = 1.0
"""Between connecting and reading the memory: what the opening left behind is freed by then."""

Result = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    seconds: float = 4.0
    warmup_seconds: float = 1.0
    small_rooms: int = 60
    small_room_members: int = 10
    small_levels: tuple[int, ...] = (20, 120, 600)
    large_room_members: int = 500
    large_levels: tuple[int, ...] = (5, 50, 250)
    steady_rooms: int = 20
    steady_per_second: int = 100
    steady_seconds: float = 10.0
    idle_connections: int = 1_000
    idle_warmup_connections: int = 50


QUICK = Sizes(
    seconds=1.5,
    warmup_seconds=0.5,
    small_levels=(20, 600),
    large_levels=(5, 100),
    steady_seconds=3.0,
)


def measure(system: System, postgres_pid: int, sizes: Sizes, cores: Sequence[int]) -> Result:
    """Measure one started system once; `cores` are the generator's."""
    bench = Bench(system, postgres_pid, cores)
    small = [sizes.small_room_members] * sizes.small_rooms
    return {
        "idle": bench.idle(sizes),
        "steady": bench.load(
            "open",
            system.rooms([sizes.small_room_members] * sizes.steady_rooms),
            [sizes.steady_per_second],
            (sizes.warmup_seconds, sizes.steady_seconds),
        ),
        "small": bench.load(
            "closed", system.rooms(small), sizes.small_levels, (sizes.warmup_seconds, sizes.seconds)
        ),
        "large": bench.load(
            "closed",
            system.rooms([sizes.large_room_members]),
            sizes.large_levels,
            (sizes.warmup_seconds, sizes.seconds),
        ),
    }


class Bench:
    """One system and the generators that are run against it."""

    def __init__(self, system: System, postgres_pid: int, cores: Sequence[int]) -> None:
        self.system = system
        self.cores = list(cores)
        self.pids = {
            **system.pids(),
            "valkey": system.valkey_pid(),
            "postgres": postgres_pid,
        }

    def idle(self, sizes: Sizes) -> Result:
        """Return the memory that each idle connection costs each part, in bytes."""
        self._connect(sizes.idle_warmup_connections, sizes.small_room_members)
        before = resident_bytes(self.pids)
        after = self._connect(sizes.idle_connections, sizes.small_room_members)
        grown = {name: (after[name] - before[name]) / sizes.idle_connections for name in before}
        return {"bytes_per_connection": grown, "before": before, "after": after}

    def load(
        self,
        load: Literal["closed", "open"],
        rooms: list[list[Member]],
        levels: Sequence[int],
        seconds: tuple[float, float],
        idle_seconds: float = 0.0,
    ) -> list[Result]:
        """Run one load at all its levels; return a result for each, with the CPU that each part used.

        With `idle_seconds` also with the cores that each part used for so long before, everybody connected.
        """
        results: list[Result] = []
        cpu: list[Mapping[str, float]] = []
        with GeneratorProcess(self._plan(load, rooms, levels, seconds)) as generator:
            idle = {"idle_cores": self._idle_cores(idle_seconds)} if idle_seconds else {}
            for line in generator.run():
                if line["state"] in ("measuring", "measured"):
                    cpu.append(cpu_seconds(self.pids))
                elif line["state"] == "result":
                    since, until = cpu[-2:]
                    used = {name: until[name] - since[name] for name in since}
                    results.append({**line, "cpu_seconds": used, **idle})
                elif line["state"] == "done" and line["closed"]:
                    results[-1]["closed"] = line["closed"]
        return results

    def _idle_cores(self, seconds: float) -> dict[str, float]:
        began, before = time.perf_counter(), cpu_seconds(self.pids)
        time.sleep(seconds)
        elapsed, after = time.perf_counter() - began, cpu_seconds(self.pids)
        return {name: (after[name] - before[name]) / elapsed for name in before}

    def _connect(self, connections: int, room_members: int) -> dict[str, int]:
        rooms = self.system.rooms([room_members] * (connections // room_members))
        with GeneratorProcess(self._plan("idle", rooms, [], (0.0, 0.0))) as generator:
            time.sleep(SETTLE_SECONDS)
            resident = resident_bytes(self.pids)
            closed = [line["closed"] for line in generator.run() if line["state"] == "done"]
        if closed != [{}]:
            raise RuntimeError(f"connections were lost while idle: {closed}")
        return resident

    def _plan(
        self,
        load: Literal["closed", "open", "idle"],
        rooms: list[list[Member]],
        levels: Sequence[int],
        seconds: tuple[float, float],
    ) -> Plan:
        return {
            "wire": self.system.wire,
            "address": self.system.address(),
            "rooms": rooms,
            "load": load,
            "levels": list(levels),
            "warmup_seconds": seconds[0],
            "seconds": seconds[1],
            "cores": self.cores,
        }
