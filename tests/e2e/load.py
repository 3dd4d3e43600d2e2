"""A load of 20 senders and 100 connections through the address that people use.

First and last stage of every message of the fault tests: the harness's load on a cluster, and beside it the
question which worker owns what. It judges nothing.
"""

import asyncio
import contextlib
import re
import time
from typing import Any, Final, Self

import aiohttp

from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.e2e.people import read_log
from tests.harness import load
from tests.harness.joining import Invitations
from tests.harness.load import Shape
from tests.harness.stack import Room, User
from tests.harness.waiting import eventually
from tests.judge.history import Epoch, History, Row
from tests.judge.samples import Ownership

SERVICE_SECONDS: Final = 120.0
"""For every sender to have service again: a node that is gone is given up after 40 s, its pods much later."""
SHAPE: Final = Shape(connections=settings.CONNECTIONS // settings.USERS, pause_seconds=(0.6, 1.4))
"""Bursts of three every second: about 60 messages a second in all, each to 40 connections."""
SAMPLE_SECONDS: Final = 1.0
OWNED: Final = re.compile(r'^roomlog_worker_shard_owned\{shard="(\d+)"\} 1\.0$', re.MULTILINE)


class Load(load.Load):
    """Clients that send and read until they are told to rest, and a look at the shards each second."""

    def __init__(
        self,
        cluster: Cluster,
        users: list[User],
        rooms: list[Room],
        seed: int,
        url: str = settings.WEBSOCKET,
        shape: Shape = SHAPE,
        invitations: Invitations | None = None,
        knows_all: bool = True,
    ) -> None:
        more: dict[str, Any] = {"invitations": invitations, "knows_all": knows_all}
        super().__init__([url], users, rooms, seed=seed, shape=shape, **more)
        self.rest_seconds = 0.0
        self._cluster = cluster
        self._places = rooms
        self._watching: asyncio.Task[None] | None = None
        self._began_at = 0.0

    async def __aenter__(self) -> Self:
        """Connect everybody, then let the senders begin."""
        await super().__aenter__()
        self._watching = asyncio.create_task(self._watch_shards())
        self._began_at = time.monotonic()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close everything."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        await super().__aexit__()

    async def reach_everybody(self) -> None:
        """Wait until every sender's next message has been answered: each has service again."""
        counts = {one.witness: one.witness.answered for one in self._senders}

        def all_answered() -> bool:
            return all(witness.answered > count for witness, count in counts.items())

        await eventually(all_answered, SERVICE_SECONDS, "every sender has service again")

    async def last(self, seconds: float) -> None:
        """Go on until the load is that old: the length of a history is part of its evidence."""
        await asyncio.sleep(self._began_at + seconds - time.monotonic())

    async def finish(self) -> History:
        """End the sending, wait until everybody has everything, and return all that was recorded."""
        epochs: list[Epoch] = []
        began = 0.0

        async def read_rows() -> list[Row]:
            nonlocal began
            began = time.monotonic()
            rows, epoch, _ = await read_log(self._cluster, self._places)
            epochs.append(epoch)
            return rows

        rows = await self.rest(read_rows)
        self.rest_seconds = time.monotonic() - began
        _, _, tables = await read_log(self._cluster, self._places)  # with the last marks and blocks
        return self.history(rows, epochs, tables=tables)

    async def _watch_shards(self) -> None:
        """Write down again and again which shards the workers say they own."""
        while True:
            began = time.monotonic()
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                self.ownership.append(Ownership(began, await self._owned()))
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _owned(self) -> frozenset[int]:
        names = [pod["metadata"]["name"] for pod in await self._cluster.pods("worker")]
        answers = (self._cluster.metrics(name, "worker") for name in names)
        texts = await asyncio.gather(*answers, return_exceptions=True)
        return frozenset(int(n) for text in texts if isinstance(text, str) for n in OWNED.findall(text))
