"""The trail in Redis: bounded in bytes and in time, the first to give way, never in the way."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis

from roomlog_local.ports import LOOPBACK, free_port
from roomlog_runtime.trail import (
    IDLE_SECONDS,
    KEPT_SECONDS,
    MEASURE_SECONDS,
    MIB,
    RING_STEPS,
    TRAIL_FIELD,
    Trail,
)
from tests.harness.waiting import wait_until
from tests.processes.configuration.servers import port_of, running_valkey

KEY = "roomlog:trail"
SECONDS = 10.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of its own."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as client:
        yield client


@pytest.fixture
def redis(server: Redis) -> Iterator[Redis]:
    """It, empty."""
    server.flushall()
    yield server
    server.config_set("maxmemory", 0)


def packed(source: str, steps: Sequence[tuple[float, str]]) -> bytes:
    return f"{source}:{','.join(step for _, step in steps)}".encode()


def noise(source: str, steps: Sequence[tuple[float, str]]) -> bytes:
    """Return what takes 50 KiB, however it is stored."""
    return os.urandom(50 * 1024)


def trail_of(redis: Redis, pack: object = packed, mib: int = 1) -> Trail[str]:
    """Return a trail that nobody started, whose source is not named."""
    url = f"redis://{LOOPBACK}:{port_of(redis)}/0"
    return Trail(url, KEY, pack, mib)  # type: ignore[arg-type]


def entries(redis: Redis) -> list[bytes]:
    """Return the values of the stream."""
    return [fields[TRAIL_FIELD] for _, fields in redis.xrange(KEY)]  # type: ignore[union-attr, index, misc]


def test_steps_are_written_together(redis: Redis) -> None:
    """All that came since the last flush is one entry; a process without steps shows only that it lives."""
    trail = trail_of(redis)
    trail.flush(0.0)
    trail.flush(1.0)
    trail.note("a")
    trail.note("b")
    trail.flush(2.0)
    assert entries(redis) == [b":", b":a,b"]
    trail.flush(2.0 + IDLE_SECONDS)
    assert entries(redis)[2:] == [b":"]


def test_the_stream_stays_within_its_bytes(redis: Redis) -> None:
    """Four times as much as it may hold is written: the oldest give way, the newest are there."""
    trail = trail_of(redis, noise)
    redis.xadd(KEY, {TRAIL_FIELD: b"oldest"})
    for turn in range(80):
        trail.note("a")
        trail.flush(turn * MEASURE_SECONDS)
    trail._pack = packed
    trail.note("newest")
    trail.flush(81 * MEASURE_SECONDS)
    weight = redis.memory_usage(KEY) or 0
    assert MIB / 2 < weight < MIB * 1.2
    assert (entries(redis)[0] != b"oldest", entries(redis)[-1]) == (True, b":newest")


def test_a_day_is_the_end(redis: Redis) -> None:
    """What is older goes with the next write, also of a process that has nothing to say."""
    past_ms = int((time.time() - KEPT_SECONDS) * 1000)
    for number in range(5):
        redis.xadd(KEY, {TRAIL_FIELD: b"old"}, id=f"{past_ms - 60_000}-{number}")
    redis.xadd(KEY, {TRAIL_FIELD: b"young"}, id=f"{past_ms + 60_000}-0")
    trail_of(redis).flush(0.0)
    assert entries(redis) == [b"young", b":"]


def test_the_ring_is_bounded(redis: Redis) -> None:
    """While Redis is away the oldest steps give way."""
    trail = trail_of(redis)
    for number in range(RING_STEPS + 5):
        trail.note(str(number))
    trail.flush(0.0)
    kept = b"".join(entries(redis)).decode().replace(":", ",").strip(",").split(",")
    assert (kept[0], kept[-1], len(kept)) == ("5", str(RING_STEPS + 4), RING_STEPS)


def test_a_full_redis_gets_the_memory_back(redis: Redis) -> None:
    """Commands go first: where Redis refuses writes, the trail is deleted."""
    trail = trail_of(redis, noise)
    trail.note("a")
    assert trail._is_written()
    redis.config_set("maxmemory", 1)
    trail.note("b")
    assert not trail._is_written()
    assert not redis.exists(KEY)


def test_without_redis_nothing_is_raised(redis: Redis) -> None:
    """Steps are lost, and the process does not notice; nor does it at its end."""
    trail: Trail[str] = Trail(f"redis://{LOOPBACK}:{free_port()}/0", KEY, packed, 1)
    trail.start("gateway")
    trail.note("a")
    wait_until(lambda: trail._is_lost, SECONDS, "the trail is lost")
    trail.close()
    assert not trail._thread.is_alive()


def test_the_thread_writes_and_ends_with_the_last_steps(redis: Redis, tmp_path: Path) -> None:
    """In the name of its process; one that is off has no thread and no stream."""
    trail = trail_of(redis)
    trail.start("gateway 1")
    wait_until(lambda: redis.exists(KEY), SECONDS, "the first entry")
    trail.note("a")
    trail.close()
    assert entries(redis) == [b"gateway 1:", b"gateway 1:a"]
    redis.delete(KEY)
    off = trail_of(redis, mib=0)
    off.start("gateway 2")
    off.close()
    assert not redis.exists(KEY)
