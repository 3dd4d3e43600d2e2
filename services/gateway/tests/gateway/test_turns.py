"""Crowds that come or go take turns: of connections in the loop, of logins at the workers."""

import asyncio
from typing import Protocol

import pytest

from roomlog_gateway.rooms import waves
from roomlog_gateway.rooms.waves import Waves
from roomlog_gateway.sockets import turns
from roomlog_gateway.sockets.turns import Turns


class Queue(Protocol):
    """What is waited in."""

    async def next(self) -> None: ...


async def groups_of(queue: Queue, number: int) -> list[int]:
    """Return how many of so many that come at once are let through together, of which the third gives up."""
    tasks = [asyncio.create_task(queue.next()) for _ in range(number)]
    asyncio.get_running_loop().call_soon(tasks[2].cancel)
    through, groups = 0, []
    while through < number - 1:
        await asyncio.sleep(0)
        now = sum(task.done() and not task.cancelled() for task in tasks)
        if now > through:
            groups.append(now - through)
            through = now
    return groups


@pytest.mark.parametrize(
    ("queue", "at_once"), [(Turns, turns.AT_ONCE), (Waves, waves.AT_ONCE)], ids=["turns", "waves"]
)
async def test_a_crowd_goes_in_groups(queue: type[Turns | Waves], at_once: int) -> None:
    """Who has given up takes nobody's place, and no group is larger."""
    async with asyncio.timeout(20):
        groups = await groups_of(queue(), 2 * at_once + 4)
        assert groups == [at_once, at_once, 3]


async def test_waves_are_apart_and_who_comes_alone_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of a crowd asks at once, those behind it together and later."""
    loop, ours = asyncio.get_running_loop(), Waves()
    async with asyncio.timeout(20):
        await ours.next()
        began = loop.time()
        await ours.next()
        assert loop.time() - began > waves.APART_SECONDS / 2
        monkeypatch.setattr(waves, "APART_SECONDS", 1_000.0)
        await Waves().next()
