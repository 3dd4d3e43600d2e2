"""What waits in the streams is seen while nobody works on them, and is not shown once Redis is away."""

from collections.abc import Iterator

import pytest
import redis
from prometheus_client import REGISTRY

from roomlog_contract.envelope import ENTRY_FIELD
from roomlog_runtime.redis_address import client
from roomlog_worker.stream_gauges import LOOK_SECONDS, MEMORY_SECONDS, StreamGauges
from tests.worker.bench import KEYSPACE, Clock

STREAMS = ("in", "read", "browse")


def shown(name: str) -> list[float | None]:
    """Return the gauge of each kind of stream."""
    return [REGISTRY.get_sample_value(f"roomlog_worker_stream_{name}", {"stream": kind}) for kind in STREAMS]


@pytest.fixture
def connection(redis_url: str) -> Iterator["redis.Redis"]:
    """An empty Redis."""
    with client(redis_url, socket_timeout=5.0, socket_connect_timeout=5.0) as found:
        found.flushall()
        yield found


@pytest.fixture
def clock() -> Clock:
    """Time of the looks."""
    return Clock()


def test_depth_and_age_of_the_own_shards_are_shown(connection: "redis.Redis", clock: Clock) -> None:
    """Entries of all own shards by kind, and the age of the oldest; other shards are others' business."""
    seconds, _ = connection.time()
    for shard, stream_of, age in (
        (1, KEYSPACE.in_stream, 40),
        (2, KEYSPACE.in_stream, 90),
        (2, KEYSPACE.read_stream, 7),
        (3, KEYSPACE.in_stream, 500),
    ):
        for number in range(2):
            connection.xadd(stream_of(shard), {ENTRY_FIELD: b""}, id=f"{(seconds - age) * 1000}-{number + 1}")
    gauges = StreamGauges(connection, KEYSPACE)
    gauges.refresh({1, 2}, clock.now)
    assert shown("entries") == [4.0, 2.0, 0.0]
    assert [round(age or 0) // 5 for age in shown("oldest_seconds")] == [18, 1, 0]
    connection.flushall()
    gauges.refresh({1, 2}, clock.now)
    assert shown("entries") == [4.0, 2.0, 0.0], "not looked at each time"
    clock.now += LOOK_SECONDS
    gauges.refresh({1, 2}, clock.now)
    assert shown("entries") == [0.0, 0.0, 0.0]


def test_nothing_is_shown_once_redis_is_away(connection: "redis.Redis", clock: Clock) -> None:
    """The last figures would be taken for today's; without shards there are zeros."""
    gauges = StreamGauges(connection, KEYSPACE)
    gauges.refresh({1}, clock.now)
    gauges.clear()
    assert shown("entries") == shown("oldest_seconds") == [None, None, None]
    gauges.refresh({1}, clock.now)
    assert shown("entries") == [0.0, 0.0, 0.0]
    connection.xadd(KEYSPACE.in_stream(1), {ENTRY_FIELD: b""})
    StreamGauges(connection, KEYSPACE).refresh((), clock.now)
    assert shown("entries") == [0.0, 0.0, 0.0]


def test_memory_is_asked_for_now_and_then(connection: "redis.Redis", clock: Clock) -> None:
    """Used and allowed; an account that may not ask is no trouble."""
    gauges = StreamGauges(connection, KEYSPACE)
    gauges.refresh((), clock.now)
    used = REGISTRY.get_sample_value("roomlog_worker_redis_used_bytes")
    assert used is not None
    assert used > 100_000
    connection.execute_command("ACL", "SETUSER", "default", "-info")  # type: ignore[no-untyped-call]
    try:
        clock.now += MEMORY_SECONDS
        gauges.refresh((), clock.now)
    finally:
        connection.execute_command("ACL", "SETUSER", "default", "+info")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("right", ["time", "xlen", "xrange"])
def test_an_account_without_rights_shows_nothing_and_is_no_trouble(
    connection: "redis.Redis", clock: Clock, right: str
) -> None:
    """The worker's least rights have none of these; its beacon goes on."""
    gauges = StreamGauges(connection, KEYSPACE)
    gauges.refresh({1}, clock.now)
    connection.execute_command("ACL", "SETUSER", "default", f"-{right}")  # type: ignore[no-untyped-call]
    try:
        clock.now += LOOK_SECONDS
        gauges.refresh({1}, clock.now)
    finally:
        connection.execute_command("ACL", "SETUSER", "default", f"+{right}")  # type: ignore[no-untyped-call]
    assert shown("entries") == [None, None, None]
