"""What a worker reads, by how much is stored: a log's messages, an install's rooms, one user's rooms.

Beside the gateways: this process asks the worker's reader and the search, on PostgreSQL. The sizes are
databases beside each other on one server, asked in turns; all are gone at the end.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import gettempdir
from typing import Any, Final

import msgspec
from django.core.management import call_command
from django.db import connection

from benchmarks import search as seeding  # first: it sets Django up
from benchmarks.figures import FLAT, Figure, Panel, points
from benchmarks.processes import cpu_seconds
from benchmarks.systems import postgres_server
from benchmarks.town import ROOMS_EACH, SAID, Somebody, Town
from roomlog import notices
from roomlog.models import Membership
from roomlog.search.hits import Search, search
from roomlog_contract.commands import ClientCommand, GetHistory, ListRooms, SelectRoom
from roomlog_contract.envelope import Envelope, Identify, KnownLogin, ReadHeads, Reply
from roomlog_worker.entries import Entry
from roomlog_worker.reader import read
from tests.harness.databases import default_database
from tests.harness.people import add_user, message, written

STATEMENTS: Final = "pg_stat_statements"
SETTINGS: Final = {
    "shared_preload_libraries": STATEMENTS,
    "shared_buffers": "1GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "8GB",
    "autovacuum": "off",
}
"""The server's. Seeded rows are vacuumed and analyzed at once, and nothing runs beside the questions."""
WARM_UPS: Final = 12
"""Asked before it counts: a session prepares a statement at its fifth time and replans it five times."""
LEAST_ASKED: Final = 10
PAGE: Final = 50
BYTES: Final = 3_000
"""Disk space for each message, with its indexes and the log of writing them."""
NEEDLES: Final = 20
"""Messages with the rare word, however long the log is."""
HEADS_AT_ONCE: Final = 2_000
"""What a gateway asks for together."""

Question = Callable[[], object]


@dataclass(frozen=True)
class Store:
    """A database of one size, and what is asked of it."""

    url: str
    questions: Mapping[str, Question]


@dataclass(frozen=True)
class Cost:
    """What one answer takes."""

    milliseconds: float
    cpu_milliseconds: float
    """Of this process and of its session's at the server."""
    blocks: float
    """That the server looked at, in memory or not."""


