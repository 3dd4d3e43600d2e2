"""What accepts nothing is said within ten seconds, to those whom it concerns, and taken back after."""

import signal
from typing import Any
from uuid import UUID, uuid4

import pytest

from roomlog_contract.envelope import Beacon, encode
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.limits import DEGRADED_ROOMS
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_gateway.rooms.degradation import Degradation
from roomlog_gateway.rooms.worker_beacons import FIRST_SECONDS, SILENT_SECONDS, WorkerBeacons
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import NO_SERVICES, Clock, NoConnection, read
from tests.gateway.running import Connect, Running, Server
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually

PATIENCE_SECONDS = 20.0
"""Twice what is promised: the machine may be busy."""
ALL = frozenset(range(DEFAULT_SHARDS))


def beacon(shards: list[int], turn_ms: int = 5, database: bool = True) -> bytes:
    """Return a worker's publication."""
    return encode(Beacon("w", shards, {}, 0.0, turn_ms, database))


def heard_all() -> tuple[WorkerBeacons, Clock]:
    """Return what is known long after the start, just after all shards were heard of."""
    clock = Clock()
    beacons = WorkerBeacons(DEFAULT_SHARDS, clock, lambda beacon: None)
    clock.now += FIRST_SECONDS
    beacons.on_payload(beacon(list(range(DEFAULT_SHARDS)), turn_ms=0))
    return beacons, clock


def test_a_shard_that_nobody_speaks_of_is_silent_after_eight_seconds() -> None:
    """The others are heard of all the time; one word is enough to be back."""
    beacons, clock = heard_all()
    for _ in range(8):
        clock.now += SILENT_SECONDS / 8
        assert beacons.silent(clock.now - 0.1) == frozenset()
        beacons.on_payload(beacon([shard for shard in range(DEFAULT_SHARDS) if shard != 7]))
    assert beacons.silent(clock.now) == {7}
    beacons.on_payload(beacon([7]))
    assert beacons.silent(clock.now) == frozenset()


@pytest.mark.parametrize(
    ("turn_ms", "database", "silent"), [(5, False, ALL), (60_000, True, ALL), (4_000, True, frozenset())]
)
def test_a_worker_that_gets_nowhere_is_as_silent_as_none(
    turn_ms: int, database: bool, silent: frozenset[int]
) -> None:
    """It says that the database is away, or that its writer hangs; a batch of some seconds is work."""
    beacons, clock = heard_all()
    clock.now += SILENT_SECONDS
    beacons.on_payload(beacon(list(range(DEFAULT_SHARDS)), turn_ms, database))
    assert beacons.silent(clock.now) == silent


def test_a_new_gateway_waits_for_the_first_word() -> None:
    """It has heard nothing yet, and claims nothing."""
    clock = Clock()
    beacons = WorkerBeacons(DEFAULT_SHARDS, clock, lambda beacon: None)
    clock.now += FIRST_SECONDS - 0.1
    assert beacons.silent(clock.now) == frozenset()
    clock.now += 0.2
    assert beacons.silent(clock.now) == ALL


def test_a_shard_of_another_release_is_no_error() -> None:
    """What this release does not know it does not count."""
    beacons, clock = heard_all()
    beacons.on_payload(beacon([DEFAULT_SHARDS + 5]))
    assert beacons.silent(clock.now) == frozenset()


def member_of(*rooms: UUID) -> Session:
    """Return an active connection in these rooms."""
    session = Session(NoConnection(), NO_SERVICES, lambda: 0.0)
    session.activate()
    for room in rooms:
        session.enter(room)
    return session


def told(session: Session) -> list[dict[str, Any]]:
    """Return what the connection was sent since the last look, but for the time."""
    return [{key: value for key, value in frame.items() if key != "since_ms"} for frame in read(session)]


def test_only_those_concerned_are_told_and_by_their_rooms() -> None:
    """One shard: its room is named; whoever has none there hears nothing."""
    here, there = uuid4(), uuid4()
    while Keyspace().shard_of_room(there) == Keyspace().shard_of_room(here):
        there = uuid4()
    one, other = member_of(here, there), member_of(there)
    shard, outage = frozenset({Keyspace().shard_of_room(here)}), Degradation(Keyspace())
    outage.tell(shard, [one, other])
    assert told(one) == [{"action": "degraded", "rooms": [here.hex]}]
    assert told(other) == []
    outage.tell(shard, [one, other])
    assert told(one) == []
    outage.tell(ALL, [one, other])
    assert told(one) == told(other) == [{"action": "degraded"}]
    outage.tell(shard, [one, other])
    assert told(one) == [{"action": "degraded", "rooms": [here.hex]}]
    assert told(other) == [{"action": "recovered"}]
    outage.tell(frozenset(), [one, other])
    assert told(one) == [{"action": "recovered"}]
    assert told(other) == []


def test_a_connection_that_comes_later_is_told_too() -> None:
    """Authenticated during an outage, it shows it within a second."""
    outage = Degradation(Keyspace())
    outage.tell(ALL, [])
    late = member_of(uuid4())
    outage.tell(ALL, [late])
    assert told(late) == [{"action": "degraded"}]


def test_so_many_rooms_are_not_named() -> None:
    """A frame stays small; left out means all."""
    rooms = [
        room
        for room in (UUID(int=n) for n in range(80 * DEGRADED_ROOMS))
        if Keyspace().shard_of_room(room) == 3
    ]
    session = member_of(*rooms)
    assert len(rooms) > DEGRADED_ROOMS
    Degradation(Keyspace()).tell(frozenset({3}), [session])
    assert told(session) == [{"action": "degraded"}]


async def test_a_redis_that_hangs_is_told(room: StubRoom, enter: Connect, server: Server) -> None:
    """SIGSTOP: it takes connections, which say nothing; TCP calls that connected."""
    client = await enter(1)
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        await client.event("degraded", PATIENCE_SECONDS)
    finally:
        server.process.send_signal(signal.SIGCONT)
    await client.event("recovered", PATIENCE_SECONDS)


async def test_workers_that_fall_silent_are_told(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """Nothing is wrong with Redis: beacons are missing."""
    client = await enter(1)
    inside = gateway.gateway
    await eventually(lambda: inside._beacons._good_at[0] > inside.clock() - 1.0, 10, "a beacon is heard")
    await worker.stop()
    inside._degradation.tell(inside._beacons.silent(inside.clock() + SILENT_SECONDS), [*_sessions(inside)])
    assert "rooms" not in await client.event("degraded")
    worker.start()
    await client.event("recovered", PATIENCE_SECONDS)


def _sessions(inside: Any) -> list[Session]:
    return [connection.session for connection in inside.connections]
