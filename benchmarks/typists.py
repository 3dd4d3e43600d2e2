"""`python -m benchmarks.typists`: what it costs a room when all in it type, and with `--reading` read.

One gateway, one worker, PostgreSQL, one room for each size. Rounds with and without typing take turns on the
same connections, which all watch the room; with it each member says so every 3 s, as our clients do. Readers
mark the room read up to its head every 3 s, too. Messages are sent as fast as they are answered, 50 at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvloop

from benchmarks.loads import ClosedLoop, Fleet
from benchmarks.processes import cpu_seconds
from benchmarks.systems import Roomlog, roomlog_alone
from benchmarks.tally import percentile
from benchmarks.wires import ROOMLOG, Member
from roomlog_contract.limits import TYPING_SECONDS

IN_FLIGHT: Final = 50
WARMUP_SECONDS: Final = 1.0
GOAL: Final = 0.9
"""The share of the rate without typing that must remain."""


BEYOND_THE_HEAD: Final = 2**52
"""As a mark: the head."""


class TypingFleet(Fleet):
    """A fleet that may type and read, and counts what it is told of typing."""

    told = 0

    def watch(self, room: str) -> None:
        """Have everybody look at the room."""
        for connection in self.connections:
            connection.send(_command("watch", rooms=[room]))

    @asynccontextmanager
    async def typing(self, room: str, *, is_reading: bool) -> AsyncIterator[None]:
        """Let everybody type meanwhile, one after the other in each 3 s; readers also mark the room read."""
        frames = [_command("typing", room=room)]
        if is_reading:
            frames.append(_command("mark_read", room=room, seq=BEYOND_THE_HEAD))
        task = asyncio.create_task(self._send_in_turn(frames))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _send_in_turn(self, frames: list[bytes]) -> None:
        due = time.perf_counter()
        while True:
            for connection in self.connections:
                for frame in frames:
                    connection.send(frame)
                due += TYPING_SECONDS / len(self.connections)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def _receive(self, index: int, buffer: bytes, start: int, end: int) -> None:
        if buffer.find(b'"room_typing"', start, min(end, start + 40)) >= 0:
            self.told += 1
        else:
            super()._receive(index, buffer, start, end)


def _command(action: str, **keys: object) -> bytes:
    return json.dumps({"uuid": action, "action": action, **keys}).encode()


async def measure(
    system: Roomlog, room: list[Member], rounds: int, seconds: float, *, is_reading: bool
) -> None:
    """Print the rates of one room, round by round and in the median."""
    fleet = TypingFleet(ROOMLOG, system.address(), [room])
    await fleet.open()
    fleet.watch(room[0]["room"])
    habit = "typing and reading" if is_reading else "typing"
    rates: dict[bool, list[float]] = {False: [], True: []}
    pids = system.pids() | {"valkey": system.valkey_pid()}
    cpus: dict[bool, list[float]] = {False: [], True: []}
    print(f"room of {len(room)}: messages a second, p99 of the answer in ms, server CPU in µs a message")
    for number in range(2 * rounds):
        is_typing = number % 4 in (1, 2)  # neither of the two is always the later
        rate, p99, told, cpu = await _round(
            fleet, pids, room[0]["room"], is_typing, seconds, is_reading=is_reading
        )
        rates[is_typing].append(rate)
        cpus[is_typing].append(cpu)
        words = f"with {habit} ({told:.0f} frames told/s)" if is_typing else "without"
        print(f"  {rate:7.0f} {p99:7.0f} {cpu:7.0f}  {words}", flush=True)
    fleet.close()
    without, with_typing = (statistics.median(rates[is_typing]) for is_typing in (False, True))
    share = with_typing / without
    verdict = "reached" if share >= GOAL else "NOT REACHED"
    print(f"  medians {without:.0f} without, {with_typing:.0f} with: {share:.0%}; goal {GOAL:.0%} {verdict}")
    least, most = (statistics.median(cpus[is_typing]) for is_typing in (False, True))
    print(f"  medians of the CPU {least:.0f} µs without, {most:.0f} with: by it {least / most:.0%}")


async def _round(
    fleet: TypingFleet, pids: dict[str, int], room: str, is_typing: bool, seconds: float, *, is_reading: bool
) -> tuple[float, float, float, float]:
    fleet.begin()
    marks: list[tuple[float, int, int, float]] = []

    def mark() -> None:
        cpu = sum(cpu_seconds(pids).values())
        marks.append((time.perf_counter(), fleet.tally.accepted, fleet.told, cpu))

    load = ClosedLoop(fleet, IN_FLIGHT)
    if is_typing:
        async with fleet.typing(room, is_reading=is_reading):
            await load.run(WARMUP_SECONDS, seconds, mark)
    else:
        await load.run(WARMUP_SECONDS, seconds, mark)
    (since, accepted_before, told_before, cpu_before), (until, accepted, told, cpu) = marks
    p99 = percentile(fleet.tally.answer_milliseconds(since, until), 0.99) or 0.0
    number, elapsed = accepted - accepted_before, until - since
    return number / elapsed, p99, (told - told_before) / elapsed, (cpu - cpu_before) / number * 1e6


def main() -> None:
    """Read the arguments, measure each size, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.typists")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--members", type=int, nargs="+", default=[500, 200])
    parser.add_argument("--reading", action="store_true", help="everybody reads, too")
    arguments = parser.parse_args()
    with roomlog_alone("typists") as system:
        for room in system.rooms(arguments.members):
            facts = arguments.rounds, arguments.seconds
            uvloop.run(measure(system, room, *facts, is_reading=arguments.reading))
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
