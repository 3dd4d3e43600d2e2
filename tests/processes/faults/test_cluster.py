"""A Redis Cluster as worker, gateway and api see it: slots move, primaries die, each finds what it needs."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from threading import Timer
from typing import Any
from uuid import UUID

import pytest
import redis

from roomlog.doctor.redis import look
from roomlog_contract.envelope import ENTRY_FIELD, Notice, Recheck
from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.errors import NotAccepted, NotSubscribed
from roomlog_gateway.redis.admission import Admission
from roomlog_gateway.redis.cluster import Cluster
from roomlog_gateway.redis.cluster_subscriber import ClusterSubscriber
from roomlog_gateway.redis.cluster_writer import ClusterWriter
from roomlog_local.ports import LOOPBACK
from roomlog_runtime.redis_address import client
from roomlog_runtime.redis_cluster import ASK_SLOTS
from roomlog_worker import cluster_bus
from roomlog_worker.bus import Bus
from roomlog_worker.cluster_bus import bus_of
from tests.harness.redis_cluster import RedisCluster
from tests.harness.sentinels import ask
from tests.harness.waiting import eventually, wait_until
from tests.processes.configuration.table import cluster_users

KEYSPACE = Keyspace(shards=256)
ALL = frozenset(range(KEYSPACE.shards))
SECONDS = 30.0
TIMEOUTS = {"socket_timeout": 5.0, "socket_connect_timeout": 5.0}
LIFETIME_MS = 30_000


def url_for(cluster: RedisCluster, service: str) -> str:
    """Return the address of a service that has the rights of docs/configuration.md and no others."""
    return cluster.admit(service, cluster_users()[service])


def a_room(shard: int) -> UUID:
    """Return a room of a shard."""
    return next(room for number in range(10_000) if KEYSPACE.shard_of_room(room := UUID(int=number)) == shard)


def notice_of(room: UUID) -> tuple[UUID, Notice]:
    """Return a notice of some event of a room."""
    return room, Notice("e", 1, b"{}", 1, "", 0)


def entries_of(bus: Bus, shards: Collection[int]) -> dict[str, list[str]]:
    """Read until each of these shards has an entry, and no other one has; return the ids by stream."""
    streams = {KEYSPACE.in_stream(shard) for shard in shards}
    found: dict[str, list[str]] = {}

    def read() -> bool:
        for stream, entry, _ in bus.read(ALL):
            found[stream] = [entry]
        return found.keys() >= streams

    wait_until(read, SECONDS, "entries")
    assert found.keys() == streams
    return found


def test_a_worker_s_bus_works_while_slots_move(
    redis_cluster: RedisCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads and deletes on all nodes, also a key that is on its way; a wake-up is enough to be read."""
    monkeypatch.setattr(cluster_bus, "LOOK_SECONDS", 1000.0)
    redis: Any = client(redis_cluster.url(), **TIMEOUTS)
    bus = bus_of(url_for(redis_cluster, "worker"), KEYSPACE)
    for shard in ALL:
        redis.xadd(KEYSPACE.in_stream(shard), {ENTRY_FIELD: b"x"})
    found = entries_of(bus, ALL)
    bus.finish([notice_of(a_room(5)), (7, Recheck())], found)
    assert bus.read(ALL, 0) == []

    def say(shard: int) -> None:
        redis.xadd(KEYSPACE.in_stream(shard), {ENTRY_FIELD: b"y"})
        redis.wake(KEYSPACE.in_stream(shard))

    Timer(0.3, say, [5]).start()
    found = entries_of(bus, [5])
    end = redis_cluster.begin_move(KEYSPACE.in_stream(5))
    bus.finish([notice_of(a_room(5))], found)
    assert redis.xlen(KEYSPACE.in_stream(5)) == 0
    say(5)
    end()
    assert bus.count_try(5, "label") == 1
    bus.finish([notice_of(a_room(5))], entries_of(bus, [5]))
    say(5)
    entries_of(bus, [5])
    bus.disconnect()


