"""Bytes to Redis and replies from it: whatever goes wrong is an error of redis-py's, and never a reply."""

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from roomlog_worker.redis_socket import RedisSocket

SECONDS = 0.2


@pytest.fixture
def ends() -> Iterator[tuple[RedisSocket, socket.socket]]:
    """A socket and the server's end of it."""
    mine, theirs = socket.socketpair()
    mine.settimeout(SECONDS)
    theirs.settimeout(SECONDS)
    with mine, theirs:
        yield RedisSocket(cast(Any, SimpleNamespace(_sock=mine))), theirs


def test_replies_come_in_order_however_they_are_cut(ends: tuple[RedisSocket, socket.socket]) -> None:
    """Several in one piece or one in several; an error is raised when all are read."""
    mine, server = ends
    mine.write(b"*1\r\n$4\r\nPING\r\n")
    assert server.recv(100) == b"*1\r\n$4\r\nPING\r\n"
    server.sendall(b":1\r\n*2\r\n$1\r\na\r\n$-1\r\n+O")
    assert mine.read(2) == [1, [b"a", None]]
    server.sendall(b"K\r\n$70000\r\n")
    assert mine.read(1) == [b"OK"]
    server.sendall(b"x" * 70_000 + b"\r\n")
    assert mine.read(1) == [b"x" * 70_000]
    server.sendall(b":1\r\n-READONLY no\r\n:2\r\n:3\r\n")
    with pytest.raises(redis.ResponseError, match="READONLY"):
        mine.read(3)
    assert mine.read(1) == [3]


def test_silence_is_a_time_out(ends: tuple[RedisSocket, socket.socket]) -> None:
    """In the middle of a reply too; a server that does not read fills the socket."""
    mine, server = ends
    server.sendall(b"$5\r\nab")
    with pytest.raises(redis.TimeoutError):
        mine.read(1)
    with pytest.raises(redis.TimeoutError):
        mine.write(b"x" * 20_000_000)


def test_an_end_is_a_lost_connection(ends: tuple[RedisSocket, socket.socket]) -> None:
    """Closed by the server, reading fails; closed here, writing and reading do."""
    mine, server = ends
    server.close()
    with pytest.raises(redis.ConnectionError):
        mine.read(1)
    with pytest.raises(redis.ConnectionError):
        mine.write(b"x")
    mine._socket.close()
    with pytest.raises(redis.ConnectionError):
        mine.read(1)
