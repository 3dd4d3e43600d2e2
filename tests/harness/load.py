"""Senders and readers on Roomlog's own client, every sending and event recorded for the checker.

First and last stage of every message of a fault test. It knows addresses, tokens and rooms, not what runs
there: the same load goes to processes on this machine and to a cluster. It judges nothing.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from roomlog_client import RoomlogClient
from tests.harness.blocking import settle_blocks
from tests.harness.bringing import Files
from tests.harness.changing import look_at_all
from tests.harness.joining import Invitations, archive
from tests.harness.load_client import LoadClient, new_uuid
from tests.harness.load_habits import (
    ARCHIVE_PAUSE_SECONDS,
    CHANGE_PAUSE_SECONDS,
    LEVEL_PAUSE_SECONDS,
    Habits,
    Person,
    Place,
)
from tests.harness.marking import Reader, agree, mark_all
from tests.harness.mentioning import call, mention
from tests.harness.receipts import know_all, set_receipts
from tests.harness.topics import rename, set_topic
from tests.harness.waiting import eventually
from tests.harness.watching import watch_all
from tests.judge.history import Epoch, Fault, History, Row
from tests.judge.journal import Journal
from tests.judge.moderation import Membership, Tables, memberships_of
from tests.judge.samples import Ownership, Sample

READY_SECONDS: Final = 60.0
REST_SECONDS: Final = 30.0
"""G9: so long after the last fault everything has reached everybody."""
WAY_SECONDS: Final = 0.008
"""About the time of a message's way on a loaded machine."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How much load there is."""

    connections: int = 2
    """Of each user; the first one sends, all read."""
    burst: int = 3
    """Messages of a sender that are under way at once, so that a fault finds work in flight."""
    pause_seconds: tuple[float, float] = (0.05, 0.15)
    """Between two bursts of a sender."""
    characters: int = 40
    """Length of a text."""