def test_a_dead_primary_stops_its_own_shards_only(redis_cluster: RedisCluster) -> None:
    """The others' entries are read and deleted meanwhile; a claim holds; then its replica has its shards."""
    api = client(redis_cluster.url(), **TIMEOUTS)
    bus = bus_of(redis_cluster.url(), KEYSPACE)
    assert bus.claim("mine", LIFETIME_MS) == "mine"
    bus.read(ALL, 0)
    dead = redis_cluster.owner_of(KEYSPACE.install_key)
    others = [shard for shard in ALL if redis_cluster.owner_of(KEYSPACE.in_stream(shard)) != dead]
    for shard in others:
        api.xadd(KEYSPACE.in_stream(shard), {ENTRY_FIELD: b"x"})
    redis_cluster.kill(dead)
    found = entries_of(bus, others)
    bus.finish([(7, Recheck())], found)
    assert bus.claim("mine", LIFETIME_MS) == "mine"
    with pytest.raises(redis.RedisError):
        bus_of(redis_cluster.url(), KEYSPACE).claim("another's", LIFETIME_MS)
    redis_cluster.wait_failover(dead)
    lost = min(ALL - set(others))
    client(redis_cluster.url(), **TIMEOUTS).xadd(KEYSPACE.in_stream(lost), {ENTRY_FIELD: b"x"})
    entries_of(bus, [lost])
    bus.disconnect()


class Links:
    """A gateway's side of a Cluster."""

    def __init__(self, url: str) -> None:
        self.refused: list[int] = []
        self.heard: list[bytes] = []
        self.looked = 0
        clock = time.monotonic
        self.cluster = cluster = Cluster(url, clock)
        admission = Admission(KEYSPACE, clock)
        admission.is_agreed = True
        self.writer = ClusterWriter(cluster, KEYSPACE, clock, self._refuse, admission)
        self.subscriber = ClusterSubscriber(cluster, clock, self._look)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[None]:
        """Keep the links within the context."""
        running = [asyncio.create_task(link.run()) for link in (self.writer.link, self.subscriber.link)]
        try:
            await eventually(self.is_whole, SECONDS, "links to all nodes")
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.wait(running)

    def is_whole(self) -> bool:
        """Tell whether commands of all shards are taken, and notices come."""
        return self.subscriber.is_up and self.writer.is_up and self.takes_all()

    def takes_all(self) -> bool:
        """Send one command to each shard; return whether all were taken, as far as known."""
        return all(self.takes(shard) for shard in ALL)

    def takes(self, shard: int) -> bool:
        """Send one command to a shard; return whether it was taken."""
        try:
            self.writer.add(KEYSPACE.in_stream(shard), b"x", shard)
        except NotAccepted:
            return False
        return True

    async def listen(self, *channels: str) -> None:
        """Subscribe to channels."""
        await self.subscriber.subscribe(dict.fromkeys(channels, self.heard.append))

    def _refuse(self, request: int, retry_after_ms: int) -> None:
        self.refused.append(request)

    def _look(self) -> None:
        self.looked += 1


