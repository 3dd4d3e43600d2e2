"""Faults that heal on the far side of a pooler: PgBouncer, the server behind it, and messages piled up there.

Beside the message's way. One history of chat and requests to the api, in which the faults come one after the
other; then rest, and the checker's verdict.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import psycopg

from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.keyspace import Keyspace
from tests.harness.load import Load
from tests.harness.looking import Watch, read_epoch, read_log, read_tables
from tests.harness.pooler import Pooler
from tests.harness.stack import Room, Stack, User, build_stack
from tests.harness.stack_databases import PostgresDatabase, PostgresDatabases
from tests.harness.waiting import wait_until
from tests.judge.checker import Anomaly, Report, report_on
from tests.processes.faults.campaign import SHAPE, tracebacks
from tests.processes.faults.healing import Healing
from tests.processes.faults.mishaps import strand

PEOPLE: Final = 4
ROOMS: Final = 5
WORKERS: Final = 2
AWAY_SECONDS: Final = 1.0
MIN_SUCCESSES: Final = 100
ASK_SECONDS: Final = 20.0
"""For one answer of the api: longer than any of its time-outs."""
BETWEEN_SECONDS: Final = 0.1
CROWD_ROOMS: Final = 4
CROWD_MESSAGES: Final = 5_000
"""In each of these rooms: 20,000 rows together."""
CROWD_SECONDS: Final = 120.0
"""Until they are all in their rooms, on the slowest of machines."""


@dataclass
class Pooled:
    """Processes, an api among them, that know PostgreSQL only by its pooler."""

    stack: Stack
    pooler: Pooler
    databases: PostgresDatabases
    load: Load
    crowded: Sequence[Room]
    """Rooms in which nobody chats."""


@dataclass
class Asking:
    """Somebody who asks the api for their rooms, again and again."""

    stack: Stack
    user: User
    answers: list[tuple[float, int, str]] = field(default_factory=list)
    """When, status and media type; status 0 where there was none."""

    def anomalies(self) -> list[Anomaly]:
        """Return what was neither an answer nor a refusal that says when to come again."""
        told = {(status, media_type) for _, status, media_type in self.answers}
        right = {(200, "application/json"), (503, "application/problem+json")}
        found = [Anomaly("api", f"answered {status} {media_type!r}") for status, media_type in told - right]
        if not self.answers or self.answers[-1][1] != 200:
            found.append(Anomaly("api", "does not answer at the end"))
        return found

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Ask within the context."""
        is_over = asyncio.Event()
        task = asyncio.create_task(self._ask_until(is_over))
        try:
            yield
        finally:
            is_over.set()
            await task

    async def _ask_until(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            self.answers.append((time.monotonic(), *await asyncio.to_thread(self._ask)))
            await asyncio.sleep(BETWEEN_SECONDS)

    def _ask(self) -> tuple[int, str]:
        connection = HTTPConnection(urlsplit(self.stack.page).netloc, timeout=ASK_SECONDS)
        try:
            connection.request("GET", "/api/v1/rooms/", headers={"Authorization": f"Token {self.user.token}"})
            answer = connection.getresponse()
            return answer.status, answer.headers.get_content_type()
        except (OSError, HTTPException) as error:
            return 0, type(error).__name__
        finally:
            connection.close()


def pooled_healings() -> Sequence[Healing[Pooled]]:
    """Return the faults of this history, in their order."""
    return (
        Healing("restarted", "PgBouncer", _kill_pooler, _start_pooler, AWAY_SECONDS),
        Healing("restarted", "PostgreSQL", _stop_server, _start_server, AWAY_SECONDS, leaves_no_owner=True),
        Healing(
            f"{CROWD_ROOMS * CROWD_MESSAGES:,} rows pending",
            "workers",
            _leave_messages,
            _start_workers,
            0.0,
            leaves_no_owner=True,
            until=_all_delivered,
        ),
    )


async def run_pooled(
    several: Sequence[Healing[Pooled]], seed: int, databases: PostgresDatabases, directory: Path
) -> Report:
    """Run the history and judge it; the logs stay in `directory`."""
    stack = build_stack(directory, databases, gateways=0, workers=0)
    assert isinstance(stack.database, PostgresDatabase)
    pooler = Pooler(stack.database.admit())
    try:
        await asyncio.to_thread(pooler.start)
        _add_processes(stack, pooler.url)
        await asyncio.to_thread(stack.start)
        pooled = Pooled(stack, pooler, databases, *await _populate(stack, seed))
        report = await _run(several, pooled, directory)
        found = tracebacks(stack)
    finally:
        if not databases.server.child.is_running:
            await asyncio.to_thread(databases.server.begin)
        late = await asyncio.to_thread(stack.close)
        await asyncio.to_thread(pooler.remove)
    found += [Anomaly("end", f"{name} did not stop when asked") for name in late]
    return replace(report, anomalies=[*report.anomalies, *found])


def _add_processes(stack: Stack, url: str) -> None:
    stack.environ["ROOMLOG_DATABASE_URL"] = url
    for ordinal in range(WORKERS):
        stack.add_worker(ordinal)
    stack.add_gateway(0)
    stack.add_api()


async def _populate(stack: Stack, seed: int) -> tuple[Load, Sequence[Room]]:
    """Return the load, and rooms that nobody of it is in: reading them would slow it down by itself."""
    *people, app = await asyncio.to_thread(stack.make_users, PEOPLE + 1)
    rooms = await asyncio.to_thread(stack.make_rooms, [people] * ROOMS + [[app]] * CROWD_ROOMS)
    return Load([stack.websocket()], people, rooms[:ROOMS], seed=seed, shape=SHAPE), rooms[ROOMS:]


async def _run(several: Sequence[Healing[Pooled]], pooled: Pooled, directory: Path) -> Report:
    stack, load = pooled.stack, pooled.load
    asking = Asking(stack, pooled.crowded[0].members[0])
    found: list[Anomaly] = []
    async with load, Watch(stack, load):
        async with asking.going_on():
            try:
                await load.succeed(20)
                for healing in several:
                    await healing(pooled)
                await strand(stack, load, ["gateway-0"])
                rows = await load.rest(lambda: read_log(stack))
            except (AssertionError, TimeoutError) as error:
                found.append(Anomaly("G9", f"{type(error).__name__} {str(error)[:500]}"))
                await load.hush()
                rows = await read_log(stack)
        others = {room.id for room in pooled.crowded}
        history = load.history(
            [row for row in rows if row.room not in others],
            [await read_epoch(stack)],
            tables=await read_tables(stack),
        )
    history.save(directory / "history.json")
    for room in others:
        texts = [row.text for row in sorted(rows, key=lambda row: row.seq) if row.room == room]
        if texts != [str(number) for number in range(len(texts))]:
            found.append(Anomaly("I7", f"room {room} has not its app's messages in order"))
    report = await asyncio.to_thread(report_on, history, min_successes=MIN_SUCCESSES)
    return replace(report, anomalies=[*found, *asking.anomalies(), *report.anomalies])


async def _kill_pooler(pooled: Pooled) -> None:
    await asyncio.to_thread(pooled.pooler.kill)


async def _start_pooler(pooled: Pooled) -> None:
    await asyncio.to_thread(pooled.pooler.start)


async def _stop_server(pooled: Pooled) -> None:
    await asyncio.to_thread(pooled.databases.server.end)


async def _start_server(pooled: Pooled) -> None:
    await asyncio.to_thread(pooled.databases.server.begin)


async def _leave_messages(pooled: Pooled) -> None:
    """An app posts while no worker is there."""
    for ordinal in range(WORKERS):
        await asyncio.to_thread(pooled.stack.stop, f"worker-{ordinal}")
    await asyncio.to_thread(_copy_messages, pooled.stack.database.url, pooled.crowded)


def _copy_messages(url: str, rooms: Sequence[Room]) -> None:
    """Leave messages of each room's first member as rows for the workers."""
    columns = "shard, room, user_id, uuid, envelope, date_created"
    statement = f"COPY roomlog_pendingcommand ({columns}) FROM STDIN"
    with psycopg.connect(url) as connection, connection.cursor().copy(statement.encode()) as copy:
        for number in range(CROWD_MESSAGES):
            for room in rooms:
                room_id, user = UUID(room.id), room.members[0].id
                command = NewMessage(uuid=f"pending-{number}", room=room_id, text=f"{number}")
                envelope = encode(Envelope(command=command, user=user))
                shard = Keyspace().shard_of_room(room_id)
                copy.write_row((shard, room_id, user, command.uuid, envelope, datetime.now(UTC)))


async def _start_workers(pooled: Pooled) -> None:
    names = [f"worker-{ordinal}" for ordinal in range(WORKERS)]
    await asyncio.to_thread(pooled.stack.start, *names)


async def _all_delivered(pooled: Pooled) -> None:
    """The chat beside them was served first: some of the rows still waited then."""
    stack = pooled.stack
    pending = "SELECT count(*) FROM roomlog_pendingcommand"
    assert (await asyncio.to_thread(stack.sql, pending)) != [(0,)], "the chat waited for all of the rows"
    await asyncio.to_thread(wait_until, lambda: stack.sql(pending) == [(0,)], CROWD_SECONDS, "no row waits")
    rooms = ", ".join(f"'{room.id}'" for room in pooled.crowded)
    count = f"SELECT count(*) FROM roomlog_roomevent WHERE room_id IN ({rooms})"
    assert await asyncio.to_thread(stack.sql, count) == [(CROWD_ROOMS * CROWD_MESSAGES,)], "rows were dropped"
