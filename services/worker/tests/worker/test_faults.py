"""Deaths, outages and late owners: nothing is lost, doubled or reordered, and no answer is a guess."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any, Final
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from redis.exceptions import ConnectionError as RedisConnectionError

from roomlog.models import PendingCommand, RoomEvent, ShardLease, Worker
from roomlog_contract import limits
from roomlog_contract.commands import InviteUser
from roomlog_contract.limits import STREAM_BATCH
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_worker import writer
from roomlog_worker.bus import Bus
from roomlog_worker.leases import POLL_SECONDS, WITHOUT_REDIS_SECONDS
from roomlog_worker.log import statements
from roomlog_worker.log.leases import take_leases
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, make_room, message, post_as, write
from tests.harness.waiting import wait_until
from tests.worker.bench import KEYSPACE, ON_POSTGRES, Bench, Killed
from tests.worker.test_consumer import texts_of
from tests.worker.test_trouble import rooms_of_one_shard

WAIT_SECONDS = 15.0


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Cuts the worker off from the database until its context ends."""

    @contextmanager
    def cut_off() -> Iterator[None]:
        def refuse(self: BaseDatabaseWrapper) -> None:
            raise OperationalError("connection refused")

        connection.close()
        with monkeypatch.context() as patch:
            patch.setattr(BaseDatabaseWrapper, "ensure_connection", refuse)
            yield

    return cut_off