async def test_a_gateway_s_links_follow_moved_slots(redis_cluster: RedisCluster) -> None:
    """A command for a slot that has gone is refused, the next is taken; rooms are heard where they are."""
    links = Links(url_for(redis_cluster, "gateway"))
    api: Any = client(redis_cluster.url(), **TIMEOUTS)
    room, user = KEYSPACE.room_channel(a_room(5)), KEYSPACE.user_channel(7)
    stream = KEYSPACE.in_stream(5)
    port = redis_cluster.ports[0]
    links.cluster.slots.learn(ask(port, *ASK_SLOTS), (LOOPBACK, port))
    with pytest.raises(NotSubscribed):  # the slots are known, and there is no link yet
        await links.listen(room)
    async with links.up():
        await eventually(
            lambda: api.execute_command("SPUBLISH", room, b"early"), SECONDS, "a room that stayed wanted"
        )
        await eventually(lambda: links.heard, SECONDS, "its notice")
        links.heard.clear()
        await links.listen(room, user)
        assert api.pubsub_numsub(user) == [(user.encode(), 1)]
        assert links.writer.publish(user, b"to the user")
        api.execute_command("SPUBLISH", room, b"to the room")
        await eventually(lambda: set(links.heard) == {b"to the user", b"to the room"}, SECONDS, "both")

        end = await asyncio.to_thread(redis_cluster.begin_move, stream)
        before, looked = api.xlen(stream), links.looked
        await _taken(links, lambda: api.xlen(stream) > before)
        assert set(links.refused) == {5}
        await asyncio.to_thread(end)
        before = api.xlen(stream)
        await _taken(links, lambda: api.xlen(stream) > before)
        await eventually(lambda: links.looked > looked, SECONDS, "a look for what was missed")
        api.execute_command("SPUBLISH", room, b"behind the move")
        await eventually(lambda: links.heard[-1] == b"behind the move", SECONDS, "the room")
        links.subscriber.unsubscribe([room, user])
        await eventually(lambda: api.pubsub_numsub(user) == [(user.encode(), 0)], SECONDS, "no subscriber")


async def test_a_gateway_s_links_go_to_the_new_primary(redis_cluster: RedisCluster) -> None:
    """The dead one's shards are said to be silent; then its replica takes their commands and publishes."""
    links = Links(redis_cluster.url())
    room = KEYSPACE.room_channel(a_room(5))
    async with links.up():
        await links.listen(room)
        dead = redis_cluster.owner_of(KEYSPACE.in_stream(5))
        looked = links.looked
        redis_cluster.kill(dead)
        await eventually(lambda: 5 in links.writer.silent(time.monotonic(), 0.7), SECONDS, "a silent shard")
        await asyncio.to_thread(redis_cluster.wait_failover, dead)
        await eventually(links.is_whole, SECONDS, "links to all nodes")
        await eventually(lambda: links.looked > looked, SECONDS, "a look for what was missed")
        api: Any = client(redis_cluster.url(), **TIMEOUTS)
        api.execute_command("SPUBLISH", room, b"again")
        await eventually(lambda: links.heard == [b"again"], SECONDS, "the room")


async def _taken(links: Links, is_there: Callable[[], Any]) -> None:
    """Send a command to shard 5, again while it is refused, until it is there."""

    def send() -> bool:
        links.takes(5)
        return bool(is_there())

    await eventually(send, SECONDS, "a command that is taken")


def test_the_api_and_the_doctor_ask_every_node(redis_cluster: RedisCluster) -> None:
    """With the rights of the api: wake-ups, notices, who is here; the doctor finds nothing wrong."""
    api: Any = client(url_for(redis_cluster, "api"), **TIMEOUTS)
    for shard in ALL:
        api.xadd(KEYSPACE.in_stream(shard), {ENTRY_FIELD: b""})
        api.wake(KEYSPACE.in_stream(shard))
    api.publish(KEYSPACE.user_channel(7), b"")
    channels = [KEYSPACE.user_channel(7), KEYSPACE.user_channel(8)]
    assert api.pubsub_numsub(*channels) == [(channel.encode(), 0) for channel in channels]
    owner = client(redis_cluster.url(), **TIMEOUTS)
    findings = {one.what: one for one in look(owner, KEYSPACE)}
    assert findings["Redis Cluster"].fact == "3 primaries, 3 more nodes; 16384 of 16384 slots served"
    assert findings["streams"].fact.startswith(f"{KEYSPACE.shards} entries wait, at most 1 in one stream")
    assert {f"eviction of primary {number}" for number in (1, 2, 3)} <= findings.keys()
    worst = (findings[f"worst-case streams of primary {number}"].fact for number in (1, 2, 3))
    shares = [int(fact.partition("(")[2].partition(")")[0]) for fact in worst]
    assert (sum(shares), min(shares) > 0) == (len(KEYSPACE.streams()), True)
    assert not [f"{one}" for one in findings.values() if one.is_wrong]
    for one in look(api, KEYSPACE):
        assert not one.is_wrong, f"{one}"
