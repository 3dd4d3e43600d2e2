"""Two workers behind one face: the model of the simulation, and the product on real servers.

Beside the message's way, for `test_contract.py` alone: whatever is asserted there holds for both.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec
from rest_framework.authtoken.models import Token

from roomlog import pending
from roomlog.models import PendingCommand, Person, RoomEvent
from roomlog_contract import shards
from roomlog_contract.commands import RoomWrite
from roomlog_contract.envelope import (
    Envelope,
    HeadMoved,
    Notice,
    Reply,
    UserNotice,
    decode_replies,
    decode_room_notice,
    decode_user_notice,
    encode,
)
from tests.harness.people import People, make_room
from tests.worker.bench import GATEWAY, Bench, Worker
from tests.worker.bench import KEYSPACE as BENCH_KEYSPACE

from .loop import SimulatedLoop
from .redis_model import KEYSPACE, ModelRedis
from .store_model import EPOCH, ModelStore, PendingRow, RoomRow, Safeguards
from .worker_model import Ledger, WorkerModel

TURN_SECONDS: Final = 3.0
"""Virtual seconds in which a model worker does everything that is there to do, the reminders included."""
TAKE_OVER_SECONDS: Final = 12.0


@dataclass
class Heard:
    """What was published since the last look."""

    notices: list[Notice] = field(default_factory=list)
    heads: list[HeadMoved] = field(default_factory=list)
    users: list[tuple[int, UserNotice]] = field(default_factory=list)
    replies: dict[int, Reply] = field(default_factory=dict)

    def take(self, channel: str, payload: bytes) -> None:
        """Sort one publication in."""
        *_, kind, name = channel.split(":")
        if kind == "gateway":
            self.replies |= {reply.request: reply for reply in decode_replies(payload)}
        elif kind == "user":
            self.users.append((int(name), decode_user_notice(payload)))
        elif isinstance(notice := decode_room_notice(payload), Notice):
            self.notices.append(notice)
        else:
            self.heads.append(notice)

    def frame(self, request: int) -> dict[str, Any]:
        """Return the frame of a reply."""
        reply: Any = self.replies[request]
        frame: dict[str, Any] = msgspec.json.decode(reply.frame)
        return frame


class Side(Protocol):
    """One worker, its streams and its tables."""

    people: People

    def make_room(self, owner: int, members: Sequence[int]) -> UUID:
        """Make a room before anything happens."""

    def send(self, command: RoomWrite, user: int, *, wants_reply: bool = False) -> int:
        """Add a command that writes; returns the request's number."""

    def ask(self, command: Any, user: int = 0) -> int:
        """Add a command that reads."""

    def post(self, command: RoomWrite, user: int) -> None:
        """Commit a command as the api does, and wake nobody."""

    def wake(self, room: UUID) -> None:
        """Wake the owner of a room's shard."""

    def token(self, user: int) -> str:
        """Return a token of the user."""

    def turn(self) -> Heard:
        """Let the worker do what there is to do."""

    def freeze_and_replace(self) -> None:
        """Stop the worker as SIGSTOP does, until another has its shards."""

    def thaw(self) -> Heard:
        """Let the frozen worker go on."""

    def log(self, room: UUID) -> list[tuple[int, str, str]]:
        """Return seq, kind and text of each row."""

    def waiting(self) -> int:
        """Return how many entries and rows are still to be done."""

    def close(self) -> None:
        """Give everything back."""


class RealSide:
    """The product."""

    def __init__(self, redis_url: str) -> None:
        self.people = People.make()
        self._bench = Bench(redis_url)
        self._heir: Worker | None = None
        self._bench.worker.turn()
        self._bench.hear()

    def make_room(self, owner: int, members: Sequence[int]) -> UUID:
        return make_room(owner, members)

    def send(self, command: RoomWrite, user: int, *, wants_reply: bool = False) -> int:
        return self._bench.send(command, user, wants_reply=wants_reply)

    def ask(self, command: Any, user: int = 0) -> int:
        return self._bench.ask(command, user)

    def post(self, command: RoomWrite, user: int) -> None:
        pending.request_command(command, user)

    def wake(self, room: UUID) -> None:
        self._bench.add_raw(BENCH_KEYSPACE.in_stream(shards.shard_of_room(room)), b"")

    def token(self, user: int) -> str:
        return str(Token.objects.get_or_create(user=Person.objects.get(pk=user).user)[0].key)

    def turn(self) -> Heard:
        worker = self._heir or self._bench.worker
        worker.consumer._next_sweep = worker.consumer._next_reminder = 0.0
        worker.turn()
        return self._heard()

    def freeze_and_replace(self) -> None:
        self._heir = self._bench.successor()
        self._bench.hear()

    def thaw(self) -> Heard:
        self._bench.worker.consumer.turn()
        return self._heard()

    def log(self, room: UUID) -> list[tuple[int, str, str]]:
        rows = RoomEvent.objects.filter(room_id=room).order_by("seq")
        return [(row.seq, str(row.kind), row.text) for row in rows]

    def waiting(self) -> int:
        return self._bench.waiting() + PendingCommand.objects.count()

    def close(self) -> None:
        self._bench.close()

    def _heard(self) -> Heard:
        real = self._bench.hear()
        return Heard(real.notices, real.heads, real.users, real.replies)


