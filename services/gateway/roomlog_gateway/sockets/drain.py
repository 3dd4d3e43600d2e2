"""The end of a gateway: its connections are sent to the others at a rate that those can take.

After SIGTERM: readiness off at once, service as before for the pre-stop time, then each connection is told
when to reconnect and closed with 1012 when its time comes, its commands answered. Then gunicorn's worker may
stop.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from roomlog_contract.errors import CloseCode
from roomlog_contract.server_events import Reconnect

from ..config import ANSWER_SECONDS, Config
from .connection import Connection
from .connections import Connections

log = structlog.get_logger()

STEP_SECONDS: Final = 0.05
"""Between two looks at whose time has come."""
GOODBYE_SECONDS: Final = 1.0
"""For the closing handshakes of the last connections."""


class Drain:
    """Empties a gateway, once."""

    def __init__(
        self,
        connections: Connections,
        config: Config,
        clock: Callable[[], float],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
        on_empty: Callable[[], None],
    ) -> None:
        """`on_empty` is called when the process may stop."""
        self._connections = connections
        self._config = config
        self._clock = clock
        self._spawn = spawn
        self._on_empty = on_empty
        self.has_begun = False
        self.is_closing = False
        """From here on no upgrade is accepted."""

    def start(self) -> None:
        """Start the drain; again is harmless."""
        if not self.has_begun:
            self.has_begun = True
            self._spawn(self._run())

    async def _run(self) -> None:
        log.info("drain_began", connections=len(self._connections))
        await asyncio.sleep(self._config.prestop_seconds)
        self.is_closing = True
        await self._close_all(self._announce())
        await self._wait_for_goodbyes()
        log.info("drain_ended", connections=len(self._connections))
        self._on_empty()

    def _announce(self) -> list[tuple[float, Connection]]:
        """Tell each connection its time; they are spread evenly, so no second has more than the rate."""
        began = self._clock()
        schedule = []
        for number, connection in enumerate(self._connections):
            delay = number / self._config.max_reconnects_per_second
            connection.session.tell(Reconnect(after_ms=int(delay * 1000), reason="restart"))
            schedule.append((began + delay, connection))
        return schedule

    async def _close_all(self, schedule: list[tuple[float, Connection]]) -> None:
        """Close each connection at its time, those that wait for an answer up to 10 s later."""
        waiting = schedule
        while waiting:
            now = self._clock()
            later = []
            for due, connection in waiting:
                is_busy = connection.session.unanswered > 0 and now < due + ANSWER_SECONDS
                if now < due or is_busy:
                    later.append((due, connection))
                else:
                    connection.close(CloseCode.RESTART, "restart")
            waiting = later
            if waiting:
                await asyncio.sleep(STEP_SECONDS)

    async def _wait_for_goodbyes(self) -> None:
        for _ in range(int(GOODBYE_SECONDS / STEP_SECONDS)):
            if not self._connections:
                return
            await asyncio.sleep(STEP_SECONDS)

    def close_rest(self) -> None:
        """End at once what is still open, when the process stops without a drain."""
        for connection in self._connections:
            connection.close(CloseCode.GOING_AWAY, "shutdown")
            connection.finish()
