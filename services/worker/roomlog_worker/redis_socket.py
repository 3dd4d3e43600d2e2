"""Bytes to Redis and replies from it, on one connection of redis-py's. Below the bus.

redis-py finds the server, perhaps by its Sentinels, and logs in; then its socket is used directly, because
a client's own way around each command costs more than the commands. After an error the socket is of no use:
a late reply would be taken for another's.
"""

from typing import Any, Final

import hiredis
import redis

BUFFER_BYTES: Final = 64 * 1024
_NOTHING: Final = object()


class RedisSocket:
    """One logged-in connection, used by one thread. All methods raise redis.RedisError."""

    def __init__(self, connection: redis.Connection) -> None:
        self.connection = connection
        self._socket: Any = connection._sock  # a plain socket or one of TLS, with redis-py's time-out
        self._reader = hiredis.Reader(notEnoughData=_NOTHING, replyError=redis.ResponseError)
        self._buffer = bytearray(BUFFER_BYTES)

    def write(self, packed: bytes) -> None:
        """Send packed commands."""
        try:
            self._socket.sendall(packed)
        except TimeoutError:
            raise redis.TimeoutError("Redis takes nothing") from None
        except OSError as error:
            raise redis.ConnectionError(type(error).__name__) from None

    def read(self, count: int) -> list[object]:
        """Return the replies to that many commands, or raise the first that is an error."""
        replies = self.replies(count)
        for reply in replies:
            if isinstance(reply, redis.ResponseError):
                raise reply
        return replies

    def replies(self, count: int) -> list[object]:
        """Return the replies to that many commands, errors among them."""
        return [self._reply() for _ in range(count)]

    def close(self) -> None:
        """Close the connection, which is nobody's from here on."""
        self.connection.disconnect()  # type: ignore[no-untyped-call]

    def fileno(self) -> int:
        """Return the number by which the system knows the socket."""
        number: int = self._socket.fileno()
        return number

    def arrived(self) -> list[object]:
        """Return the replies that are whole, of a socket that has something to read; errors among them."""
        self._receive()
        while getattr(self._socket, "pending", int)():  # TLS has read more than it gave
            self._receive()
        return list(iter(self._reader.gets, _NOTHING))

    def _reply(self) -> object:
        while (reply := self._reader.gets()) is _NOTHING:
            self._receive()
        return reply

    def _receive(self) -> None:
        try:
            length = self._socket.recv_into(self._buffer)
        except TimeoutError:
            raise redis.TimeoutError("Redis is silent") from None
        except OSError as error:
            raise redis.ConnectionError(type(error).__name__) from None
        if not length:
            raise redis.ConnectionError("Redis has closed the connection")
        self._reader.feed(self._buffer, 0, length)  # type: ignore[arg-type]  # its stub lacks buffers
