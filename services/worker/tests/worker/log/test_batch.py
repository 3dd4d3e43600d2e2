"""Many commands in one transaction: their order, their repeats, their locks and what they cost."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog_worker.log.batch import Wanted, open_batch
from roomlog_worker.log.pg_roundtrip import Call, Exchange, Rows
from roomlog_worker.log.rules import Recorded
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, add_user, make_room, message, write, written

TRANSACTION = 2
"""BEGIN and COMMIT, as Django counts."""


@contextmanager
def costs(*, exchanges: int, queries: int = 0) -> Iterator[None]:
    """Fail unless a transaction takes so many exchanges, and so many queries of the ORM."""
    asked: list[int] = []
    ask = Exchange.ask

    def count(exchange: Exchange, *calls: Call, commits: bool = False) -> list[Rows]:
        asked.append(len(calls))
        return ask(exchange, *calls, commits=commits)

    with CaptureQueriesContext(connection) as captured, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exchange, "ask", count)
        yield
    assert len(asked) == exchanges
    statements_of_django = sum(asked) if connection.vendor == "sqlite" else 0
    assert len(captured) == TRANSACTION + queries + statements_of_django, captured.captured_queries


@pytest.mark.parametrize("size", [1, 200])
def test_a_batch_costs_the_same_whatever_its_size(people: People, size: int) -> None:
    """One message or 200, in one room or ten, by one sender or three: two exchanges, nothing else."""
    rooms = [make_room(people.alice, [people.bob, people.carol]) for _ in range(10)]
    senders = [people.alice, people.bob, people.carol]
    commands = [(message(rooms[n % 10]), senders[n % 3]) for n in range(size)]
    with costs(exchanges=2):
        results = write(*commands)
    assert all(isinstance(result, Recorded) for result in results)


def test_a_batch_reads_no_more_than_it_needs(people: People) -> None:
    """Replies cost one query more; repeats write nothing; each look-up carries its room."""
    room = make_room(people.alice)
    first = written(message(room), people.alice).event.id
    with costs(exchanges=2, queries=1):
        write(*((message(room, reply_to=first), people.alice) for _ in range(50)))
    room = make_room(people.alice)
    commands = [(message(room), people.alice) for _ in range(20)]
    write(*commands)
    with costs(exchanges=1, queries=1):
        results = write(*commands)
    assert all(isinstance(result, Recorded) and result.duplicate for result in results)
    room = make_room(people.alice)
    command = message(room, reply_to=written(message(room), people.alice).event.id)
    with CaptureQueriesContext(connection) as asked:
        for _ in range(2):
            write((command, people.alice))
    of_django = [one["sql"] for one in asked.captured_queries if 'FROM "roomlog_roomevent"' in one["sql"]]
    assert len(of_django) == 3, "the message that is answered, twice, and the repeat"
    assert all('"room_id" IN' in sql for sql in of_django)


def test_namesakes_of_other_rooms_and_users_are_not_read(people: People, database: str) -> None:
    """Commands called 1, 2, 3 … have thousands; an empty batch reads nothing at all."""
    rooms = [make_room(people.alice, [people.bob]) for _ in range(5)]
    for room in rooms:
        write((message(room, uuid="1"), people.alice), (message(room, uuid="1"), people.bob))
    with transaction.atomic():
        batch = open_batch([Wanted("1", rooms[0], people.bob)], timezone.now())
    assert batch.known.keys() == {("1", rooms[0], people.bob)}
    assert batch.rooms[rooms[0]].members.keys() == {people.bob}
    with transaction.atomic():
        batch = open_batch([], timezone.now())
        batch.store()
    assert not batch.rooms


def test_rooms_that_others_hold_are_left_out(postgres: str) -> None:
    """A locked head is neither awaited nor taken for a missing room; the other rooms are written."""
    alice = add_user("alice")
    locked, free = make_room(alice), make_room(alice)
    with held_elsewhere("roomlog_roomhead WHERE room_id = %s", locked), transaction.atomic():
        batch = open_batch([Wanted("a", locked, alice), Wanted("b", free, alice)], timezone.now())
        assert batch.held_by_others == {locked}
        assert batch.rooms.keys() == {free}
    with transaction.atomic():
        batch = open_batch([Wanted("a", locked, alice)], timezone.now())
    assert batch.rooms.keys() == {locked}
