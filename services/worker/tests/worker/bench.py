"""A worker on real servers, turned by hand, and somebody who hears all that it publishes.

Beside the message's way: here a test puts entries into the streams, as gateways do, and looks at what one
turn of the consumer makes of them.
"""

import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import msgspec
import pytest
from redis import Redis
from redis.client import PubSub

from roomlog.models import PendingCommand
from roomlog_contract.commands import ClientCommand, GetHistory, ListRooms, RoomWrite
from roomlog_contract.envelope import (
    ENTRY_FIELD,
    Envelope,
    FetchEvents,
    HaveRead,
    HeadMoved,
    Identify,
    Notice,
    ReadHeads,
    ReadMarks,
    Reply,
    UserNotice,
    decode_replies,
    decode_room_notice,
    decode_user_notice,
    encode,
)
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of
from roomlog_runtime.shutdown import Shutdown
from roomlog_worker.bus import Bus
from roomlog_worker.claim import Claim
from roomlog_worker.consumer import SWEEP_SECONDS, Consumer
from roomlog_worker.crash_point import CrashPoint
from roomlog_worker.lane import lanes_of
from roomlog_worker.leases import POLL_SECONDS, LeaseKeeper

KEYSPACE: Final = Keyspace("bench")
GATEWAY: Final = "gateway-1"
ON_POSTGRES: Final = pytest.mark.parametrize("database", ["postgres"], indirect=True)
"""For what SQLite doesn't have: row locks, sessions that end, the fast path."""
HEAR_SECONDS: Final = 10.0
DEADLINE_SECONDS: Final = 20.0
MOST_TURNS: Final = 50
Found = TypeVar("Found", bound=Reply)


class Killed(BaseException):
    """The process ends here, without any clean-up: nothing of the worker catches it."""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class HastyShutdown(Shutdown):
    """Waits for nothing, and keeps how long it should have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        return self.requested


@dataclass(slots=True)
class Heard:
    """What was published since the last look, in order."""

    notices: list[Notice] = field(default_factory=list)
    heads: list[HeadMoved] = field(default_factory=list)
    users: list[tuple[int, UserNotice]] = field(default_factory=list)
    receipts: list[tuple[UUID, HaveRead]] = field(default_factory=list)
    """By room."""
    replies: dict[int, Reply] = field(default_factory=dict)
    """By the gateway's number."""
    order: list[str] = field(default_factory=list)
    """The kinds of channels, as they came."""

    def seqs(self) -> list[int]:
        """Return the seqs of the events."""
        return [notice.seq for notice in self.notices]

    def frame(self, request: int) -> dict[str, Any]:
        """Return the frame of the reply to a request."""
        reply = self.replies[request]
        frame: dict[str, Any] = msgspec.json.decode(reply.frame)  # type: ignore[union-attr]
        return frame

    def error(self, request: int) -> str | None:
        """Return the code of the error answer to a request."""
        code: str | None = self.frame(request).get("error_code")
        return code

    def reply(self, request: int, kind: type[Found]) -> Found:
        """Return the reply to a gateway's own question."""
        found = self.replies[request]
        assert isinstance(found, kind)
        return found


class MortalBus(Bus):
    """Does not do what a process that is killed would not come to do."""

    def forget_try(self, shard: int, label: str) -> None:
        if not isinstance(sys.exception(), Killed):
            super().forget_try(shard, label)


class Worker:
    """One worker process, as far as a test can have several."""

    def __init__(self, redis_url: str, clock: Clock, ordinal: int = 0) -> None:
        self.bus = MortalBus(redis_url, KEYSPACE)
        self.leases = LeaseKeeper(uuid4(), ordinal, clock)
        self.shutdown = HastyShutdown()
        self.lanes = lanes_of(redis_url, KEYSPACE, self.shutdown)
        claim = Claim(self.bus, clock)
        self.consumer = Consumer(self.bus, self.leases, claim, self.shutdown, CrashPoint(), self.lanes)
        self._clock = clock

    def turn(self) -> None:
        """Let time pass until the leases are due, and do one round of each loop."""
        self._clock.now += POLL_SECONDS
        self.consumer.turn()
        for lane in self.lanes:
            lane.turn()

    def turn_until(self, condition: Callable[[], object]) -> int:
        """Do rounds until the condition holds, each but the first with a sweep; return how many it took."""
        deadline = time.monotonic() + 10 * SWEEP_SECONDS
        turns = 0
        while not condition():
            if turns >= MOST_TURNS and time.monotonic() > deadline:
                raise AssertionError(f"not within {turns} turns")
            self.turn()
            turns += 1
            self.consumer._next_sweep = (
                0.0  # the next one finds what no wake-up told of, without a second's wait
            )
        return turns

    def close(self) -> None:
        """Give the connections back."""
        self.bus.disconnect()
        for lane in self.lanes:
            lane.close()
        self.shutdown.close()


