"""Everything of one simulated install: Redis, database, workers, gateways, clients, and who is in which room.

Beside the message's way: it builds, and ends and restarts processes. What goes wrong when is said in
`mishaps.py`, who says what in `people.py`.
"""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple
from unittest.mock import patch
from uuid import UUID

from django.contrib.auth.models import User
from django.test import override_settings
from django.utils import timezone

from roomlog import erasure, log_scan, pending, rooms
from roomlog.configuration import said
from roomlog.databases import REPLICA
from roomlog.signed_in import SignedIn
from roomlog_client import SignedOut, Token
from roomlog_contract.commands import CreateRoom
from roomlog_contract.errors import RefusedCommand
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of
from roomlog_worker import claim, reader
from roomlog_worker.log import rules
from roomlog_worker.log.batch import open_batch
from tests.harness.people import post_as
from tests.judge.history import Epoch, Fault
from tests.judge.journal import Journal
from tests.judge.leaving import Departure, Erasure
from tests.judge.samples import Ownership, Sample

from .api import Api
from .database import Server, sessions_of
from .gateways import GatewayHost, seams
from .hooks import Hooks
from .keeping import KEPT_SECONDS, Keeping, keeping_so
from .loop import SimulatedLoop
from .redis_link import LinkTransport
from .redis_model import ModelRedis
from .redis_socket import sockets_of
from .replica import LateReplica
from .single_path import on_sqlite
from .store import Store
from .workers import Key, RedisClient, Worker, virtual_threads

GATEWAYS: Final = 2
WORKERS: Final = 2
ROOMS: Final = 3
TOKEN_SECONDS: Final = 12.0
"""From a look at a token to its end, where tokens end: it passes while a worker is frozen."""
ERASED_AT_ONCE: Final = 3
"""Messages in a command of an erasure; in the product a hundred."""
SCANNED_AT_ONCE: Final = 20
"""Events that an erasure looks at in one query; in the product ten thousand."""
Data = dict[str, Any] | None
"""Beside a message's text."""
LOOK_SECONDS: Final = 0.2
"""Between two looks whether workers have done what an erasure asked for."""


class Posted(NamedTuple):
    """What a project's transaction has said."""

    at: float
    room: UUID
    user: int
    uuid: str
    text: str
    data: Data


