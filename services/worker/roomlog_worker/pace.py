"""How fast replies may leave: a gateway must be able to take in what is published on its channel.

Redis keeps what a subscriber has not read, up to a limit, and then cuts it off; it tells the publisher
nothing of it. So a publisher that can outrun its readers keeps below a rate that they can follow.
"""

from typing import Final

BYTES_PER_SECOND: Final = 16 * 1024 * 1024
"""Of one thread's replies to all gateways: a third of what one gateway takes in, and sixty full pages."""
BURST_BYTES: Final = 2 * 1024 * 1024
"""Bytes that may leave without a wait."""


class Pace:
    """The bytes that were sent ahead of the rate."""

    def __init__(self, now: float) -> None:
        self._ahead = 0.0
        self._at = now

    def seconds_after(self, sent_bytes: int, now: float) -> float:
        """Return how long to wait after so many more bytes; 0.0 within the burst."""
        self._ahead = max(0.0, self._ahead - (now - self._at) * BYTES_PER_SECOND) + sent_bytes
        self._at = now
        return max(0.0, self._ahead - BURST_BYTES) / BYTES_PER_SECOND
