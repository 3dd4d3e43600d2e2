"""A blocking socket to the model Redis, as the worker's redis-py and `Line` use it, for one thread in virtual time.

Between the real worker and the model wires. redis-py's login, pool and parser are real; only its connection's
way to the network is replaced.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol
from unittest.mock import patch

import redis
from redis.connection import Connection

from .processes import Thread, current
from .redis_link import LinkTransport


class Host(Protocol):
    """Whoever connects: a process that may be cut off."""

    def reach_redis(self) -> LinkTransport | None:
        """Connect for the thread that runs; None where Redis can't be reached."""


class Socket(asyncio.Protocol):
    """What redis-py and `Line` use of a socket."""

    def __init__(self, transport: LinkTransport, timeout: float | None) -> None:
        self._transport = transport
        self._timeout = timeout
        self._received = bytearray()
        self._is_lost = False
        self._waiting: Thread | None = None
        transport.set_protocol(self)

    def sendall(self, data: bytes) -> None:
        """Send; nothing is too much for a socket's buffer here."""
        current().check()
        if self._is_lost:
            raise BrokenPipeError
        self._transport.write(data)

    def recv_into(self, buffer: bytearray) -> int:
        """Return how many bytes came; 0 where the connection is gone."""
        thread = self._waiting = current()
        loop = thread.process.loop
        until = loop.time() + (60.0 if self._timeout is None else self._timeout)
        while not (self._received or self._is_lost):
            if loop.time() >= until:
                raise TimeoutError
            thread.wait(until - loop.time())
        count = min(len(buffer), len(self._received))
        buffer[:count] = self._received[:count]
        del self._received[:count]
        return count

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = seconds

    def shutdown(self, how: int) -> None:
        self.close()

    def close(self) -> None:
        self._is_lost = True
        self._transport.abort()

    def has_data(self) -> bool:
        """Tell whether something came that nobody has read."""
        if self._is_lost:
            raise redis.ConnectionError("gone")
        return bool(self._received)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.wake()


@contextmanager
def sockets_of(hosts: dict[str, Host]) -> Iterator[None]:
    """Let redis-py's blocking connections of the processes of these names reach the model."""

    def connect(connection: Connection) -> Any:
        transport = hosts[current().process.name].reach_redis()
        if transport is None:
            raise ConnectionRefusedError
        return Socket(transport, connection.socket_timeout)

    def can_read(connection: Any, timeout: float = 0) -> bool:
        return bool(connection._sock.has_data())

    with ExitStack() as patches:
        patches.enter_context(patch.object(Connection, "_connect", connect))
        patches.enter_context(patch.object(Connection, "can_read", can_read))
        yield
