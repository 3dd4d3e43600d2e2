"""Waiting for a condition with a deadline, the only way in which these tests wait.

Beside the message's way. `eventually` for asynchronous tests, `wait_until` for synchronous ones; both ask
again and again and say at the end what did not come true.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psutil

T = TypeVar("T")

POLL_SECONDS = 0.02
SIGNAL_SECONDS = 20.0


class NeverHappened(AssertionError):
    """A condition did not come true in time."""


async def eventually(condition: Callable[[], T | Awaitable[T]], seconds: float, what: str) -> T:
    """Returns the condition's first true value, and lets other tasks run meanwhile."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what}: not within {seconds:g} s, last {value!r}")
        await asyncio.sleep(POLL_SECONDS)


def wait_until(condition: Callable[[], T], seconds: float, what: str) -> T:
    """Returns the condition's first true value; blocks."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what}: not within {seconds:g} s, last {value!r}")
        time.sleep(POLL_SECONDS)
    return value


def wait_stopped(pid: int | None) -> None:
    """Wait until a process that was sent SIGSTOP stands still.

    Until one of its threads has taken the signal the others run on.
    """
    assert pid is not None, "it was never started"  # to psutil None is this process
    process = psutil.Process(pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, SIGNAL_SECONDS, f"{pid} stands still")
