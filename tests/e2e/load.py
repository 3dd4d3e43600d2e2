"""A load of 20 senders and 100 connections through the address that people use.

First and last stage of every message of the fault tests; the clients are the project's own.
"""

import asyncio
import contextlib
import random
import re
import time
from typing import Final, Self
from uuid import uuid4

import aiohttp

from roomlog_client.client import RoomlogClient
from roomlog_client.errors import CommandError, RoomlogError
from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.e2e.journal import Journal, Witness
from tests.e2e.people import read_log
from tests.faults.history import Epoch, Fault, History, Ownership, Row, memberships_of
from tests.faults.stack import Room, User
from tests.faults.waiting import eventually

READY_SECONDS: Final = 60.0
SEND_SECONDS: Final = 120.0
"""Over the longest fault: a message of ours is only unknown at the end if something is broken."""
REST_SECONDS: Final = 30.0
"""G9: so long after the last fault everything has reached everybody."""
BURST: Final = 3
"""Messages of a sender that are under way at once, so that a fault finds work in flight."""
PAUSE_SECONDS: Final = (0.6, 1.4)
"""Between two bursts of a sender: about 60 messages a second in all."""
SAMPLE_SECONDS: Final = 1.0
OWNED: Final = re.compile(r'^roomlog_worker_shard_owned\{shard="(\d+)"\} 1\.0$', re.MULTILINE)


class Load:
    """Clients that send and read until they are told to rest."""

    def __init__(self, cluster: Cluster, users: list[User], rooms: list[Room]) -> None:
        self.journal = Journal()
        self.faults: list[Fault] = []
        self.rest_seconds = 0.0
        self._cluster = cluster
        self._rooms = rooms
        self._pairs = [self._client(users[i % len(users)], i) for i in range(settings.CONNECTIONS)]
        self._is_sending = True
        self._senders: list[asyncio.Task[None]] = []
        self._others: list[asyncio.Task[None]] = []
        self._ownership: list[Ownership] = []
        self._rows: list[Row] = []
        self._epoch = Epoch(0.0, "")

    async def __aenter__(self) -> Self:
        """Connect everybody, then let the senders begin."""
        self._others = [asyncio.create_task(_read(client)) for client, _ in self._pairs]
        for client, _ in self._pairs:
            await client.__aenter__()
        await asyncio.gather(*(client.ready(READY_SECONDS) for client, _ in self._pairs))
        for (client, witness), user in zip(self._pairs, self._sending_users(), strict=False):
            self._senders.append(asyncio.create_task(self._send(client, witness, user)))
        self._others.append(asyncio.create_task(self._watch_shards()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        await asyncio.gather(*(client.close() for client, _ in self._pairs))
        tasks = [*self._senders, *self._others]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=READY_SECONDS)

    async def succeed(self, count: int, seconds: float = READY_SECONDS) -> None:
        """Wait for that many more answered messages."""
        wanted = self.journal.successes() + count
        await eventually(lambda: self.journal.successes() >= wanted, seconds, f"{count} more successes")

    async def reach_everybody(self, seconds: float = SEND_SECONDS) -> None:
        """Wait until every sender's next message has been answered: each has service again."""
        counts = {witness: witness.answered for _, witness in self._pairs[: settings.USERS]}

        def all_answered() -> bool:
            return all(witness.answered > count for witness, count in counts.items())

        await eventually(all_answered, seconds, "every sender has service again")

    async def rest(self) -> None:
        """End the sending, wait until everybody has everything, and read the database's log."""
        self._is_sending = False
        async with asyncio.timeout(SEND_SECONDS):
            await asyncio.gather(*self._senders)
        began = time.monotonic()
        self._rows, self._epoch = await read_log(self._cluster, self._rooms)
        heads = {row.room: row.seq for row in self._rows}

        def has_all(client: RoomlogClient, witness: Witness) -> bool:
            cursors = {reading.room: reading.cursor for reading in witness.readings()}
            return client.is_connected and all(cursors[room] >= heads.get(room, 0) for room in cursors)

        await eventually(lambda: all(has_all(*pair) for pair in self._pairs), REST_SECONDS, "all have all")
        self.rest_seconds = time.monotonic() - began

    def history(self) -> History:
        """Return everything that was recorded; call it after `rest`."""
        members = [(room.id, [user.id for user in room.members]) for room in self._rooms]
        return History(
            operations=self.journal.operations(),
            rows=self._rows,
            readings=self.journal.readings(),
            connections=self.journal.connections(),
            memberships=memberships_of(members),
            faults=self.faults,
            ownership=self._ownership,
            epochs=[self._epoch],
        )

    def _client(self, user: User, number: int) -> tuple[RoomlogClient, Witness]:
        rooms = [room.id for room in self._rooms if user in room.members]
        witness = self.journal.witness(f"{user.name}-{number}", user.id, rooms)
        return RoomlogClient(settings.WEBSOCKET, user.token, rooms=rooms, observer=witness), witness

    def _sending_users(self) -> list[list[str]]:
        """Return the rooms of each sender: the first connection of every user sends."""
        senders = self._pairs[: settings.USERS]
        return [[reading.room for reading in witness.readings()] for _, witness in senders]

    async def _send(self, client: RoomlogClient, witness: Witness, rooms: list[str]) -> None:
        while self._is_sending:
            await asyncio.gather(
                *(self._send_one(client, witness, random.choice(rooms)) for _ in range(BURST))
            )
            await asyncio.sleep(random.uniform(*PAUSE_SECONDS))

    async def _send_one(self, client: RoomlogClient, witness: Witness, room: str) -> None:
        uuid = uuid4().hex
        witness.want(room, uuid, text := f"message {uuid}")
        # How it ended is in the journal; a refusal is an outcome like any other.
        with contextlib.suppress(CommandError):
            await client.send(room, text, uuid=uuid, timeout_seconds=SEND_SECONDS)

    async def _watch_shards(self) -> None:
        """Write down again and again which shards the workers say they own."""
        while True:
            began = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                self._ownership.append(Ownership(began, await self._owned()))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _owned(self) -> frozenset[int]:
        names = [pod["metadata"]["name"] for pod in await self._cluster.pods("worker")]
        answers = (self._cluster.metrics(name, "worker") for name in names)
        texts = await asyncio.gather(*answers, return_exceptions=True)
        return frozenset(int(n) for text in texts if isinstance(text, str) for n in OWNED.findall(text))


async def _read(client: RoomlogClient) -> None:
    """Take every event; what it was is in the journal already."""
    with contextlib.suppress(RoomlogError):
        async for _ in client.events():
            pass
