"""Waiting for a condition with a deadline, the only way in which these tests wait."""

import asyncio
import time
from collections.abc import Callable

POLL_SECONDS = 0.01


async def eventually(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return when the condition is true, and let the loop turn meanwhile."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        await asyncio.sleep(POLL_SECONDS)


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Return when the condition is true; blocks."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(POLL_SECONDS)
