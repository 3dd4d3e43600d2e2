"""How fast messages are found among a million, and what the index costs those who write meanwhile.

`.venv/bin/python -m benchmarks.search` (`--sqlite`, `--partitions`, `--messages`, `--rooms`); prints Markdown
tables. The searches are the selector's, without HTTP; the writes are the worker's transactions, without
Redis.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch
from uuid import UUID, uuid4

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from django.conf import settings  # noqa: E402 - models need Django's settings
from django.core.management import call_command  # noqa: E402 - models need Django's settings
from django.db import connection  # noqa: E402

from benchmarks.processes import cpu_seconds  # noqa: E402 - behind Django's start
from roomlog import notices  # noqa: E402
from roomlog.databases import STATEMENT_TIMEOUT_MS  # noqa: E402
from roomlog.models import ChatRoom, Install, Membership, Person, RoomHead, SearchEntry  # noqa: E402
from roomlog.search.entry import EVENT_BITS  # noqa: E402
from roomlog.search.hits import Search, search  # noqa: E402
from roomlog_contract.keyspace import Keyspace  # noqa: E402
from roomlog_contract.limits import ROOMS_PER_USER  # noqa: E402
from roomlog_contract.shards import DEFAULT_SHARDS  # noqa: E402
from roomlog_runtime.shutdown import Shutdown  # noqa: E402
from roomlog_worker.beacon import Pulse  # noqa: E402
from roomlog_worker.consumer import SQLITE_PAUSE_SECONDS  # noqa: E402
from roomlog_worker.indexer import Indexer  # noqa: E402
from tests.harness.databases import default_database  # noqa: E402
from tests.harness.people import add_user, message, write  # noqa: E402
from tests.harness.postgres import PostgresServer, find_binaries  # noqa: E402

START: Final = datetime(2024, 1, 1, tzinfo=UTC)
WORDS: Final = 20_000
WORDS_A_MESSAGE: Final = 10
RARE: Final = 50_000
"""Each of so many messages has the rare word."""
ASKED: Final = 60
BATCH: Final = 50
STEADY: Final = 50
"""Messages a second, one in each transaction."""
COLUMNS: Final = "room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created"


def texts(messages: int, rare: int = RARE) -> Iterator[str]:
    """Yield messages of words as unevenly common as a language's; one of `rare` has the rare word."""
    dice = random.Random(1)
    for number in range(messages):
        words = [f"w{int(WORDS ** dice.random())}" for _ in range(WORDS_A_MESSAGE)]
        yield " ".join([*words, *(["needle"] if number % rare == rare // 2 else [])])


def limit_statements(milliseconds: int) -> None:
    """Give the statements of this session so long; 0: as long as they take."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = {milliseconds}")


def make_rooms(count: int) -> list[UUID]:
    """Make empty rooms without members."""
    rooms, epoch = [uuid4() for _ in range(count)], Install.objects.get().epoch
    ChatRoom.objects.bulk_create(ChatRoom(id=room, name="room") for room in rooms)
    RoomHead.objects.bulk_create(RoomHead(room_id=room, epoch=epoch) for room in rooms)
    return rooms


def seed(rooms: list[UUID], people: list[int], messages: int, rare: int = RARE) -> None:
    """Write the messages round the rooms, ten seconds apart, past the worker."""
    key: Callable[[UUID], str] = str if connection.vendor == "postgresql" else lambda room: room.hex

    def rows() -> Iterator[tuple[object, ...]]:
        for number, text in enumerate(texts(messages, rare)):
            room, round_ = rooms[number % len(rooms)], number // len(rooms)
            moment = START + timedelta(seconds=10 * number)
            seq, author = round_ + 1, people[number % 7 % len(people)]
            yield key(room), seq, round_ + 1, "new_message", author, f"m{number}", "", text, str(moment)

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY roomlog_roomevent ({COLUMNS}) FROM STDIN") as copy:
                for row in rows():
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(COLUMNS.split(", ")))
            cursor.execute("BEGIN IMMEDIATE")
            cursor.executemany(f"INSERT INTO roomlog_roomevent ({COLUMNS}) VALUES ({places})", rows())  # type: ignore[arg-type]
            cursor.execute("COMMIT")
        cursor.execute(
            "UPDATE roomlog_roomhead SET (last_seq, messages) = (SELECT max(seq), max(number)"
            " FROM roomlog_roomevent AS event WHERE event.room_id = roomlog_roomhead.room_id)"
        )
        cursor.execute("ANALYZE")


def index_all() -> None:
    """Index everything by the database itself; these texts are words already."""
    is_postgres = connection.vendor == "postgresql"
    milliseconds = "floor(extract(epoch FROM date_created) * 1000)::bigint"
    if not is_postgres:
        milliseconds = "CAST(round((julianday(date_created) - 2440587.5) * 86400000) AS integer)"
    place = f"({milliseconds} << {EVENT_BITS}) | (id % {1 << EVENT_BITS})"
    with connection.cursor() as cursor:
        if is_postgres:
            cursor.execute("SET maintenance_work_mem = '256MB'")
            cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'entries_by_word'")
            (definition,) = cursor.fetchone()
            cursor.execute("DROP INDEX entries_by_word")
        vector, words = (", vector", ", to_tsvector('simple', text)") if is_postgres else ("", "")
        cursor.execute(
            f"INSERT INTO roomlog_searchentry (id, room, seq, author{vector})"
            f" SELECT {place}, room_id, seq, user_id{words} FROM roomlog_roomevent"
        )
        if is_postgres:
            cursor.execute(definition)
        else:
            cursor.execute(
                "INSERT INTO roomlog_searchtext (rowid, room, words)"
                f" SELECT {place}, room_id, text FROM roomlog_roomevent ORDER BY 1"
            )
        cursor.execute(
            "INSERT INTO roomlog_roomindexed (room_id, seq) SELECT room_id, last_seq FROM roomlog_roomhead"
        )
        cursor.execute("VACUUM ANALYZE" if is_postgres else "ANALYZE")


def searches(rooms: list[UUID], author: int) -> dict[str, Search]:
    """Return what is looked for."""
    return {
        "a word of every fifth message": Search("w2"),
        "of every hundredth": Search("w60"),
        "of one in 2,000": Search("w5000"),
        "of one in 50,000": Search("needle"),
        "of none": Search("nowhere"),
        "a common and a less common word": Search("w1 w60"),
        "two words side by side": Search('"w2 w3"'),
        "the beginning of a word": Search("need*"),
        "a common word in one room": Search("w2", room=rooms[0]),
        "a rare word in one room": Search("w5000", room=rooms[0]),
        "a common word of one author": Search("w2", author=author),
        "an old common word": Search("w2", before=int((START + timedelta(days=10)).timestamp())),
    }


def session() -> dict[str, int]:
    """Return the process that answers this connection's statements, where it is another one."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return {"session": cursor.fetchone()[0]}


def measure(asker: int, wanted: Search) -> tuple[float, float, float, int]:
    """Return the p50 and p95 in ms, the CPU ms of a search with the database's, and the hits of a page."""
    times, found, server = [], 0, session()

    def used() -> float:
        return time.process_time() + sum(cpu_seconds(server).values())

    before = used()
    for _ in range(ASKED):
        began = time.perf_counter()
        found = len(search(asker, wanted).messages)
        times.append(1_000 * (time.perf_counter() - began))
    cpu = 1_000 * (used() - before) / ASKED
    return statistics.median(times), statistics.quantiles(times, n=20)[-1], cpu, found


class Writes:
    """Somebody who writes as a worker does, and an indexer beside it or none."""

    def __init__(self, rooms: list[UUID], author: int) -> None:
        self._rooms = rooms
        self._author = author
        self._dice = random.Random(2)
        self._said = texts(10**9)
        self._pulse = Pulse()

    def report(self, seconds: float) -> None:
        """Print how long a single message takes at a steady rate, and how many go as fast as it goes."""
        singly: dict[bool, list[float]] = {False: [], True: []}
        rates: dict[bool, list[float]] = {False: [], True: []}
        for is_indexing in (False, True) * 3:
            with self._indexer(is_indexing):
                singly[is_indexing] += self._steadily(seconds)
                rates[is_indexing].append(self._quickly(seconds))
        print("\n| writes | without the indexer | beside it |\n|---|---|---|")
        for name, share in (("p50", 10), ("p95", 19)):
            off, on = (
                1_000 * statistics.quantiles(singly[is_on], n=20)[share - 1] for is_on in (False, True)
            )
            print(f"| a message alone, {STEADY}/s, {name} | {off:.1f} ms | {on:.1f} ms |")
        off, on = (statistics.median(rates[is_on]) for is_on in (False, True))
        print(f"| in batches of {BATCH}, as fast as it goes | {off:,.0f}/s | {on:,.0f}/s |", flush=True)

    @contextmanager
    def _indexer(self, is_indexing: bool) -> Iterator[None]:
        shutdown, self._pulse = Shutdown(), Pulse()
        self._pulse.shards = frozenset(range(DEFAULT_SHARDS))
        if is_indexing:
            Indexer(Keyspace(), self._pulse, shutdown).start()
        before = SearchEntry.objects.count()
        yield
        print(f"indexed beside: {SearchEntry.objects.count() - before:,}", file=sys.stderr)
        shutdown.request()
        for thread in threading.enumerate():
            if thread.name == "indexer":
                thread.join(10)
        shutdown.close()

    def _steadily(self, seconds: float) -> list[float]:
        took: list[float] = []
        end = time.perf_counter() + seconds
        due = time.perf_counter()
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            began = time.perf_counter()
            self._write(self._dice.sample(self._rooms, 1))
            took.append(time.perf_counter() - began)
            due += 1 / STEADY
        return took

    def _quickly(self, seconds: float) -> float:
        done, until = 0, time.perf_counter() + seconds
        while time.perf_counter() < until:
            self._pulse.oldest_ms = {0: int(time.time() * 1000) - 1_000}  # commands wait for their turn
            self._write(self._dice.sample(self._rooms, BATCH))
            done += BATCH
            if connection.vendor == "sqlite":
                time.sleep(SQLITE_PAUSE_SECONDS)
        return done / seconds

    def _write(self, rooms: list[UUID]) -> None:
        commands = [
            message(room, next(self._said), uuid=f"{time.time_ns()}-{room.hex[:8]}") for room in rooms
        ]
        write(*((command, self._author) for command in commands))
        self._pulse.wrote(rooms)


def run(url: str, options: argparse.Namespace, partitions: int = 0) -> None:
    """Seed, index and measure one database; with so many partitions of the log, if any."""
    with default_database(url):
        with patch.dict(settings.ROOMLOG, PARTITIONS=partitions):
            call_command("migrate", verbosity=0)
        busy, calm = add_user("busy"), add_user("calm")
        rooms = make_rooms(options.rooms)
        many, some = (rooms[:: max(1, options.rooms // count)] for count in (ROOMS_PER_USER, 30))
        Membership.objects.bulk_create(Membership(room_id=room, user_id=busy) for room in many)
        Membership.objects.bulk_create(Membership(room_id=room, user_id=calm) for room in some)
        people = list(Person.objects.order_by("id").values_list("id", flat=True))
        began = time.monotonic()
        limit_statements(0)
        seed(rooms, people, options.messages)
        seeded = time.monotonic()
        index_all()
        taken = time.monotonic() - seeded
        limit_statements(STATEMENT_TIMEOUT_MS)
        print(f"seeded in {seeded - began:.0f} s", file=sys.stderr)
        print(f"indexed in {taken:.0f} s", file=sys.stderr)
        parts = f", a log in {partitions} partitions" if partitions else ""
        print(f"\n## {connection.vendor}{parts}: {options.messages:,} messages, {options.rooms:,} rooms\n")
        print("| looked for | in | hits | p50 | p95 | CPU |\n|---|---|---|---|---|---|")
        for name, wanted in searches(some, busy).items():
            for asker, where in ((busy, many), (calm, some)):
                *times, found = measure(asker, wanted)
                row = " | ".join(f"{one:.1f} ms" for one in times)
                print(f"| {name} | {len(where):,} rooms | {found} | {row} |", flush=True)
        Writes(many, busy).report(options.seconds)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sqlite", action="store_true", help="SQLite alone")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL alone")
    parser.add_argument(
        "--partitions", type=int, nargs="+", default=[0], help="of the log in PostgreSQL: 0 16 measures both"
    )
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--rooms", type=int, default=3_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    notices.disconnect()
    with ExitStack() as stack:
        if not options.sqlite:
            binaries = find_binaries()
            assert binaries is not None, "no PostgreSQL server"
            server = PostgresServer(binaries, durable=True)
            stack.callback(server.stop)
            server.start()
            for partitions in options.partitions:
                run(server.url(server.create()), options, partitions)
        if not options.postgres:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            run(f"sqlite:///{folder}/store.sqlite3", options)


if __name__ == "__main__":
    main()
