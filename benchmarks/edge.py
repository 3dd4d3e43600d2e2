"""`python -m benchmarks.edge`: a room of 500 at the edge of what fan-out can carry, and past it.

One gateway, one worker and PostgreSQL on one core, the generator on another. Levels of unanswered messages
take turns, round by round. A connection that is told `sync_required` asks for what it missed, as clients do;
the copies that it gets so came by catch-up.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import statistics
from typing import Final

import uvloop

from benchmarks.loads import ClosedLoop, Fleet
from benchmarks.overload import load
from benchmarks.run import pin
from benchmarks.systems import Roomlog, roomlog_alone
from benchmarks.tally import percentile
from benchmarks.wires import ROOMLOG, Member

SPREAD_GOAL: Final = 0.2
"""The rounds of a level should lie within it, from the smallest to the largest."""
CATCH_UP_GOAL: Final = 0.01
"""Of all copies, fewer should come by catch-up."""
_SYNC: Final = b'{"action":"sync_required"'
_PAGE: Final = b'{"action":"select_room"'
_REFUSED: Final = b'{"uuid":"resume"'


class ResumingFleet(Fleet):
    """A fleet in one room whose connections resume when they are told to, and count what they get so."""

    _epoch = ""
    _head = 0
    """The highest seq that anybody was told."""

    def begin(self) -> None:
        """Start counting afresh; all have what was accepted before."""
        super().begin()
        self.caught_up = 0
        self._first = self._head
        self._seqs: dict[int, int] = {}
        """Of each accepted message, by its number."""

    def _receive(self, index: int, buffer: bytes, start: int, end: int) -> None:
        if buffer.startswith(_SYNC, start):
            self._resume(index, self._last_seq(index))
        elif buffer.startswith(_PAGE, start):
            self._take_page(index, json.loads(buffer[start:end]))
        elif buffer.startswith(_REFUSED, start):
            delay = json.loads(buffer[start:end]).get("retry_after_ms", 0) / 1000
            asyncio.get_running_loop().call_later(delay, self._resume, index, self._last_seq(index))
        else:
            accepted = self.tally.accepted
            super()._receive(index, buffer, start, end)
            if self.tally.accepted > accepted:
                self._remember(index, json.loads(buffer[start:end]))

    def _remember(self, index: int, event: dict[str, object]) -> None:
        self._epoch, seq = str(event["epoch"]), int(str(event["seq"]))
        self._seqs[self.tally.received[index][-1]] = seq
        self._head = max(self._head, seq)

    def _last_seq(self, index: int) -> int:
        known = (
            self._seqs[number] for number in reversed(self.tally.received[index]) if number in self._seqs
        )
        return next(known, self._first)

    def _resume(self, index: int, seq: int) -> None:
        since = {"epoch": self._epoch, "seq": seq}
        room = self.people[index]["room"]
        frame = {"uuid": "resume", "action": "select_room", "room": room, "since": since}
        self.connections[index].send(json.dumps(frame).encode())

    def _take_page(self, index: int, page: dict[str, object]) -> None:
        events = page.get("events")
        assert isinstance(events, list), page
        seen = set(self.tally.received[index])
        for event in events:
            number = self.numbering.number_at(event["uuid"].encode(), 0)
            if number >= 0 and number not in seen:
                self.caught_up += 1
                if self.tally.deliver(index, number):
                    self.on_accepted(number)
        if page["more"]:
            self._resume(index, events[-1]["seq"])


async def measure(system: Roomlog, room: list[Member], arguments: argparse.Namespace) -> None:
    """Print each round of each level, and what their goals say of them."""
    fleet = ResumingFleet(ROOMLOG, system.address(), [room])
    await fleet.open()
    print("in flight  accepted/s  p50 ms  p99 ms  by catch-up  lost")
    rates: dict[int, list[float]] = {level: [] for level in arguments.levels}
    caught_up, copies = dict.fromkeys(arguments.levels, 0), dict.fromkeys(arguments.levels, 0)
    for _ in range(arguments.rounds):
        for level in arguments.levels:
            window = await load(fleet, ClosedLoop(fleet, level), arguments.seconds)
            rates[level].append(report(fleet, window, level))
            caught_up[level] += fleet.caught_up
            copies[level] += fleet.tally.delivered
    for level in arguments.levels:
        judge(level, rates[level], caught_up[level] / max(1, copies[level]))
    for reason, lost in fleet.closed.items():
        print(f"{lost} connections closed: {reason}")
    fleet.close()


def report(fleet: ResumingFleet, window: list[float], level: int) -> float:
    """Print what came of one round, and return its accepted messages a second."""
    since, until = window
    tally = fleet.tally
    rate = sum(since <= at < until for at in tally.accepted_at if at) / (until - since)
    answers = tally.answer_milliseconds(since, until)
    p50, p99 = (percentile(answers, share) or 0.0 for share in (0.5, 0.99))
    by_catch_up, lost = fleet.caught_up / max(1, tally.delivered), tally.losses().lost
    refused = f"  {dict(fleet.errors)}" if fleet.errors else ""
    print(
        f"{level:9}  {rate:10.0f}  {p50:6.0f}  {p99:6.0f}  {by_catch_up:11.2%}  {lost:4}{refused}", flush=True
    )
    return rate


def judge(level: int, rates: list[float], by_catch_up: float) -> None:
    """Print the median of a level and whether its rounds reach the goals."""
    spread = (max(rates) - min(rates)) / statistics.median(rates)
    is_reached = spread <= SPREAD_GOAL and by_catch_up < CATCH_UP_GOAL
    print(
        f"{level} in flight: median {statistics.median(rates):.0f}/s, spread {spread:.0%}, "
        f"{by_catch_up:.2%} by catch-up: {'reached' if is_reached else 'NOT REACHED'}"
    )


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.edge")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument(
        "--levels", type=int, nargs="+", default=[250, 500], help="messages unanswered at once"
    )
    arguments = parser.parse_args()
    generator_cores = pin()
    with roomlog_alone("edge") as system:
        if generator_cores:
            os.sched_setaffinity(0, generator_cores)
        gc.disable()  # a collection over a million numbers stands still for longer than what is measured
        uvloop.run(measure(system, system.rooms([arguments.members])[0], arguments))
    placed = "the servers on one, the generator on another" if generator_cores else "nothing pinned"
    print(f"{os.cpu_count()} cores, {placed}; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
