"""The model Redis answers as a real Valkey does: every test here runs against both.

Commands travel as bytes in both cases, to the model by the link that workers and gateways have.
"""

import asyncio
import random
import socket
from collections.abc import Iterator
from typing import Any

import hiredis
import pytest

from roomlog_gateway.redis.link import pack
from roomlog_local.ports import LOOPBACK
from roomlog_worker.bus import _CLAIM
from tests.simulation.loop import SimulatedLoop
from tests.simulation.redis_link import LinkTransport
from tests.simulation.redis_model import KEYSPACE, ModelRedis

SECONDS = 10.0
IN, READ = KEYSPACE.in_stream(3), KEYSPACE.read_stream(3)
NOTHING = object()


class Valkey:
    """One connection to a real server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.create_connection((LOOPBACK, port), timeout=SECONDS)
        self._reader = hiredis.Reader(notEnoughData=NOTHING)

    def send(self, *words: str | bytes) -> None:
        self._socket.sendall(pack(*words))

    def hear(self) -> Any:
        while (reply := self._reader.gets()) is NOTHING:
            self._reader.feed(self._socket.recv(65536))
        return reply

    def another(self) -> "Valkey":
        return Valkey(self._port)

    def fill(self) -> None:
        ask(self, "CONFIG", "SET", "maxmemory-policy", "noeviction")
        ask(self, "CONFIG", "SET", "maxmemory", "1")

    def wipe(self) -> None:
        ask(self, "FLUSHALL")

    def close(self) -> None:
        """Give it back as it was; a connection that subscribes may set nothing."""
        self._socket.close()
        with socket.create_connection((LOOPBACK, self._port), timeout=SECONDS) as again:
            again.sendall(pack("CONFIG", "SET", "maxmemory", "256mb"))
            again.recv(100)


class Model(asyncio.Protocol):
    """One connection to the simulation's; what it can do, `Valkey` can."""

    def __init__(self, of: "Model | None" = None) -> None:
        self._is_first = of is None
        self._loop: SimulatedLoop = SimulatedLoop() if of is None else of._loop
        self._redis: ModelRedis = ModelRedis(self._loop, random.Random(1)) if of is None else of._redis
        self._reader = hiredis.Reader(notEnoughData=NOTHING)
        self._link = LinkTransport(self._loop, self._redis, random.Random(1))
        self._link.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)

    def send(self, *words: str | bytes) -> None:
        self._link.write(pack(*words))

    def hear(self) -> Any:
        until = self._loop.time() + SECONDS
        while (reply := self._reader.gets()) is NOTHING:
            assert self._loop.time() < until
            self._loop.run_until_complete(asyncio.sleep(0.01))
        return reply

    def another(self) -> "Model":
        return Model(self)

    def fill(self) -> None:
        self._redis.is_full = True

    def wipe(self) -> None:
        self._redis.lose_everything(0.0)

    def close(self) -> None:
        """Give the loop back with the first one."""
        if self._is_first:
            self._loop.close()


Redis = Model | Valkey


@pytest.fixture(params=["model", "valkey"])
def redis(request: pytest.FixtureRequest) -> Iterator[Redis]:
    """A connection to an empty server of each kind."""
    server: Redis = Model() if request.param == "model" else Valkey(request.getfixturevalue("redis_port"))
    if isinstance(server, Valkey):
        server.wipe()
    yield server
    server.close()


def ask(redis: Redis, *words: str | bytes) -> Any:
    """Return the reply to a command, or the first of several."""
    redis.send(*words)
    return redis.hear()


def read(redis: Redis, count: int, *after: str) -> list[tuple[str, bytes]]:
    """Return stream and value of the entries from the beginning on, at most `count` of each stream."""
    found = ask(redis, "XREAD", "COUNT", str(count), "STREAMS", IN, READ, *(after or ("0", "0"))) or []
    return [(stream.decode(), fields[1]) for stream, entries in found for _, fields in entries]


def claim(redis: Redis, who: str, seconds: float) -> bytes:
    """Claim the prefix as the worker does; return who holds it."""
    holder: bytes = ask(redis, "EVAL", _CLAIM, "1", KEYSPACE.install_key, who, str(int(seconds * 1000)))
    return holder


def add(redis: Redis, value: str, stream: str = IN) -> Any:
    """Add an entry as the gateway does."""
    return ask(redis, "XADD", stream, "*", "e", value)


