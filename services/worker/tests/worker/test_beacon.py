"""What a worker says of itself: true while it works, and true while it hangs."""

import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.db import OperationalError
from redis import Redis

from roomlog_contract.envelope import Beacon, decode_beacon
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_runtime.shutdown import Shutdown
from roomlog_worker.beacon import BEACON_SECONDS, BeaconThread, Pulse
from roomlog_worker.writer import Writer
from tests.harness.people import People, make_room, message
from tests.worker.bench import KEYSPACE, Bench, Clock

SECONDS = 10.0


def light(redis_url: str, pulse: Pulse, shutdown: Shutdown | None = None) -> BeaconThread:
    """Return a beacon that nobody started."""
    return BeaconThread(redis_url, KEYSPACE, "me", pulse, shutdown or Shutdown())


@pytest.fixture
def shutdown() -> Iterator[Shutdown]:
    """Ends the thread after the test."""
    wish = Shutdown()
    yield wish
    wish.request()


def test_a_worker_at_work_names_its_shards(bench: Bench, people: People) -> None:
    """All of them, a database that answers, and what waits for how long."""
    room = make_room(people.alice)
    bench.send(message(room), people.alice)
    bench.turn()
    said = light(bench.redis_url, bench.worker.consumer._pulse).beacon(time.time() * 1000)
    assert (said.worker, said.shards, said.database) == ("me", list(range(DEFAULT_SHARDS)), True)
    assert set(said.oldest_ms) == {KEYSPACE.shard_of_room(room)}
    assert 0 <= said.oldest_ms[KEYSPACE.shard_of_room(room)] < SECONDS * 1000
    assert said.drained > 0
    bench.turn()
    said = light(bench.redis_url, bench.worker.consumer._pulse).beacon(time.time() * 1000)
    assert said.oldest_ms == {}


def test_a_lost_database_is_said(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a turn has gone through again."""

    def fail(*_: object) -> None:
        raise OperationalError

    bench.send(message(make_room(people.alice)), people.alice)
    with monkeypatch.context() as patched:
        patched.setattr(Writer, "write", fail)
        bench.worker.turn()
        assert not bench.worker.consumer._pulse.has_database
    bench.worker.turn()
    assert bench.worker.consumer._pulse.has_database


def test_a_turn_that_does_not_end_grows_old() -> None:
    """And the rate is that of the time with work."""
    clock = Clock()
    pulse = Pulse(clock)
    pulse.turned()
    clock.now += 31.0
    assert pulse.turn_ms() == 31_000
    clock = Clock()
    pulse = Pulse(clock)

    def turn(seconds: float, entries: int) -> None:
        pulse.began()
        clock.now += seconds
        if entries:
            pulse.wrote([UUID(int=1)] * entries)
        pulse.ended()

    turn(0.1, 100)
    turn(5.0, 0)
    assert pulse.rate == pytest.approx(1_000)
    for _ in range(40):
        turn(0.1, 10)
    assert pulse.rate == pytest.approx(100, rel=0.05)


def test_it_is_published_while_the_writer_hangs(redis_url: str, shutdown: Shutdown) -> None:
    """Several a second, each older than the one before, by a thread that waits for nobody."""
    pulse = Pulse()
    pulse.shards = frozenset({5})
    with Redis.from_url(redis_url, socket_timeout=SECONDS, socket_connect_timeout=SECONDS) as redis:
        listener = redis.pubsub()
        listener.subscribe(KEYSPACE.beacon_channel)
        light(redis_url, pulse, shutdown).start()
        heard: list[Beacon] = []
        deadline = time.monotonic() + SECONDS
        while len(heard) < 3 and time.monotonic() < deadline:
            found = listener.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if found is not None:
                heard.append(decode_beacon(found["data"]))
        listener.close()
    assert [said.shards for said in heard] == [[5]] * 3
    assert heard[2].turn_ms - heard[0].turn_ms >= BEACON_SECONDS * 1000
