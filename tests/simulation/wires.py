"""One direction of one connection: everything arrives late, in order, and only until it is cut.

Below the model sockets and links. All chance of a simulation's network is drawn here, from the seed.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Any, Final

LATENCY_SECONDS: Final = (0.0002, 0.004)
"""Of one network within a cluster; faults make it longer."""
_STEP: Final = 1e-7
"""Between two arrivals on one wire: the order of timers of the same moment is nobody's promise."""


class Wire:
    """Carries calls from one end to the other."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dice: random.Random,
        latency: tuple[float, float] = LATENCY_SECONDS,
    ) -> None:
        self._loop = loop
        self._dice = dice
        self.latency = latency
        # bound: what a simulated minute can bring
        self._waiting: deque[tuple[float, Callable[..., None], tuple[Any, ...]]] = deque()
        self._last_at = 0.0
        self._stalled_until = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.is_cut = False

    def carry(self, arrive: Callable[..., None], *facts: Any) -> None:
        """Call `arrive` at the other end, after what was carried before; a cut wire swallows it."""
        if self.is_cut:
            return
        at = max(self._loop.time() + self._dice.uniform(*self.latency), self._last_at + _STEP)
        self._last_at = at
        self._waiting.append((at, arrive, facts))
        if self._timer is None:
            self._arm()

    def stall(self, seconds: float) -> None:
        """Let nothing arrive for so long."""
        self._stalled_until = max(self._stalled_until, self._loop.time() + seconds)

    def cut(self) -> None:
        """Lose what is under way, and all that comes."""
        self.is_cut = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        at = max(self._waiting[0][0], self._stalled_until)
        self._timer = self._loop.call_at(at, self._arrive)

    def _arrive(self) -> None:
        self._timer = None
        now = self._loop.time()
        if now >= self._stalled_until:
            while self._waiting and self._waiting[0][0] <= now:
                _, arrive, facts = self._waiting.popleft()
                arrive(*facts)
        if self._waiting and self._timer is None:
            self._arm()