class Load(Habits):
    """Clients that send and read from entering the context on, until they are told to rest."""

    def __init__(
        self,
        urls: Sequence[str],
        people: Sequence[Person],
        rooms: Sequence[Place],
        *,
        seed: int,
        shape: Shape | None = None,
        files: Files | None = None,
        invitations: Invitations | None = None,
        knows_all: bool = True,
    ) -> None:
        """Each person sends into the rooms that it is a member of; `seed` fixes who says what where.

        The first member of a room owns it. `files` are there to be sent with messages, and people
        come back by `invitations`, too. Where an earlier release runs, people don't know all.
        """
        self.journal = Journal()
        self.faults: list[Fault] = []
        self.samples: list[Sample] = []
        self.ownership: list[Ownership] = []
        self.memberships = [
            Membership(room.id, member.id, role="member" if place else "owner")
            for room in rooms
            for place, member in enumerate(room.members)
        ]
        self._urls = urls
        self._seed = seed
        self._dice = random.Random(seed)
        self._shape = shape or Shape()
        self._rooms = rooms
        self._files = files or {}
        self._invitations = invitations or {}
        self._knows_all = knows_all
        self._senders: list[LoadClient] = []
        self._clients: list[LoadClient] = []
        for person in people:
            clients = [self._client(person, number) for number in range(self._shape.connections)]
            self._senders.append(clients[0])
            self._clients += clients
        self._is_sending = True
        self._sending: list[asyncio.Task[None]] = []
        self._reading: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Connect everybody, then let the senders begin."""
        for one in self._clients:
            await one.client.__aenter__()
            self._reading.append(asyncio.create_task(one.read()))
        await asyncio.gather(*(one.client.ready(READY_SECONDS) for one in self._clients))
        self._sending = [asyncio.create_task(self._send(one)) for one in self._senders]
        habits = [self._mark(), self._change(), self._react(), self._moderate(), self._pin(), self._type()]
        habits += [self._mention(mention, "mentions"), self._bring()]
        if self._knows_all:
            habits += self._newer_habits()
        self._sending += [asyncio.create_task(one) for one in habits]
        return self

    def _newer_habits(self) -> list[Coroutine[Any, Any, None]]:
        """Return what people do that the first release we upgrade from can neither do nor tell."""
        return [
            self._mention(call, "calls"),
            self._decide(set_topic, "topics", CHANGE_PAUSE_SECONDS),
            self._decide(rename, "names", CHANGE_PAUSE_SECONDS),
            self._decide(archive, "archives", ARCHIVE_PAUSE_SECONDS),
            self._join(),
            self._set_levels(),
            self._watch(),
            self._block(),
            self._report(),
            self._decide(set_receipts, "receipts", LEVEL_PAUSE_SECONDS),
        ]

    async def __aexit__(self, *_: object) -> None:
        """Close every client; what fails in a sender or reader fails here."""
        self._is_sending = False
        await asyncio.gather(*(one.client.close() for one in self._clients))
        async with asyncio.timeout(READY_SECONDS):
            await asyncio.gather(*self._sending, *self._reading)

    async def succeed(self, count: int, seconds: float = READY_SECONDS) -> None:
        """Wait for that many more answered messages."""
        wanted = self.journal.successes() + count
        await eventually(lambda: self.journal.successes() >= wanted, seconds, f"{count} more successes")

    @contextlib.asynccontextmanager
    async def fault(
        self, name: str, target: str, *, leaves_no_owner: bool = False, is_quiet: bool = False
    ) -> AsyncIterator[None]:
        """Record what is broken within the context; the harm must be done at once.

        It begins some milliseconds after a message left and while one is under way, unless nobody sends any
        more (`is_quiet`): over many faults each stage of its way is hit.
        """
        if not is_quiet:
            async with asyncio.timeout(READY_SECONDS):
                await self._until_under_way()
        began = time.monotonic()
        try:
            yield
        finally:
            self.faults.append(Fault(name, target, began, time.monotonic(), leaves_no_owner))

    async def hush(self, seconds: float = REST_SECONDS) -> None:
        """End the sending and wait until every message has its end, or the time is over."""
        self._is_sending = False
        await asyncio.wait(self._sending, timeout=seconds)

    async def say_last(self, url: str) -> None:
        """Say one more thing in each room, by way of one gateway."""
        async with asyncio.timeout(READY_SECONDS):
            for room in self._rooms:
                one = self._client(room.members[0], len(self._clients), [url])
                self._clients.append(one)
                await one.client.__aenter__()
                self._reading.append(asyncio.create_task(one.read()))
                await one.client.ready(READY_SECONDS)
                await one.say(self._shape.characters, room.id)

    async def rest(
        self, read_log: Callable[[], Awaitable[list[Row]]], seconds: float = REST_SECONDS
    ) -> list[Row]:
        """End the sending, wait until every connected member was handed every head; return the log.

        Call it after the last fault. A message that has no end in time fails here: repeating must end (G9).
        """
        await self.hush(seconds)
        endless = [wanted for witness in self.journal.witnesses for wanted in witness.endless()]
        assert all(task.done() for task in self._sending), f"no end in {seconds:g} s: {endless}"
        rows = await read_log()
        heads: dict[str, int] = {}
        for row in rows:
            heads[row.room] = max(row.seq, heads.get(row.room, 0))

        def behind() -> list[str]:
            return [one.witness.client for one in self._clients if one.is_behind(heads)]

        with contextlib.suppress(AssertionError):  # the checker says who is behind, and where
            await eventually(lambda: not behind(), seconds, "everybody has everything")
        readers = self.readers()
        await settle_blocks(self.journal.blocks, readers, lambda: new_uuid(self._dice))
        await mark_all(self.journal, readers, lambda: new_uuid(self._dice))
        await agree(self.journal, readers)
        await look_at_all(self.journal, readers, lambda: new_uuid(self._dice))
        await asyncio.gather(watch_all(self.journal, readers), know_all(self.journal, readers))
        return rows

    def readers(self) -> list[Reader]:
        """Return all clients with their journals."""
        return [one.reader for one in self._clients]

    def history(
        self,
        rows: list[Row],
        epochs: list[Epoch],
        baseline: dict[str, int] | None = None,
        tables: Tables | None = None,
    ) -> History:
        """Return everything that was recorded; call it after `rest`, while the clients are connected."""
        rooms = {room.id for room in self._rooms}
        known = (tables or Tables([], [], {}, {})).of_rooms(rooms, self.journal.blocks.blockers())
        return replace(
            self.journal.history(rows, known),
            seed=self._seed,
            memberships=memberships_of(rows, self.memberships),
            faults=sorted(self.faults, key=lambda fault: fault.started_at),
            samples=self.samples,
            ownership=self.ownership,
            epochs=epochs,
            baseline=baseline or {},
        )

    def _client(self, person: Person, number: int, urls: Sequence[str] = ()) -> LoadClient:
        rooms = [room.id for room in self._rooms if any(member.id == person.id for member in room.members)]
        witness = self.journal.witness(f"{person.name}-{number}", person.id)
        client = RoomlogClient(urls or self._urls, person.token, rooms=rooms, observer=witness)
        dice = random.Random(f"{self._seed}-{witness.client}")
        return LoadClient(client, witness, rooms, dice)

    async def _until_under_way(self) -> None:
        while True:
            self.journal.has_sent.clear()
            await self.journal.has_sent.wait()
            await asyncio.sleep(self._dice.uniform(0.0, WAY_SECONDS))
            if self.journal.has_open():
                return

    async def _send(self, one: LoadClient) -> None:
        while self._is_sending and one.rooms:
            burst = [one.say(self._shape.characters) for _ in range(self._shape.burst)]
            if not all(await asyncio.gather(*burst)):
                return
            await asyncio.sleep(one.dice.uniform(*self._shape.pause_seconds))