@contextmanager
def around_insert(
    before: Callable[[], None] = lambda: None, after: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Act once, before or after the first events are inserted."""
    done: list[bool] = []

    def acting(append: Callable[..., Any]) -> Callable[..., Any]:
        def act(*arguments: Any, **options: Any) -> Any:
            if done:
                return append(*arguments, **options)
            done.append(True)
            before()
            result = append(*arguments, **options)
            after()
            return result

        return act

    with pytest.MonkeyPatch.context() as patch:
        for name in ("append_events", "append_single"):
            patch.setattr(statements, name, acting(getattr(statements, name)))
        yield
    assert done


def end_session() -> None:
    """End the worker's session, as its server would."""
    _from_elsewhere("SELECT pg_terminate_backend(%s)", _session())
    _wait_for_end()


def _sleep_too_long() -> None:
    with connection.connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 10")
    _wait_for_end()


def _session() -> int:
    pid: int = connection.connection.info.backend_pid
    return pid


def _wait_for_end() -> None:
    there = partial(_from_elsewhere, "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", _session())
    wait_until(lambda: not there(), WAIT_SECONDS, "the session ends")


def _from_elsewhere(statement: str, parameter: int) -> Any:
    other: BaseDatabaseWrapper = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(statement, [parameter])
            return cursor.fetchone()[0]
    finally:
        other.close()


@contextmanager
def _on_a_standby() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    yield


SESSIONS: Final = {
    "its server ended it": lambda: around_insert(before=end_session),
    "it slept in its transaction": lambda: around_insert(before=_sleep_too_long),
    "a failover left a standby": _on_a_standby,
}
"""How the worker's session fails while a batch is written."""


class TestDeaths:
    """The process ends at the worst moment."""

    def test_between_commit_and_publication(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The successor finds the event, publishes it and answers the sender; it is stored once."""
        room = make_room(people.alice)
        request = bench.send(message(room, "survivor"), people.alice)
        monkeypatch.setattr(bench.bus, "finish", _kill)
        with pytest.raises(Killed):
            bench.worker.turn()
        assert texts_of(room) == ["survivor"]
        assert bench.hear().notices == []
        bench.successor().turn_until(lambda: bench.waiting() == 0)
        heard = bench.hear()
        assert heard.seqs() == [2]
        assert heard.frame(request)["seq"] == 2
        assert RoomEvent.objects.filter(room_id=room).count() == 2

    def test_between_publication_and_deletion(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The successor publishes the same bytes again: gateways drop what they have."""
        bench.send(message(make_room(people.alice)), people.alice)
        finish = bench.bus.finish

        def die_before_deleting(notices: Any, done: Any) -> None:
            finish(notices, {})
            raise Killed

        monkeypatch.setattr(bench.bus, "finish", die_before_deleting)
        with pytest.raises(Killed):
            bench.worker.turn()
        first = bench.hear().notices
        bench.successor().turn_until(lambda: bench.waiting() == 0)
        again = bench.hear().notices
        assert [notice.frame for notice in again] == [notice.frame for notice in first]

    def test_inside_the_transaction(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing was written, so the successor writes all of it, in order."""
        room = make_room(people.alice)
        for number in range(2):
            bench.send(message(room, str(number)), people.alice)
        monkeypatch.setattr(writer, "delete_pending", _kill)
        with pytest.raises(Killed):
            bench.worker.turn()
        assert texts_of(room) == []
        monkeypatch.undo()
        bench.successor().turn_until(lambda: bench.waiting() == 0)
        assert texts_of(room) == ["0", "1"]


class TestDatabase:
    """The database fails."""

    def test_a_batch_waits_for_the_database(
        self, bench: Bench, people: People, outage: Callable[[], Any]
    ) -> None:
        """No answer, no dead letter, no other order: when it is back, all is written."""
        room = make_room(people.alice)
        requests = [bench.send(message(room, str(number)), people.alice) for number in range(20)]
        with outage():
            for _ in range(10):
                assert bench.turn().order == []
            assert bench.worker.consumer.trouble() == "database"
            assert bench.worker.shutdown.pauses[-1] == 0.5
        assert [notice.request for notice in bench.drain().notices] == requests
        assert texts_of(room) == [str(number) for number in range(20)]
        assert bench.worker.consumer.trouble() is None

    @ON_POSTGRES
    @pytest.mark.parametrize("harm", SESSIONS.values(), ids=SESSIONS)
    def test_trouble_of_a_session_is_no_entry_s_fault(
        self, bench: Bench, people: People, harm: Callable[[], AbstractContextManager[None]]
    ) -> None:
        """The batch waits for the next session, and no failure of its entries is counted."""
        room = make_room(people.alice)
        bench.send(message(room, "a"), people.alice)
        with harm():
            bench.worker.turn()
        assert bench.worker.consumer.trouble() == "database"
        assert not bench.worker.consumer._isolation._failures
        assert bench.drain().seqs() == [2]
        assert texts_of(room) == ["a"]

    @ON_POSTGRES
    def test_a_room_that_others_hold_waits_in_order(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Let go between two pieces of one batch, the later entries do not overtake the earlier ones."""
        held, free = rooms_of_one_shard(people.alice, 2)
        isolation = bench.worker.consumer._isolation
        run = isolation.run
        monkeypatch.setattr(isolation, "run", lambda entries, step, parked, _: run(entries, step, parked, 1))
        first = [f"first {number}" for number in range(STREAM_BATCH // DEFAULT_SHARDS)]
        for text in first:
            bench.send(message(free, text), people.alice)
        bench.turn()  # one stream is deep: the next read takes a whole batch of it
        for number in range(4):
            bench.send(message(held, str(number)), people.alice)
            bench.send(message(free, str(number)), people.alice)
        holder = ExitStack()
        holder.enter_context(held_elsewhere("roomlog_roomhead WHERE room_id = %s", held))
        with around_insert(after=holder.close):
            bench.turn()
        assert texts_of(free) == [*first, "0", "1", "2", "3"]
        assert texts_of(held) == []
        bench.drain()
        assert texts_of(held) == ["0", "1", "2", "3"]


class TestRedis:
    """Redis fails."""

    def test_what_the_api_wrote_is_carried_out_all_the_same(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Batch after batch becomes events although nobody can be told; gateways find them by the heads."""
        room = make_room(people.alice)
        for number in range(5):
            post_as(room, people.alice, str(number))
        monkeypatch.setattr(limits, "STREAM_BATCH", 2)
        monkeypatch.setattr("roomlog_worker.consumer.WITHOUT_REDIS_SECONDS", 60.0)
        for name in ("read", "finish", "answer"):
            monkeypatch.setattr(bench.bus, name, Mock(side_effect=RedisConnectionError))
        bench.turn()
        assert bench.worker.consumer.trouble() == "redis"
        assert texts_of(room) == ["0", "1", "2", "3", "4"]
        assert not PendingCommand.objects.exists()

    def test_a_server_that_is_gone_ends_a_turn_and_not_the_worker(self, bench: Bench) -> None:
        """A refused connection is trouble; each turn asks again; no shard is taken before Redis answered."""
        bench.worker.leases.release_all()
        worker = bench.another(redis_url="redis://127.0.0.1:1/0")
        for _ in range(3):
            worker.turn()
        assert worker.consumer.trouble() == "redis"
        assert worker.shutdown.pauses == [0.5, *(0.25 for _ in worker.lanes)] * 3
        assert worker.leases.epochs == {}
        assert Worker.objects.count() == 0

    def test_leases_are_kept_while_redis_is_away_for_all(self, bench: Bench, people: People) -> None:
        """The only worker loses it: what the api writes is carried out meanwhile."""
        room = make_room(people.alice)
        bench.worker.consumer._bus = Bus("redis://127.0.0.1:1/0", KEYSPACE)
        for _ in range(4 * round(WITHOUT_REDIS_SECONDS / POLL_SECONDS)):
            bench.worker.turn()
        assert bench.worker.consumer.trouble() == "redis"
        assert len(bench.worker.leases.epochs) == DEFAULT_SHARDS
        post_as(room, people.alice, "by the api")
        bench.worker.consumer._next_sweep = 0.0
        bench.worker.turn()
        assert texts_of(room) == ["by the api"]


class TestLateOwners:
    """Two processes that believe to own one shard."""

    def test_a_late_owner_writes_nothing_and_deletes_nothing(self, bench: Bench, people: People) -> None:
        """What it had read is its successor's work; it goes on without the shard."""
        room = make_room(people.alice)
        shard = KEYSPACE.shard_of_room(room)
        late = bench.worker
        bench.send(message(room, "once"), people.alice)
        successor = bench.another(ordinal=1)
        assert _take(successor.leases, shard)
        late.consumer.turn()
        assert (texts_of(room), bench.waiting()) == ([], 1)
        assert shard not in late.leases.epochs
        assert len(late.leases.epochs) == DEFAULT_SHARDS - 1
        assert bench.hear().order == []

    def test_a_late_owner_refuses_nothing_that_its_successor_may_store(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Paused between its decision and its answer, it finds the shard gone and says nothing."""
        room = make_room(people.alice)
        shard = KEYSPACE.shard_of_room(room)
        successor = bench.another(ordinal=1)
        request = bench.send(message(room, "welcome"), people.bob)
        finish = bench.bus.finish

        def be_late(notices: Any, done: Any) -> None:
            assert _take(successor.leases, shard)
            write((InviteUser(uuid="i", room=room, user=people.bob), people.alice))
            successor.consumer._owned = {shard}
            successor.consumer._turn()
            finish(notices, done)

        monkeypatch.setattr(bench.bus, "finish", be_late)
        monkeypatch.setattr(successor.leases, "keep", lambda: None)
        bench.worker.consumer.turn()
        heard = bench.hear()
        assert [notice.request for notice in heard.notices] == [request]
        assert heard.replies == {}
        assert texts_of(room) == ["welcome"]


def _kill(*_: Any) -> None:
    raise Killed


def _take(leases: Any, shard: int) -> bool:
    """Take one shard over, whoever has it."""
    epoch = ShardLease.objects.get(pk=shard).epoch
    leases.epochs[shard] = epoch + 1
    return take_leases({shard: epoch}, leases.uuid) == {shard}