class ModelSide:
    """The simulation's worker."""

    def __init__(self) -> None:
        self.people = People(1, 2, 3)
        self._loop = SimulatedLoop()
        self._dice = random.Random(1)
        self._redis = ModelRedis(self._loop, self._dice)
        self._store = ModelStore(self._loop, Safeguards())
        self._store.users = {1: "alice", 2: "bob", 3: "carol"}
        self._listener = Heard()
        self._redis.publish = self._hear  # type: ignore[method-assign]
        self._requests = 0
        self._worker = self._start(0)
        self._run(TURN_SECONDS)

    def make_room(self, owner: int, members: Sequence[int]) -> UUID:
        room = RoomRow(UUID(int=self._dice.getrandbits(128), version=4), "lobby", EPOCH)
        room.members = {owner: "owner"} | dict.fromkeys(members, "member")
        self._store.make_room(room)
        return room.id

    def send(self, command: RoomWrite, user: int, *, wants_reply: bool = False) -> int:
        shard = shards.shard_of_room(shards.room_of(command, user))
        return self._add(KEYSPACE.in_stream(shard), command, user, wants_reply)

    def ask(self, command: Any, user: int = 0) -> int:
        room = getattr(command, "room", None)
        shard = 0 if room is None else shards.shard_of_room(room)
        return self._add(KEYSPACE.read_stream(shard), command, user)

    def post(self, command: RoomWrite, user: int) -> None:
        shard = shards.shard_of_room(shards.room_of(command, user))
        row = PendingRow(self._store.next_id(), shard, encode(Envelope(command=command, user=user)))
        self._store.pending[row.id] = row

    def wake(self, room: UUID) -> None:
        self._redis.add(KEYSPACE.in_stream(shards.shard_of_room(room)), b"")

    def token(self, user: int) -> str:
        self._store.tokens[f"token-{user}"] = user
        return f"token-{user}"

    def turn(self) -> Heard:
        self._run(TURN_SECONDS)
        return self._heard()

    def freeze_and_replace(self) -> None:
        self._worker.pause()
        self._start(0)
        self._run(TAKE_OVER_SECONDS)
        self._heard()

    def thaw(self) -> Heard:
        self._worker.resume()
        return self.turn()

    def log(self, room: UUID) -> list[tuple[int, str, str]]:
        return [(event.seq, event.kind, event.text) for event in self._store.logs[room]]

    def waiting(self) -> int:
        return sum(map(len, self._redis.streams.values())) + len(self._store.pending)

    def close(self) -> None:
        for task in self._tasks():
            task.cancel()
        self._run(0.0)
        self._loop.close()

    def _tasks(self) -> list[Any]:
        return list(asyncio.all_tasks(self._loop))

    def _start(self, ordinal: int) -> WorkerModel:
        return WorkerModel(self._loop, self._dice, self._redis, self._store, Ledger(), ordinal)

    def _run(self, seconds: float) -> None:
        self._loop.run_until_complete(asyncio.sleep(seconds))

    def _hear(self, channel: bytes, payload: bytes) -> int:
        self._listener.take(channel.decode(), payload)
        return 1

    def _heard(self) -> Heard:
        heard, self._listener = self._listener, Heard()
        return heard

    def _add(self, stream: str, command: Any, user: int, wants_reply: bool = False) -> int:
        self._requests += 1
        envelope = Envelope(
            command=command, gateway=GATEWAY, request=self._requests, user=user, wants_reply=wants_reply
        )
        self._redis.add(stream, encode(envelope))
        return self._requests
