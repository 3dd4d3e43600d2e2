"""The loop: time is a number, order is kept, and nothing of the real world comes in."""

import asyncio
import random
import time

import pytest

from tests.simulation.loop import BEGIN_SECONDS, Endless, SimulatedLoop, run
from tests.simulation.wires import Wire


def test_waiting_costs_nothing() -> None:
    """Chance follows the seed."""

    async def sleep(loop: SimulatedLoop) -> tuple[float, float, float]:
        await asyncio.sleep(600)
        return loop.time(), time.monotonic(), time.time()

    began = time.monotonic()
    assert run(sleep, 1) == (BEGIN_SECONDS + 600,) * 3
    assert time.monotonic() - began < 5

    async def draw(loop: SimulatedLoop) -> float:
        return random.random()

    state = random.getstate()
    assert run(draw, 7) == run(draw, 7) != run(draw, 8)
    assert random.getstate() == state


def test_a_simulation_that_stands_still_or_has_no_end_is_told() -> None:
    """Threads are refused."""

    async def hang(loop: SimulatedLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Endless):
        run(hang, 1)

    async def spin(loop: SimulatedLoop) -> None:
        while True:  # noqa: ASYNC110 - that is what the loop must notice
            await asyncio.sleep(1)

    with pytest.raises(Endless):
        run(spin, 1)

    async def start(loop: SimulatedLoop) -> None:
        await loop.run_in_executor(None, print)

    with pytest.raises(NotImplementedError):
        run(start, 1)


def test_what_nobody_takes_is_a_complaint() -> None:
    """An exception of a callback does not vanish."""

    async def fail(loop: SimulatedLoop) -> list[str]:
        loop.call_soon(lambda: 1 / 0)
        await asyncio.sleep(1)
        return loop.complaints

    (complaint,) = run(fail, 1)
    assert "ZeroDivisionError" in complaint


class TestWire:
    """One direction of one connection."""

    def test_what_is_carried_arrives_late_and_in_order(self) -> None:
        """A stalled wire delivers later."""

        async def carry(loop: SimulatedLoop) -> tuple[list[int], list[int]]:
            wire, arrived = Wire(loop, random.Random(1), (0.1, 5.0)), list[int]()
            for number in range(20):
                wire.carry(arrived.append, number)
            early = list(arrived)
            await asyncio.sleep(10)
            return early, arrived

        assert run(carry, 1) == ([], list(range(20)))

        async def stall(loop: SimulatedLoop) -> tuple[list[int], list[int]]:
            wire, arrived = Wire(loop, random.Random(1), (0.1, 0.1)), list[int]()
            wire.carry(arrived.append, 1)
            wire.stall(5)
            wire.carry(arrived.append, 2)
            await asyncio.sleep(4)
            early = list(arrived)
            await asyncio.sleep(2)
            return early, arrived

        assert run(stall, 1) == ([], [1, 2])

    def test_a_cut_wire_loses_what_is_under_way(self) -> None:
        """And all that comes after."""

        async def carry(loop: SimulatedLoop) -> list[int]:
            wire, arrived = Wire(loop, random.Random(1), (1.0, 1.0)), list[int]()
            wire.carry(arrived.append, 1)
            await asyncio.sleep(2)
            wire.carry(arrived.append, 2)
            wire.cut()
            wire.carry(arrived.append, 3)
            await asyncio.sleep(10)
            return arrived

        assert run(carry, 1) == [1]