def history(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure a room's history and the search in it, by the length of its log."""
    with _databases() as fresh:
        stores: dict[int, Store] = {}
        for messages in _powers(1_000, min(largest, shutil.disk_usage(gettempdir()).free // BYTES)):
            url = fresh()
            with default_database(url), _unhurried():
                stores[messages] = Store(url, _long_room(messages))
        panels = _measured(stores, rounds, seconds)
    return Figure("history", "One room, by the length of its log", "messages", panels)


def rooms(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure what somebody in 20 rooms asks, by the number of rooms in the install."""
    with _databases() as fresh:
        stores: dict[int, Store] = {}
        for number in _powers(100, largest):
            url = fresh()
            with default_database(url), _unhurried():
                town = Town.make(number)
                stores[number] = Store(url, _in_town(town, town.somebody(ROOMS_EACH)))
        panels = _measured(stores, rounds, seconds)
    return Figure("rooms", "Somebody in 20 rooms, by the install's rooms", "rooms", panels)


def user(*, largest: int, rounds: int, seconds: float) -> Figure:
    """Measure what somebody's login, list of rooms and heads take, by the number of their rooms."""
    sizes = _powers(10, largest)
    with _databases() as fresh:
        url = fresh()
        with default_database(url), _unhurried():
            town = Town.make(max(sizes))
            stores = {size: Store(url, _of_lists(town, town.somebody(size))) for size in sizes}
        panels = _measured(stores, rounds, seconds, goal=None)
    panels.append(_each(panels[1]))
    return Figure("user", "Somebody in many rooms", "rooms of the user", panels)


def _measured(
    stores: Mapping[int, Store], rounds: int, seconds: float, goal: float | None = FLAT
) -> list[Panel]:
    """Ask every question of every store in turns, each for so many seconds a round."""
    found: dict[str, dict[int, list[Cost]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        for size, store in stores.items():
            with default_database(store.url):
                for name, question in store.questions.items():
                    found[name][size].append(_cost(question, seconds))

    def panel(
        title: str, unit: str, read_cost: Callable[[Cost], float], judged: float | None = None
    ) -> Panel:
        series = {
            name: points({size: [read_cost(cost) for cost in costs] for size, costs in by_size.items()})
            for name, by_size in found.items()
        }
        return Panel(title, unit, series, judged)

    return [
        panel("time of an answer", "ms", lambda cost: cost.milliseconds),
        panel("CPU of worker and PostgreSQL", "ms", lambda cost: cost.cpu_milliseconds, goal),
        panel("blocks looked at", "of 8 KiB", lambda cost: cost.blocks),
    ]


def _each(panel: Panel) -> Panel:
    """Return milliseconds as microseconds for each room."""
    series = {
        name: points(
            {one.at: [1_000 * value / one.at for value in (one.low, one.median, one.high)] for one in old}
        )
        for name, old in panel.series.items()
    }
    return Panel(f"{panel.title}, for each room", "µs", series)


def _cost(question: Question, seconds: float) -> Cost:
    for _ in range(WARM_UPS):
        question()
    session = {"session": connection.connection.info.backend_pid}
    blocks, took = _blocks(), list[float]()
    cpu, end = time.process_time() + cpu_seconds(session)["session"], time.perf_counter() + seconds
    while len(took) < LEAST_ASKED or time.perf_counter() < end:
        began = time.perf_counter()
        question()
        took.append(time.perf_counter() - began)
    cpu = time.process_time() + cpu_seconds(session)["session"] - cpu
    return Cost(1_000 * statistics.median(took), 1_000 * cpu / len(took), (_blocks() - blocks) / len(took))


def _blocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sum(shared_blks_hit + shared_blks_read) FROM {STATEMENTS}")
        return int(cursor.fetchone()[0] or 0)


@contextmanager
def _databases() -> Iterator[Callable[[], str]]:
    """Give what makes empty databases, each a copy of a migrated one, and returns their addresses."""
    notices.disconnect()
    with postgres_server(durable=False, **SETTINGS) as server:
        template = server.create()
        with default_database(server.url(template)), connection.cursor() as cursor:
            cursor.execute(f"CREATE EXTENSION {STATEMENTS}")
            call_command("migrate", verbosity=0)
        yield lambda: server.url(server.create(template))


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let this session seed: without a deadline, and without looking up each row's room and person."""
    began = time.perf_counter()
    seeding.limit_statements(0)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    yield
    print(f"seeded in {time.perf_counter() - began:.0f} s; load {os.getloadavg()[0]:.1f}", flush=True)


def _powers(first: int, last: int) -> list[int]:
    """Return first, ten times first … up to the last."""
    return [first * 10**power for power in range(len(str(last))) if first * 10**power <= last]


def _ask(command: ClientCommand | Identify | ReadHeads, person: int = 0) -> Reply:
    (reply,) = read([Entry(0, "sizes", "1-0", Envelope(command=command, user=person, request=1))])
    return reply


def _messages_of(reply: Reply) -> Sequence[Any]:
    frame: dict[str, Any] = msgspec.json.decode(reply.frame)  # type: ignore[union-attr]
    return frame["room_messages"]  # type: ignore[no-any-return]


def _long_room(messages: int) -> dict[str, Question]:
    """Write one room of so many messages; return what its members ask."""
    people = [add_user(f"person {number}") for number in range(7)]
    asker, (room,) = people[0], seeding.make_rooms(1)
    Membership.objects.bulk_create(Membership(room_id=room, user_id=person) for person in people)
    seeding.seed([room], people, messages, rare=messages // NEEDLES)
    seeding.index_all()
    dice = random.Random(3)

    def page(first: float, last: float) -> Callable[[], Reply]:
        """Return a question for a page that ends somewhere between two shares of the log."""
        places = (max(PAGE + 1, int(messages * first)), int(messages * last))
        return lambda: _ask(GetHistory(uuid="h", room=room, before=dice.randint(*places), limit=PAGE), asker)

    def found(text: str) -> Question:
        return lambda: search(asker, Search(text))

    pages: dict[str, Callable[[], Reply]] = {
        "history at the end": lambda: _ask(GetHistory(uuid="h", room=room, limit=PAGE), asker),
        "in the middle": page(0.4, 0.6),
        "at the start": page(0, 0.1),
    }
    for ask in pages.values():
        assert len(_messages_of(ask())) == PAGE
    assert len(search(asker, Search("needle")).messages) == NEEDLES
    return {
        "select_room": lambda: _ask(SelectRoom(uuid="s", room=room), asker),
        **pages,
        "search: in every fifth message": found("w2"),
        "in every hundredth": found("w60"),
        f"in {NEEDLES} messages": found("needle"),
        "in none": found("nowhere"),
    }


def _in_town(town: Town, asker: Somebody) -> dict[str, Question]:
    """Return what somebody asks, and what somebody else says."""
    said_in, author = town.room(1), town.member_of(1)
    assert search(asker.person, Search("w5")).messages
    return _of_lists(town, asker) | {
        "select_room": lambda: _ask(SelectRoom(uuid="s", room=asker.rooms[0]), asker.person),
        "a search": lambda: search(asker.person, Search("w5")),
        "a message, written": lambda: written(message(said_in, "w5 is said"), author),
    }


def _of_lists(town: Town, asker: Somebody) -> dict[str, Question]:
    """Return the questions about all of somebody's rooms."""
    known = KnownLogin(b"changed", asker.token)

    def heads() -> None:
        """Ask which heads have moved, as a gateway does: none has."""
        for start in range(0, len(asker.rooms), HEADS_AT_ONCE):
            rooms = list(asker.rooms[start : start + HEADS_AT_ONCE])
            _ask(ReadHeads(uuid="r", rooms=rooms, epoch=town.epoch, seqs=[SAID] * len(rooms)))

    return {
        "login": lambda: _ask(Identify(uuid="i", token=asker.token)),
        "recheck": lambda: _ask(Identify(uuid="i", logins=[known])),
        "heads": heads,
        "list_rooms, a page": lambda: _ask(ListRooms(uuid="l"), asker.person),
    }
