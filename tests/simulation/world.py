"""Everything of one simulated install: Redis, database, workers, gateways, clients, and who is in which room.

Beside the message's way: it builds, and ends and restarts processes. What goes wrong when is said in
`mishaps.py`, who says what in `people.py`.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.shards import shard_of_room
from tests.faults.history import Fault, Ownership, Sample
from tests.faults.journal import Journal

from .gateways import GatewayHost, seams
from .loop import SimulatedLoop
from .redis_model import KEYSPACE, ModelRedis
from .store_model import EPOCH, ModelStore, PendingRow, RoomRow, Safeguards
from .worker_model import Ledger, WorkerModel

GATEWAYS: Final = 2
WORKERS: Final = 2
USERS: Final = 4
ROOMS: Final = 3


class World:
    """One install in virtual time."""

    def __init__(self, loop: SimulatedLoop, dice: random.Random, safeguards: Safeguards) -> None:
        self.loop, self.dice = loop, dice
        self.redis = ModelRedis(loop, dice)
        self.store = ModelStore(loop, safeguards)
        self.ledger = Ledger()
        self.journal = Journal()
        self.faults: list[Fault] = []
        self.samples: list[Sample] = []
        self.ownership: list[Ownership] = []
        self.hosts = {
            f"gateway-{n}": GatewayHost(f"gateway-{n}", loop, dice, self.redis) for n in range(GATEWAYS)
        }
        self.workers: list[WorkerModel] = []
        self.untold: dict[str, None] = {}
        """Members that were connected and did not know it for too long: client and room."""
        self.posted: list[tuple[float, UUID, int, str, str]] = []
        """What the api was asked to post: when, room, user, uuid, text."""
        self._settle()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the processes."""
        with seams(self.hosts, self.dice):
            for ordinal in range(WORKERS):
                self.start_worker(ordinal)
            for host in self.hosts.values():
                host.start()
            yield

    @property
    def urls(self) -> list[str]:
        """Return the addresses of the gateways."""
        return [f"ws://{name}/ws" for name in self.hosts]

    def start_worker(self, ordinal: int) -> WorkerModel:
        """Start a worker process."""
        worker = WorkerModel(self.loop, self.dice, self.redis, self.store, self.ledger, ordinal)
        self.workers.append(worker)
        return worker

    def living(self) -> list[WorkerModel]:
        """Return the worker processes that were not ended."""
        return [worker for worker in self.workers if worker.is_alive]

    def post(self, room: UUID, user: int, text: str) -> None:
        """Let the api commit a message that it was asked for, and wake the owner if Redis lets it."""
        uuid = f"posted-{self.store.next_id()}"
        self.posted.append((self.loop.time(), room, user, uuid, text))
        command = NewMessage(uuid=uuid, room=room, text=text)
        row = PendingRow(
            self.store.next_id(), shard_of_room(room), encode(Envelope(command=command, user=user))
        )
        self.store.pending[row.id] = row
        if not self.redis.is_down and not self.redis.is_full:
            self.redis.add(KEYSPACE.in_stream(row.shard), b"")

    def break_redis_links(self) -> None:
        """Every connection to Redis breaks."""
        for host in self.hosts.values():
            for link in host.open_links():
                link.abort()

    async def stop(self) -> None:
        """End every process."""
        for host in self.hosts.values():
            await host.kill()
        for worker in self.living():
            worker.kill()

    def _settle(self) -> None:
        """Put users and rooms into the database: user 1 owns all rooms, everybody is in most of them."""
        self.store.users = {user: f"user{user}" for user in range(1, USERS + 1)}
        self.store.tokens = {f"token-{user}": user for user in self.store.users}
        for number in range(ROOMS):
            room = RoomRow(UUID(int=self.dice.getrandbits(128), version=4), f"room {number}", EPOCH)
            room.members = {1: "owner"} | {
                user: "member" for user in range(2, USERS + 1) if number == 0 or self.dice.random() < 0.75
            }
            self.store.make_room(room)