class Bench:
    """A worker with all shards, its streams, and a subscriber to everything."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self.redis = Redis.from_url(redis_url)
        self.redis.flushall()
        self.clock = Clock()
        self.worker = Worker(redis_url, self.clock)
        self._workers = [self.worker]
        self._requests = 0
        self._listener: PubSub = self.redis.pubsub()  # type: ignore[no-untyped-call]
        self._listener.psubscribe(f"{KEYSPACE.prefix}:*", "end-of-hearing")

    @property
    def bus(self) -> Bus:
        """The first worker's bus."""
        return self.worker.bus

    def another(self, ordinal: int = 0, redis_url: str = "") -> Worker:
        """Add a worker process; the test turns it."""
        worker = Worker(redis_url or self.redis_url, self.clock, ordinal)
        self._workers.append(worker)
        return worker

    def successor(self) -> Worker:
        """Return a worker that took all shards over from one that died without a word."""
        worker = self.another()
        worker.turn_until(lambda: len(worker.leases.epochs) == KEYSPACE.shards)
        return worker

    def send(self, command: RoomWrite, user: int, **wishes: Any) -> int:
        """Put a command into its room's stream, as a gateway does; returns the request's number.

        `wishes` are more fields of the envelope.
        """
        stream = KEYSPACE.in_stream(KEYSPACE.shard_of_room(room_of(command, user)))
        return self._add(stream, command, user, **wishes)

    def ask(
        self,
        command: ClientCommand | Identify | ReadHeads | ReadMarks | FetchEvents,
        user: int = 0,
        shard: int = 0,
        **wishes: Any,
    ) -> int:
        """Put a command into its stream of reads; returns the request's number.

        `wishes` are more fields of the envelope.
        """
        room: UUID | None = getattr(command, "room", None)
        is_browsing = isinstance(command, GetHistory | ListRooms)
        stream_of = KEYSPACE.browse_stream if is_browsing else KEYSPACE.read_stream
        stream = stream_of(shard if room is None else KEYSPACE.shard_of_room(room))
        return self._add(stream, command, user, **wishes)

    def add_raw(self, stream: str, value: bytes) -> None:
        """Put an entry of any content into a stream."""
        self.redis.xadd(stream, {ENTRY_FIELD: value})

    def wake(self, room: UUID) -> None:
        """Announce a row of the api's, as the api does."""
        self.add_raw(KEYSPACE.in_stream(KEYSPACE.shard_of_room(room)), b"")

    def waiting(self) -> int:
        """Return how many entries all streams have."""
        return sum(int(self.redis.xlen(stream)) for stream in KEYSPACE.streams())

    def turn(self, times: int = 1) -> Heard:
        """Do rounds of the first worker and return what it published."""
        for _ in range(times):
            self.worker.turn()
        return self.hear()

    def drain(self) -> Heard:
        """Do rounds of the first worker until nothing waits, and return what it published."""
        self.worker.turn_until(lambda: self.waiting() == 0)
        return self.hear()

    def hear(self) -> Heard:
        """Return all that was published until now."""
        heard = Heard()
        self.redis.publish("end-of-hearing", "")
        deadline = time.monotonic() + HEAR_SECONDS
        while time.monotonic() < deadline:
            message = self._listener.get_message(ignore_subscribe_messages=True, timeout=HEAR_SECONDS)
            if message is None:
                continue
            channel = message["channel"].decode()
            if channel == "end-of-hearing":
                return heard
            _sort(heard, channel, message["data"])
        raise AssertionError("nothing was heard")

    def close(self) -> None:
        """Give all connections back."""
        for worker in self._workers:
            worker.close()
        self._listener.close()
        self.redis.close()

    def _add(self, stream: str, command: Any, user: int, **wishes: Any) -> int:
        self._requests += 1
        envelope = Envelope(command=command, gateway=GATEWAY, request=self._requests, user=user, **wishes)
        self.add_raw(stream, encode(envelope))
        return self._requests


def fail(*_: Any, **__: Any) -> Any:
    """Fail as code with a mistake in it does."""
    raise ZeroDivisionError


def carried_out() -> bool:
    """Tell whether no row of the api's waits any more."""
    return not PendingCommand.objects.exists()


def until(hear: Callable[[], Heard], condition: Callable[[Heard], bool]) -> Heard:
    """Hear (`Bench.turn`, or `Bench.hear` where the lanes run by themselves) until it is enough."""
    heard, deadline = Heard(), time.monotonic() + DEADLINE_SECONDS
    while not condition(heard):
        assert time.monotonic() < deadline, "not heard in time"
        more = hear()
        heard.replies |= more.replies
        heard.notices += more.notices
    return heard


def _sort(heard: Heard, channel: str, data: bytes) -> None:
    *_, kind, name = channel.split(":")
    heard.order.append(kind)
    if kind == "gateway":
        assert name == GATEWAY
        heard.replies |= {reply.request: reply for reply in decode_replies(data)}
    elif kind == "user":
        heard.users.append((int(name), decode_user_notice(data)))
    elif isinstance(notice := decode_room_notice(data), Notice):
        heard.notices.append(notice)
    elif isinstance(notice, HaveRead):
        heard.receipts.append((UUID(name), notice))
    else:
        assert isinstance(notice, HeadMoved)
        heard.heads.append(notice)


def tick(clock: Clock, keepers: Iterable[LeaseKeeper], seconds: float) -> None:
    """Let time pass for these processes, poll by poll; others stand still."""
    for _ in range(round(seconds / POLL_SECONDS)):
        clock.now += POLL_SECONDS
        for keeper in keepers:
            keeper.keep()
