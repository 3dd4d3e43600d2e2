"""All open connections of this gateway: served, pinged in turn, closed where they fail their deadlines.

Beside the message's way. There is no timer per connection: the gateway calls `retry` ten times a second and
`tick` once. It must not know what a connection says.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from roomlog_contract import limits
from roomlog_contract.errors import CloseCode
from roomlog_runtime.logs import is_debug

from .. import metrics
from .connection import Connection
from .outbox import unread_bound
from .session import Services
from .websocket import WebSocket

log = structlog.get_logger()

PING_SLOTS: Final = int(limits.PING_SECONDS)
"""Connections are pinged in turn, one slot a second."""


class Connections:
    """The connections of one process."""

    def __init__(self, services: Services, clock: Callable[[], float], max_connections: int) -> None:
        self._services = services
        self._clock = clock
        self._slots: dict[Connection, int] = {}
        """All open connections, each with a number that spreads the turns of all over the seconds."""
        self._last_slot = 0
        self._stalled: dict[Connection, None] = {}
        self._unread_bound = unread_bound(max_connections)

    def __len__(self) -> int:
        return len(self._slots)

    def __iter__(self) -> Iterator[Connection]:
        """Iterate over those that are open now; some may be closed meanwhile."""
        return iter(list(self._slots))

    async def serve(self, socket: WebSocket, transport: asyncio.WriteTransport) -> None:
        """Serve an upgraded socket until it is closed."""
        self._last_slot += 1
        connection = self._connect(socket, transport)
        self._slots[connection] = self._last_slot
        metrics.CONNECTIONS.set(len(self._slots))
        if is_debug():
            log.debug("connection_opened", connection=connection.number)
        try:
            await connection.serve()
        finally:
            del self._slots[connection]
            metrics.CONNECTIONS.set(len(self._slots))
            if is_debug():
                log.debug("connection_closed", connection=connection.number)

    def in_turn(self, second: int, period_seconds: int) -> list[Connection]:
        """Return those whose turn it is in this second; each has one in every period."""
        return [one for one, slot in self._slots.items() if (slot + second) % period_seconds == 0]

    def retry(self, now: float) -> None:
        """Write on to the stalled sockets that take bytes again, and bound what waits for the others."""
        for connection in list(self._stalled):
            connection.retry(now)
        metrics.STALLED.set(len(self._stalled))
        self._bound_answers()

    def tick(self, now: float, second: int) -> None:
        """Close or cut the connections that are past a deadline, and ping those whose turn it is."""
        for connection in self:
            if connection.close_deadline is not None:
                if now >= connection.close_deadline:
                    connection.abort()
            elif connection.session.is_late(now):
                connection.close(CloseCode.TOO_SLOW, "no authenticate within 5 s")
            else:
                connection.session.tell_expiry()
        for connection in self.in_turn(second, PING_SLOTS):
            connection.ping()

    def _connect(self, socket: WebSocket, transport: asyncio.WriteTransport) -> Connection:
        return Connection(socket, transport, self._stalled, self._services, self._clock, self._last_slot)

    def _bound_answers(self) -> None:
        """Cut those for whom most waits, while too much waits for all together; they repeat what they asked.

        Only stalled connections hold anything for longer than a loop turn.
        """
        over = sum(connection.unread_bytes for connection in self._stalled) - self._unread_bound
        if over <= 0:
            return
        for connection in sorted(self._stalled, key=lambda one: one.unread_bytes, reverse=True):
            over -= connection.unread_bytes
            connection.close(CloseCode.TOO_SLOW, "answers are not read")
            connection.abort()  # the goodbye would wait behind what is not read
            if over <= 0:
                return
