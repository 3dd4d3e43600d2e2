"""One connection in a turn of the loop: a crowd that comes or goes must not stop those who chat.

Around the message's way. It must not know what is done in a turn.
"""

import asyncio


class Turns:
    """The turns of one gateway's connections, taken in the order in which they asked."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def next(self) -> None:
        """Wait for a turn of the loop that nobody else takes."""
        async with self._lock:
            await asyncio.sleep(0)
