"""A few connections in a turn of the loop: a crowd that comes or goes must not stop those who chat.

Around the message's way. It must not know what is done in a turn.
"""

import asyncio
from collections import deque
from typing import Final

AT_ONCE: Final = 8
"""Connections in one turn, of about half a millisecond. What they ask for next leaves in few writes."""


class Turns:
    """The turns of one gateway's connections, taken in the order in which they asked."""

    def __init__(self) -> None:
        # bound: one for each connection that comes or goes
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Wait for a turn of the loop that only few others take."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._begin)
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn  # deadline: a turn comes with each iteration of the loop

    def _begin(self) -> None:
        begun = 0
        while self._waiting and begun < AT_ONCE:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                begun += 1
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)
