"""Reads in threads of their own: nobody's slow read stops writes, logins, cursors or others' reads."""

import threading
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import connection

from roomlog import databases
from roomlog.models import DeadLetter, ShardLease
from roomlog_contract.commands import GetHistory, ListRooms, SelectRoom
from roomlog_contract.envelope import Identified, Identify, Selected
from roomlog_worker import reader
from roomlog_worker.fairness import Fairness
from roomlog_worker.pace import BURST_BYTES, BYTES_PER_SECOND, Pace
from tests.harness.people import People, make_room, make_token, message
from tests.worker.bench import DEADLINE_SECONDS, ON_POSTGRES, Bench, fail, until
from tests.worker.test_reader import entry_of_read

SHORT_MS: Final = 200


@pytest.fixture
def short_reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Reads may take 200 ms, from the next connection on; the bench's writer makes it for all three loops."""
    monkeypatch.setattr(databases, "READ_TIMEOUT_MS", SHORT_MS)
    monkeypatch.setattr(databases, "STATEMENT_TIMEOUT_MS", SHORT_MS)
    connection.close()
    yield
    connection.close()


@ON_POSTGRES
class TestSlowReads:
    """One read takes all the time that it may, always."""

    def test_it_is_given_up_and_answered(
        self, bench: Bench, people: People, short_reads: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It fails alone, five times; logins and others' reads do not wait for it."""
        room, token = make_room(people.alice), make_token(people.alice)
        connection.close()
        monkeypatch.setattr(reader, "_get_history", _slow_for("slow", reader._get_history))
        slow = bench.ask(GetHistory(uuid="slow", room=room), people.alice)
        quick = bench.ask(GetHistory(uuid="quick", room=room), people.bob)
        login = bench.ask(Identify(uuid="i", token=token.key))
        heard = bench.turn()
        assert heard.reply(login, Identified).user is not None
        while quick not in heard.replies:
            assert slow not in heard.replies
            heard = bench.turn()
        assert slow not in heard.replies
        assert bench.worker.consumer.trouble() is None
        assert bench.drain().error(slow) == "internal"
        assert (DeadLetter.objects.get().uuid, DeadLetter.objects.get().error) == ("slow", "OperationalError")

    def test_among_cursors_it_is_found_by_halving(
        self, bench: Bench, people: People, short_reads: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Reads that are asked together end together; then each half stands for itself."""
        room = make_room(people.alice)
        connection.close()
        monkeypatch.setattr(reader, "_select_room", _slow_for("slow", reader._select_room))
        good = [bench.ask(SelectRoom(uuid="s", room=room), people.alice) for _ in range(3)]
        slow = bench.ask(SelectRoom(uuid="slow", room=room), people.alice)
        assert set(bench.turn().replies) == set(good)
        assert bench.drain().error(slow) == "internal"

    def test_a_locked_table_is_nobodys_fault(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The time-out of a lock is shorter: everybody waits for it, and nothing is given up."""
        room = make_room(people.alice)
        monkeypatch.setattr(databases, "READ_LOCK_TIMEOUT_MS", 50)
        connection.close()
        asked = bench.ask(SelectRoom(uuid="s", room=room), people.alice)
        lane = bench.worker.lanes[0]
        holder = connection.copy()
        with holder.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE roomlog_roomhead")
            for _ in range(6):
                lane.turn()
                assert lane.trouble() == "database"
        holder.close()
        assert bench.drain().reply(asked, Selected).seq == 1
        assert not DeadLetter.objects.exists()


class TestThreads:
    """Three loops in one process."""

    def test_a_read_that_hangs_stops_no_write_and_no_login(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The writer turns, cursors go on; the read is answered when it is through."""
        room, token = make_room(people.alice), make_token(people.alice)
        release, get_history = threading.Event(), reader._get_history

        def hang(*asked: Any) -> Any:
            assert release.wait(DEADLINE_SECONDS)
            return get_history(*asked)

        monkeypatch.setattr(reader, "_get_history", hang)
        hanging = bench.ask(GetHistory(uuid="g", room=room), people.alice)
        for lane in bench.worker.lanes:
            lane.start()
        try:
            login = bench.ask(Identify(uuid="i", token=token.key))
            cursor = bench.ask(SelectRoom(uuid="s", room=room), people.bob)
            bench.send(message(room, "written"), people.alice)
            bench.worker.consumer.turn()
            heard = until(bench.hear, lambda heard: {login, cursor} <= heard.replies.keys())
            assert heard.seqs() == [2]
            assert hanging not in heard.replies
            release.set()
            until(bench.hear, lambda heard: hanging in heard.replies)
        finally:
            release.set()
            bench.worker.shutdown.request()
            for lane in bench.worker.lanes:
                lane.join()

    def test_shards_are_free_before_reads_end(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two lanes may take 5 s each to end; meanwhile others write in the rooms."""
        owned: list[int] = []
        for lane in bench.worker.lanes:
            monkeypatch.setattr(
                lane, "join", lambda: owned.append(ShardLease.objects.exclude(owner=None).count())
            )
        bench.worker.shutdown.request()
        bench.worker.consumer.run()
        assert owned == [0, 0]

    def test_a_failing_thread_ends_the_process(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker without its reads looks well and answers no login: it must not live on."""
        lane = bench.worker.lanes[0]
        monkeypatch.setattr(lane, "turn", fail)
        lane.start()
        lane.join()
        assert bench.worker.shutdown.requested
        assert lane.has_failed
        assert not bench.worker.consumer.is_turning()

    def test_a_thread_that_stands_is_noticed(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Liveness covers every loop."""
        assert bench.worker.consumer.is_turning()
        monkeypatch.setattr(bench.worker.lanes[1], "_turned_at", time.monotonic() - 61)
        assert not bench.worker.consumer.is_turning()


def test_a_reply_is_published_before_its_entry_is_gone(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever dies in between has answered; the next owner answers again, which no gateway minds."""
    asked = bench.ask(ListRooms(uuid="l"), people.alice)
    with monkeypatch.context() as patch:
        patch.setattr(bench.worker.lanes[1].bus, "finish", fail)
        with pytest.raises(ZeroDivisionError):
            bench.worker.lanes[1]._answer([_first(bench)])
    assert asked in bench.hear().replies
    assert bench.waiting() == 1
    assert asked in bench.drain().replies


class TestFairness:
    """Whose read comes next."""

    def test_who_has_used_the_least_comes_first(self) -> None:
        """People take turns however much each asks, until it fades."""
        waiting = [entry_of_read(1, str(number)) for number in range(5)] + [entry_of_read(2, "only")]
        chosen = Fairness().take(waiting, 4)
        assert [(entry.envelope.user, entry.id) for entry in chosen] == [
            (1, "0"),
            (2, "only"),
            (1, "1"),
            (1, "2"),
        ]
        fairness = Fairness()
        fairness.charge([entry_of_read(1, "slow")], 1.0)
        waiting = [entry_of_read(1, "a"), entry_of_read(2, "b"), entry_of_read(2, "c")]
        assert [entry.id for entry in fairness.take(waiting, 2)] == ["b", "c"]
        fairness.age(0.0)
        fairness.age(60.0)
        assert fairness.take(waiting, 1)[0].id == "a"

    def test_gateways_questions_come_first(self) -> None:
        """A burst is free, and the rest is not."""
        fairness = Fairness()
        fairness.charge([entry_of_read(0, "login")], 5.0)
        waiting = [entry_of_read(1, "a"), entry_of_read(0, "x"), entry_of_read(0, "y")]
        assert {entry.id for entry in fairness.take(waiting, 3)[:3]} == {"a", "x", "y"}
        fairness.charge([entry_of_read(1, "a")], 0.1)
        assert [entry.id for entry in fairness.take(waiting, 2)] == ["x", "y"]
        pace = Pace(0.0)
        assert pace.seconds_after(BURST_BYTES, 0.0) == 0.0
        assert pace.seconds_after(BYTES_PER_SECOND, 0.0) == 1.0
        assert pace.seconds_after(0, 2.0) == 0.0


class TestPace:
    """How fast replies leave."""

    def test_replies_beyond_the_burst_wait(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A lane that could outrun the gateways that read its replies stands still for a moment."""
        monkeypatch.setattr("roomlog_worker.pace.BURST_BYTES", 0)
        bench.ask(ListRooms(uuid="l"), people.alice)
        bench.worker.shutdown.pauses.clear()
        bench.turn()
        assert [pause for pause in bench.worker.shutdown.pauses if pause < 0.001]


def _slow_for(uuid: str, read: Any) -> Any:
    def perhaps_slow(asked: Any, *others: Any) -> Any:
        if uuid in {getattr(one, "uuid", None) for one in others}:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(5)")
        return read(asked, *others)

    return perhaps_slow


def _first(bench: Bench) -> Any:
    lane = bench.worker.lanes[1]
    (entry,) = lane._readable(lane.bus.read(set(range(64))))
    return entry
