"""The model Redis answers as a real Valkey does: every test here runs against both.

Commands travel as bytes in both cases: the model's replies are read by the parser that reads the real ones.
"""

import asyncio
import random
import socket
from collections.abc import Iterator
from typing import Any, Protocol

import hiredis
import pytest

from roomlog_gateway.redis.link import pack
from roomlog_local.ports import LOOPBACK
from tests.simulation.loop import SimulatedLoop
from tests.simulation.redis_link import packed
from tests.simulation.redis_model import KEYSPACE, ModelRedis

SECONDS = 10.0
IN, READ = KEYSPACE.in_stream(3), KEYSPACE.read_stream(3)
NOTHING = object()


class Redis(Protocol):
    """One connection to a server."""

    def ask(self, *words: str | bytes) -> Any:
        """Return the reply to a command, or the first of several."""

    def hear(self) -> Any:
        """Return the next thing that was not asked for."""

    def read(self, count: int) -> list[tuple[str, bytes]]:
        """Return stream and value of the entries from 0 on, at most `count` of each stream."""

    def fill(self) -> None:
        """Let there be no memory left."""

    def wipe(self) -> None:
        """Let it lose everything."""


class Valkey:
    """A real server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection((LOOPBACK, port), timeout=SECONDS)
        self._reader = hiredis.Reader(notEnoughData=NOTHING)
        self.ask("FLUSHALL")

    def ask(self, *words: str | bytes) -> Any:
        self._socket.sendall(pack(*words))
        return self.hear()

    def hear(self) -> Any:
        while (reply := self._reader.gets()) is NOTHING:
            self._reader.feed(self._socket.recv(65536))
        return reply

    def read(self, count: int) -> list[tuple[str, bytes]]:
        found = self.ask("XREAD", "COUNT", str(count), "STREAMS", IN, READ, "0", "0") or []
        return [(stream.decode(), fields[1]) for stream, entries in found for _, fields in entries]

    def fill(self) -> None:
        self.ask("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.ask("CONFIG", "SET", "maxmemory", "1")

    def wipe(self) -> None:
        self.ask("FLUSHALL")

    def close(self) -> None:
        """Give it back as it was; a connection that subscribes may set nothing."""
        self._socket.close()
        with socket.create_connection((LOOPBACK, self._port), timeout=SECONDS) as again:
            again.sendall(pack("CONFIG", "SET", "maxmemory", "256mb"))
            again.recv(100)


class Model:
    """The simulation's."""

    def __init__(self) -> None:
        self._loop = SimulatedLoop()
        self._redis = ModelRedis(self._loop, random.Random(1))
        self._reader = hiredis.Reader(notEnoughData=NOTHING)
        self._waiting: list[bytes] = []

    def ask(self, *words: str | bytes) -> Any:
        plain = [word.encode() if isinstance(word, str) else word for word in words]
        self._loop.run_until_complete(asyncio.sleep(0.01))
        pushed = len(self._waiting)
        replies = [packed(reply) for reply in self._redis.execute(plain, self)]
        self._waiting[pushed:pushed] = replies
        return self.hear()

    def push(self, message: list[Any]) -> None:
        self._waiting.append(packed(message))

    def hear(self) -> Any:
        self._reader.feed(self._waiting.pop(0))
        return self._reader.gets()

    def read(self, count: int) -> list[tuple[str, bytes]]:
        return [(stream, value) for stream, _, value in self._redis.read([3], count)]

    def fill(self) -> None:
        self._redis.is_full = True

    def wipe(self) -> None:
        self._redis.lose_everything(0.0)

    def close(self) -> None:
        """Give it back."""
        self._loop.close()


@pytest.fixture(params=["model", "valkey"])
def redis(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """A connection to an empty server of each kind."""
    server: Model | Valkey
    server = Model() if request.param == "model" else Valkey(request.getfixturevalue("redis_port"))
    yield server
    server.close()


def add(redis: Redis, value: str, stream: str = IN) -> Any:
    """Add an entry as the gateway does."""
    return redis.ask("XADD", stream, "*", "e", value)


def numbers(entry_id: bytes) -> tuple[int, int]:
    """Return the two numbers of an id."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)


def test_ids_grow(redis: Redis) -> None:
    """Also where many come in one millisecond, and where all were deleted in between."""
    ids = [add(redis, str(number)) for number in range(20)]
    assert redis.ask("XDEL", IN, *ids) == 20
    ids.append(add(redis, "last"))
    assert [numbers(key) for key in ids] == sorted({numbers(key) for key in ids})


def test_a_stream_is_read_from_the_beginning(redis: Redis) -> None:
    """Oldest first, so many of each stream, until they are deleted."""
    ids = [add(redis, str(number)) for number in range(3)]
    add(redis, "read", READ)
    assert redis.read(2) == [(IN, b"0"), (IN, b"1"), (READ, b"read")]
    assert redis.ask("XDEL", IN, ids[0], ids[1]) == 2
    assert redis.ask("XDEL", IN, ids[0]) == 0
    assert redis.read(2) == [(IN, b"2"), (READ, b"read")]


def test_the_size_of_a_stream(redis: Redis) -> None:
    """Entries and bytes; of one that is not there too."""
    assert (redis.ask("XLEN", IN), redis.ask("MEMORY", "USAGE", IN)) == (0, None)
    add(redis, "x" * 1000)
    assert redis.ask("XLEN", IN) == 1
    assert redis.ask("MEMORY", "USAGE", IN) > 1000


def test_a_ping_is_answered(redis: Redis) -> None:
    """By a status."""
    assert redis.ask("PING") == b"PONG"


def test_who_subscribes_hears(redis: Redis) -> None:
    """One confirmation a channel, then what is published, until the subscription ends."""
    assert redis.ask("SUBSCRIBE", "one", "two") == [b"subscribe", b"one", 1]
    assert redis.hear() == [b"subscribe", b"two", 2]
    assert redis.ask("UNSUBSCRIBE", "one") == [b"unsubscribe", b"one", 1]


def test_a_refusal_is_an_error_reply(redis: Redis) -> None:
    """A full server takes no entry, but gives and deletes, and lets publish."""
    key = add(redis, "before")
    redis.fill()
    refusal = add(redis, "after")
    assert isinstance(refusal, hiredis.ReplyError)
    assert str(refusal).startswith("OOM")
    assert redis.read(10) == [(IN, b"before")]
    assert redis.ask("PUBLISH", "channel", "notice") == 0
    assert redis.ask("XDEL", IN, key) == 1


def test_a_wiped_server_knows_nothing(redis: Redis) -> None:
    """Neither entries nor that there were any."""
    add(redis, "lost")
    redis.wipe()
    assert redis.read(10) == []
    assert redis.ask("XLEN", IN) == 0


def test_an_unknown_command_is_an_error(redis: Redis) -> None:
    """Nobody is cut off for it."""
    assert isinstance(redis.ask("SPEAK"), hiredis.ReplyError)
    assert redis.ask("XLEN", IN) == 0
