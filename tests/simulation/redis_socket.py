"""A blocking socket to the model Redis, for one thread in virtual time.

Between the worker's `Line` and the model wires. Login, pool and parser are redis-py's own; only the socket of
a connection is replaced.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import redis
from redis import utils
from redis.connection import Connection

from .processes import Thread, current
from .redis_link import LinkTransport
from .workers import RedisClient


class Socket(asyncio.Protocol):
    """The part of a socket that redis-py and `Line` use."""

    def __init__(self, transport: LinkTransport, timeout: float | None) -> None:
        self._transport = transport
        self._timeout = timeout
        self._received = bytearray()
        self._is_lost = False
        self._waiting: Thread | None = None
        transport.set_protocol(self)

    def sendall(self, data: bytes) -> None:
        """Send all of it: the buffer has no end here."""
        current().check()
        if self._is_lost:
            raise BrokenPipeError
        self._transport.write(data)

    def recv_into(self, buffer: bytearray) -> int:
        """Fill the buffer and return how many bytes came; 0 if the connection is gone.

        Raises:
            TimeoutError: nothing came in time.
        """
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
        """Return True if bytes wait to be read."""
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
def sockets_of(hosts: Mapping[str, RedisClient]) -> Iterator[None]:
    """Lead redis-py's blocking connections to the model; `hosts` are the processes by name."""

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
        # Each connection would parse the metadata of the installed package.
        patches.enter_context(patch.object(utils, "get_lib_version", lambda: redis.__version__))
        yield