def numbers(entry_id: bytes) -> tuple[int, int]:
    """Return the two numbers of an id."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number)


def test_ids_grow(redis: Redis) -> None:
    """Also where many come in one millisecond, and where all were deleted in between."""
    ids = [add(redis, str(number)) for number in range(20)]
    assert ask(redis, "XDEL", IN, *ids) == 20
    ids.append(add(redis, "last"))
    assert [numbers(key) for key in ids] == sorted({numbers(key) for key in ids})


def test_a_stream_is_read_from_the_beginning(redis: Redis) -> None:
    """Oldest first, so many of each stream, until they are deleted."""
    ids = [add(redis, str(number)) for number in range(3)]
    add(redis, "read", READ)
    assert read(redis, 2) == [(IN, b"0"), (IN, b"1"), (READ, b"read")]
    assert ask(redis, "XDEL", IN, ids[0], ids[1]) == 2
    assert ask(redis, "XDEL", IN, ids[0]) == 0
    assert read(redis, 2) == [(IN, b"2"), (READ, b"read")]


def test_a_stream_is_read_on_behind_an_id(redis: Redis) -> None:
    """Where what is before it is left for later."""
    first, second = add(redis, "1"), add(redis, "2")
    add(redis, "read", READ)
    assert read(redis, 9, first.decode(), "0") == [(IN, b"2"), (READ, b"read")]
    assert read(redis, 9, second.decode(), "0") == [(READ, b"read")]


def test_a_read_waits_for_an_entry(redis: Redis) -> None:
    """Not for ever; tries are counted."""
    redis.send("XREAD", "COUNT", "9", "BLOCK", "5000", "STREAMS", IN, READ, "0", "0")
    redis.send("PING")
    other = redis.another()
    add(other, "late", READ)
    other.close()
    ((stream, ((_, fields),)),) = redis.hear()
    assert (stream.decode(), fields) == (READ, [b"e", b"late"])
    assert redis.hear() == b"PONG"
    assert ask(redis, "XREAD", "COUNT", "9", "BLOCK", "20", "STREAMS", IN, "0") is None
    assert ask(redis, "XREAD", "COUNT", "9", "STREAMS", IN, "0") is None
    assert [ask(redis, "HINCRBY", "tries", "1-0", "1") for _ in range(2)] == [1, 2]
    assert ask(redis, "HINCRBY", "tries", "2-0", "1") == 1
    assert ask(redis, "HKEYS", "tries") == [b"1-0", b"2-0"]
    redis.fill()
    assert isinstance(ask(redis, "HINCRBY", "tries", "1-0", "1"), hiredis.ReplyError)
    assert ask(redis, "HDEL", "tries", "1-0", "3-0") == 1
    assert ask(redis, "HKEYS", "tries") == [b"2-0"]


def test_the_prefix_is_claimed(redis: Redis) -> None:
    """By one at a time, for as long as that one renews it."""
    assert claim(redis, "mine", 60) == b"mine"
    assert claim(redis, "other", 60) == b"mine"
    assert claim(redis, "mine", 0.02) == b"mine"
    ask(redis, "XREAD", "COUNT", "9", "BLOCK", "40", "STREAMS", IN, "0")
    assert claim(redis, "other", 60) == b"other"


def test_a_full_server_keeps_no_new_claim(redis: Redis) -> None:
    """But says that none stands in the way."""
    redis.fill()
    assert claim(redis, "mine", 60) == b"mine"
    assert claim(redis, "other", 60) == b"other"


def test_the_size_of_a_stream(redis: Redis) -> None:
    """Entries and bytes; of one that is not there too."""
    assert (ask(redis, "XLEN", IN), ask(redis, "MEMORY", "USAGE", IN)) == (0, None)
    add(redis, "x" * 1000)
    assert ask(redis, "XLEN", IN) == 1
    assert ask(redis, "MEMORY", "USAGE", IN) > 1000


def test_a_refusal_is_an_error_reply(redis: Redis) -> None:
    """So is an unknown command; who subscribes hears."""
    key = add(redis, "before")
    redis.fill()
    refusal = add(redis, "after")
    assert isinstance(refusal, hiredis.ReplyError)
    assert str(refusal).startswith("OOM")
    assert read(redis, 10) == [(IN, b"before")]
    assert ask(redis, "PUBLISH", "channel", "notice") == 0
    assert ask(redis, "XDEL", IN, key) == 1
    assert isinstance(ask(redis, "SPEAK"), hiredis.ReplyError)
    assert ask(redis, "XLEN", IN) == 0
    assert ask(redis, "SUBSCRIBE", "one", "two") == [b"subscribe", b"one", 1]
    assert redis.hear() == [b"subscribe", b"two", 2]
    assert ask(redis, "UNSUBSCRIBE", "one") == [b"unsubscribe", b"one", 1]


def test_a_wiped_server_knows_nothing(redis: Redis) -> None:
    """Neither entries nor that there were any, nor who had a claim."""
    claim(redis, "mine", 60)
    add(redis, "lost")
    redis.wipe()
    assert claim(redis, "other", 60) == b"other"
    assert read(redis, 10) == []
    assert ask(redis, "XLEN", IN) == 0
