"""Processes and their threads: one runs at a time, and a process may freeze or die at any wait."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.simulation.loop import BEGIN_SECONDS, SimulatedLoop, run
from tests.simulation.processes import Killed, Process, Thread, current

Live = Callable[[Process, list[str]], Awaitable[None]]


def told(main: Callable[[list[str]], object], live: Live) -> list[str]:
    """Run a process with this main thread; return what it noted, with the virtual seconds."""

    async def simulate(loop: SimulatedLoop) -> list[str]:
        notes: list[str] = []
        process = Process(loop, "one")
        process.begin(lambda: main(notes))
        await live(process, notes)
        process.kill()
        await asyncio.sleep(1)
        return notes + loop.complaints

    return run(simulate, 1)


async def a_second(process: Process, notes: list[str]) -> None:
    """Let a second pass."""
    await asyncio.sleep(1)


def note(notes: list[str], what: str) -> None:
    """Note something with the time of it."""
    notes.append(f"{what} {current().process.loop.time() - BEGIN_SECONDS:g}")


def tick(notes: list[str]) -> None:
    """Note each second."""
    while True:
        note(notes, "tick")
        current().wait(1)


async def test_nothing_runs_beside_the_loop() -> None:
    """A thread that waits gives the baton back; asking for one's thread outside of one fails."""
    with pytest.raises(IndexError):
        current()


def test_threads_wait_in_virtual_time() -> None:
    """And run in the order of their moments."""

    def main(notes: list[str]) -> None:
        def linger() -> None:
            current().wait(1.5)
            note(notes, "other")

        other = Thread(linger)
        other.start()
        current().wait(1)
        note(notes, "main")
        other.join(9)
        note(notes, "joined")

    async def live(process: Process, notes: list[str]) -> None:
        await asyncio.sleep(5)
        assert not process.is_alive

    assert told(main, live) == ["main 1", "other 1.5", "joined 1.5"]


def test_a_wait_ends_early() -> None:
    """By `wake`; an earlier wait's timer ends no later one."""

    def main(notes: list[str]) -> None:
        current().wait(3)
        note(notes, "woken")
        current().wait(3)
        note(notes, "not woken")

    async def live(process: Process, notes: list[str]) -> None:
        await asyncio.sleep(1)
        process.threads[0].wake()
        process.threads[0].wake()
        await asyncio.sleep(9)

    assert told(main, live) == ["woken 1", "not woken 4"]


def test_a_process_that_is_frozen_or_killed_does_nothing() -> None:
    """Not any more, or for so long."""

    async def live(process: Process, notes: list[str]) -> None:
        await asyncio.sleep(1.5)
        process.freeze()
        await asyncio.sleep(5)
        process.threads[0].wake()
        process.thaw()
        await asyncio.sleep(1.2)

    assert told(tick, live) == ["tick 0", "tick 1", "tick 6.5", "tick 7.5"]

    def main(notes: list[str]) -> None:
        try:
            tick(notes)
        finally:
            note(notes, "clean-up")
            current().wait(0)
            note(notes, "never")

    async def live_again(process: Process, notes: list[str]) -> None:
        process.at_end.append(lambda: notes.append("gone"))
        await asyncio.sleep(1.5)
        process.kill()

    assert told(main, live_again) == ["tick 0", "tick 1", "gone", "clean-up 1.5"]


def test_a_thread_dies_with_its_process() -> None:
    """One that never ran too, and one that kills it."""

    def main(notes: list[str]) -> None:
        Thread(lambda: note(notes, "never")).start()
        current().process.kill()
        current().wait(1)

    async def live(process: Process, notes: list[str]) -> None:
        await asyncio.sleep(1)
        assert all(thread.has_ended for thread in process.threads)

    assert told(main, live) == []

    def main_again(notes: list[str]) -> None:
        current().process.traps["half"] = current().process.kill
        try:
            current().process.reached("half")
            note(notes, "never")
        except Killed:
            note(notes, "killed")
            raise

    assert told(main_again, a_second) == ["killed 0"]


def test_what_a_thread_raises_is_a_complaint() -> None:
    """It ends the process where it was the main one."""

    def main(notes: list[str]) -> None:
        raise ZeroDivisionError

    assert told(main, a_second) == ["one main: ZeroDivisionError()"]