class World:
    """One install in virtual time."""

    keeping: Keeping | None = None
    """How long events are kept, where not for ever."""
    hooks: Hooks | None = None
    """A webhook, where there is one."""
    replica: LateReplica | None = None
    """What answers history, where there is one."""

    def __init__(self, loop: SimulatedLoop, dice: random.Random, store: Store, shards: int) -> None:
        self.loop, self.dice, self.store = loop, dice, store
        self.keyspace = Keyspace(shards=shards)
        store.spread(shards)
        self.redis = ModelRedis(loop, dice)
        self.database = Server(loop, dice, store.path)
        self.refused: set[Key] = set()
        """What workers refused: no row says so."""
        self.journal = Journal(showing=1000)
        self.faults: list[Fault] = []
        self.samples: list[Sample] = []
        self.ownership: list[Ownership] = []
        self.hosts = {
            f"gateway-{n}": GatewayHost(f"gateway-{n}", loop, dice, self.redis, shards)
            for n in range(GATEWAYS)
        }
        self.workers: list[Worker] = []
        self.api = Api(loop, dice, self.redis)
        self._clients: dict[str, RedisClient] = {"api": self.api.redis}
        self.tokens_end = False
        """Tokens end TOKEN_SECONDS after the last look at them."""
        self.tokens_given = 0
        self.rooms: list[UUID] = []
        """Those that were there from the beginning."""
        self.epochs: list[Epoch] = []
        """Those that began while it ran."""
        self.revoked: list[tuple[float, bool]] = []
        """When the guest lost its rights, and whether anybody could be told."""
        self.singles = 0
        """Messages that were stored by the way of one that is alone."""
        self.untold: dict[str, None] = {}
        """Members that were connected and did not know it for too long: client and room."""
        self.posted: list[Posted] = []
        """What the api was asked to post."""
        self.committed: dict[str, float] = {}
        """The uuids of what is sure to have waited in the database, and since when."""
        self.erasures: list[Erasure] = []
        self.departures: list[Departure] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the product's processes run in this world."""
        with ExitStack() as patches:
            patches.enter_context(seams(self.hosts, self.dice))
            patches.enter_context(sessions_of(self.database))
            patches.enter_context(sockets_of(self._clients))
            patches.enter_context(virtual_threads())
            patches.enter_context(on_sqlite(self._count_single))
            patches.enter_context(self.api.listening())
            settled: dict[str, Any] = {**said(), "SHARDS": self.keyspace.shards}
            if self.replica is not None:
                patches.enter_context(self.replica.asked())
                settled["READ_REPLICA"] = REPLICA
            patches.enter_context(override_settings(ROOMLOG=settled))
            # The comparison with the database: a question more for each connection, at its beginning.
            patches.enter_context(patch.object(claim, "refuse_other_shards", _agree))
            patches.enter_context(patch.object(pending, "agree_on_shards", _agree))
            patches.enter_context(patch.object(timezone, "now", self._now))
            for module in (rooms, erasure):
                patches.enter_context(patch.object(module, "uuid4", self._uuid))
            patches.enter_context(patch.object(erasure, "AT_ONCE", ERASED_AT_ONCE))
            patches.enter_context(patch.object(log_scan, "PIECE", SCANNED_AT_ONCE))
            patches.enter_context(keeping_so(self.keeping))
            if self.tokens_end:
                lasting = partial(SignedIn, expires_in_ms=round(TOKEN_SECONDS * 1000))
                patches.enter_context(patch.object(reader, "SignedIn", lasting))
            yield

    async def start(self) -> None:
        """Make the rooms, and start the processes."""
        assert await self.api.request(self._settle)
        for ordinal in range(WORKERS):
            self.start_worker(ordinal)
        for host in self.hosts.values():
            host.start()

    @property
    def urls(self) -> list[str]:
        """Return the addresses of the gateways."""
        return [f"ws://{name}/ws" for name in self.hosts]

    def token_of(self, user: int) -> Token:
        """Return what signs a user in: where tokens end, a function that knows who was signed out."""

        async def give() -> str:
            if self.store.is_revoked(user):
                raise SignedOut
            self.tokens_given += 1
            return token

        token = f"token-{user}"
        return give if self.tokens_end else token

    def start_worker(self, ordinal: int) -> Worker:
        """Start a worker process."""
        name = f"worker-{len(self.workers)}"
        worker = Worker(self.loop, self.dice, self.redis, name, ordinal, self.keyspace)
        self._clients[name] = worker.redis
        self.workers.append(worker)
        worker.start(self.refused)
        return worker

    def living(self) -> list[Worker]:
        """Return the worker processes that were not ended."""
        return [worker for worker in self.workers if worker.process.is_alive]

    def keeps(self, at: float) -> bool:
        """Tell whether what was said at this time is kept for a while: then it may be repeated."""
        return self.keeping is None or self.loop.time() - at < KEPT_SECONDS / 2

    async def post(self, room: UUID, user: int, text: str, data: Data = None) -> Posted:
        """Let somebody's transaction say something, and wake the owner if Redis lets it."""
        posted = Posted(self.loop.time(), room, user, f"posted-{len(self.posted)}", text, data)
        self.posted.append(posted)
        if await self.api.request(lambda: _say(posted, data)):
            self.committed[posted.uuid] = self.loop.time()
        return posted

    async def post_again(self, posted: Posted, data: Data) -> bool:
        """Let the transaction run again, perhaps with other data; tell whether it was accepted."""
        accepted: list[str] = []

        def say() -> None:
            with suppress(RefusedCommand):
                accepted.append(_say(posted, data))

        return await self.api.request(say) and bool(accepted)

    async def sync(self, room: UUID, users: Sequence[int]) -> None:
        """Let a project's transaction say who is in a room, and wake the owner if Redis lets it."""
        people = User.objects.filter(roomlog_person__in=users)
        await self.api.request(lambda: rooms.sync_members(room, people))

    async def delete_account(self, user: int) -> None:
        """Let a project delete an account, and tell its sockets if Redis lets it."""
        while not self.store.is_deleted(user):
            await self.api.request(lambda: User.objects.filter(pk=user).delete())
        self.revoked.append((self.loop.time(), True))
        self.departures.append(Departure(user, self.loop.time()))

    async def erase(self, user: int) -> Erasure:
        """Let an operator erase what somebody has said, until the command comes to its end and workers do."""
        is_asked = False
        while not is_asked:
            began = self.loop.time()
            is_asked = await self.api.run(lambda: erasure.erase(user, lambda done, of: None))
        asked = self.loop.time()
        await self._carried_out(set(self.store.pending()))
        self.erasures.append(Erasure(user, began, asked, self.loop.time()))
        return self.erasures[-1]

    async def _carried_out(self, rows: set[int]) -> None:
        """Wait until workers have done what these rows ask for."""
        while True:
            if not rows & set(self.store.pending()):
                return
            await asyncio.sleep(LOOK_SECONDS)

    def links(self) -> list[LinkTransport]:
        """Return the connections to Redis that are up."""
        ways = [*(host.redis for host in self.hosts.values()), *self._clients.values()]
        return [link for way in ways for link in way.open_links()]

    async def stop(self) -> None:
        """End every process."""
        for host in self.hosts.values():
            await host.kill()
        for process in (self.api.process, *(worker.process for worker in self.workers)):
            process.kill()
        if self.hooks is not None:
            self.hooks.stop()
        await asyncio.sleep(0)  # in which they die

    def _uuid(self) -> UUID:
        return UUID(int=self.dice.getrandbits(128), version=4)

    def _count_single(self) -> None:
        self.singles += 1

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.loop.time(), UTC)

    def _settle(self) -> None:
        """Make the rooms by the worker's own rules: user 1 owns all, and everybody is in most of them."""
        commands = []
        for number in range(ROOMS):
            users = [
                user for user in self.store.users if user > 1 and (not number or self.dice.random() < 0.75)
            ]
            uuid = f"make-{self.dice.getrandbits(64)}"
            commands.append(CreateRoom(uuid=uuid, name=f"room {number}", members=users))
        batch = open_batch([rules.wanted_by(command, 1) for command in commands], timezone.now())
        for command in commands:
            rules.carry_out(batch, command, 1, staff=True)
        batch.store()
        self.rooms = [room_of(command, 1) for command in commands]
        if self.keeping is not None:
            self.keeping.hold(self.rooms)
        if self.hooks is not None:
            self.hooks.make({room.hex: 1 for room in self.rooms})


def _agree(shards: int) -> None:
    """Find the numbers equal, as they are."""


def _say(posted: Posted, data: Data) -> str:
    return post_as(posted.room, posted.user, posted.text, uuid=posted.uuid, data=data)
