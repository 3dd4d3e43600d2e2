"""The indexer's turns: what was written, what an owner before left, and trouble."""

import time
from collections.abc import Collection
from uuid import UUID

import pytest
from django.db import OperationalError, transaction

from roomlog.models import SearchEntry
from roomlog.search import index as indexing
from roomlog.search.index import Indexed
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_runtime.shutdown import Shutdown
from roomlog_worker import indexer
from roomlog_worker.beacon import Pulse
from roomlog_worker.indexer import BEHIND_MS, PAUSE_SECONDS, TROUBLE_SECONDS, Indexer
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, make_room, message, written
from tests.worker.bench import ON_POSTGRES, Bench, Clock


@pytest.fixture
def pulse() -> Pulse:
    """That of a worker with all shards."""
    pulse = Pulse()
    pulse.shards = frozenset(range(DEFAULT_SHARDS))
    return pulse


def entries(room: UUID) -> int:
    """Return how many messages of a room are indexed."""
    return SearchEntry.objects.filter(room=room).count()


def test_what_the_worker_wrote_is_indexed_at_the_next_turn(bench: Bench, people: People) -> None:
    """It says which rooms; a refused command's room may not exist."""
    bench.worker.consumer._pulse = pulse = Pulse()
    pulse.shards = frozenset(range(DEFAULT_SHARDS))
    room = make_room(people.alice)
    own = Indexer(Keyspace(), pulse, Shutdown(), Clock())
    own.turn()
    bench.send(message(room, "tea"), people.alice)
    bench.send(message(UUID(int=1), "tea"), people.alice)
    bench.drain()
    assert pulse.written == {room, UUID(int=1)}
    assert own.turn() == PAUSE_SECONDS
    assert (entries(room), pulse.written) == (1, set())


def test_what_the_owner_before_left_is_found_by_its_head(people: People, pulse: Pulse) -> None:
    """In the shards of one's own alone, when they are taken."""
    room = make_room(people.alice)
    written(message(room, "tea"), people.alice)
    shards, pulse.shards = pulse.shards, pulse.shards - {Keyspace().shard_of_room(room)}
    own = Indexer(Keyspace(), pulse, Shutdown(), Clock())
    own.turn()
    assert entries(room) == 0
    pulse.shards = shards
    own.turn()
    assert entries(room) == 1


def test_a_piece_at_a_time_while_the_writer_is_behind(
    people: People, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the next one follows after as long as this one took."""
    monkeypatch.setattr(indexing, "EVENTS_AT_ONCE", 2)
    room = make_room(people.alice)
    for _ in range(4):
        written(message(room, "tea"), people.alice)
    pulse.oldest_ms = {0: int(time.time() * 1000) - 2 * BEHIND_MS}
    own = Indexer(Keyspace(), pulse, Shutdown())
    assert own.turn() == PAUSE_SECONDS
    pulse.oldest_ms = {}
    assert own.turn() < PAUSE_SECONDS
    assert entries(room) < 4
    own.turn()
    assert entries(room) == 4


def test_a_room_that_fails_holds_nobody_up(
    people: People, pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rooms are tried one by one; the failing one again and again, without an end of the thread."""
    bad, good = (make_room(people.alice) for _ in range(2))
    written(message(good, "tea"), people.alice)

    def index(rooms: Collection[UUID]) -> Indexed:
        if bad in rooms:
            raise ValueError("a text")
        return indexing.index(rooms)

    monkeypatch.setattr(indexer, "index", index)
    pulse.written = {bad, good}
    own = Indexer(Keyspace(), pulse, Shutdown())
    waits = [own.turn() for _ in range(4)]
    assert TROUBLE_SECONDS in waits
    assert entries(good) == 1


@ON_POSTGRES
def test_a_room_that_another_worker_indexes_is_passed_over(people: People, pulse: Pulse) -> None:
    """Without waiting, and tried again."""
    room = make_room(people.alice)
    written(message(room, "tea"), people.alice)
    indexing._begin([room])
    own = Indexer(Keyspace(), pulse, Shutdown(), Clock())
    with held_elsewhere("roomlog_roomindexed WHERE room_id = %s", room):
        assert own.turn() == PAUSE_SECONDS
        assert entries(room) == 0
    own.turn()
    assert entries(room) == 1


@ON_POSTGRES
def test_a_deletion_waits_for_the_index_of_its_room(people: People) -> None:
    """Else a text that was just read would come into the index after it."""
    room = make_room(people.alice)
    indexing._begin([room])
    with (
        held_elsewhere("roomlog_roomindexed WHERE room_id = %s", room),
        pytest.raises(OperationalError),
        transaction.atomic(),
    ):
        indexing.forget(room, [1])
