"""Logins in waves: a crowd asks the workers together, and who comes alone asks at once. Stage: authenticate.

It must not know what is asked. A question alone costs a worker and the database several times what it costs
among others, and people who come back after a gateway's death wait for those before them anyway.
"""

import asyncio
from collections import deque
from typing import Final

APART_SECONDS: Final = 0.02
"""From one wave to the next; somebody who comes later than that after the last one does not wait."""
AT_ONCE: Final = 32
"""Logins in one wave: what a worker answers together."""


class Waves:
    """The logins of one gateway, in the order in which they came."""

    def __init__(self) -> None:
        # bound: one for each connection that authenticates
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._last = float("-inf")

    async def next(self) -> None:
        """Wait for the next wave."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(max(0.0, self._last + APART_SECONDS - loop.time()), self._begin)
        login = loop.create_future()
        self._waiting.append(login)
        await login  # deadline: waves come, each of many; the caller's too

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        begun = 0
        while self._waiting and begun < AT_ONCE:
            login = self._waiting.popleft()
            if not login.done():
                login.set_result(None)
                begun += 1
        if self._waiting:
            loop.call_later(APART_SECONDS, self._begin)
