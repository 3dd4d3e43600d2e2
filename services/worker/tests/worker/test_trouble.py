"""What fails every entry is no entry's fault: it is waited for; nothing is buried, denied or reordered."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from structlog.testing import capture_logs

from roomlog.models import DeadLetter, PendingCommand, RoomEvent
from roomlog.new_event import NewEvent
from roomlog.pending import row_of
from roomlog_contract.commands import CreateRoom, NewMessage
from roomlog_contract.envelope import Envelope
from roomlog_contract.limits import ENTRY_TRIES
from roomlog_contract.shards import created_room_id
from roomlog_runtime import refused_login
from roomlog_worker.claim import Claim
from roomlog_worker.errors import LoginRefused
from roomlog_worker.log.asked import Asked
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.rules import RULES
from roomlog_worker.log.rules.messages import new_message
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, make_room, message, post_as
from tests.worker.bench import KEYSPACE, ON_POSTGRES, Bench, carried_out, fail
from tests.worker.test_consumer import texts_of

Fault = Callable[[], AbstractContextManager[None]]
TURNS = 4 * ENTRY_TRIES
EVENTS = "roomlog_roomevent"
LETTERS = "roomlog_deadletter"


def elsewhere(*statements: str) -> None:
    """Execute statements in a session of an operator's."""
    other: BaseDatabaseWrapper = connection.copy()
    try:
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        other.close()


@contextmanager
def renamed(table: str) -> Iterator[None]:
    """The table has another name meanwhile, as in a migration that runs before its code."""
    elsewhere(f"ALTER TABLE {table} RENAME TO elsewhere")
    try:
        yield
    finally:
        elsewhere(f"ALTER TABLE elsewhere RENAME TO {table}")


@contextmanager
def trigger(condition: str = "", state: str = "") -> Iterator[None]:
    """The database refuses new events meanwhile, those of which the condition is true."""
    when = f"WHEN ({condition})" if condition else ""
    if connection.vendor == "sqlite":
        elsewhere(
            f"CREATE TRIGGER refuse BEFORE INSERT ON {EVENTS} {when} BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    else:
        using = f" USING ERRCODE = '{state}'" if state else ""
        elsewhere(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION 'no'{using}; END $$",
            f"CREATE TRIGGER refuse BEFORE INSERT ON {EVENTS} FOR EACH ROW {when} EXECUTE FUNCTION refuse()",
        )
    try:
        yield
    finally:
        elsewhere("DROP TRIGGER refuse" if connection.vendor == "sqlite" else "DROP FUNCTION refuse CASCADE")


@contextmanager
def no_messages() -> Iterator[None]:
    """Our own code fails for every message meanwhile."""
    with patch.dict(RULES, {NewMessage: fail}):
        yield


def failing_rule(
    monkeypatch: pytest.MonkeyPatch,
    fails: Callable[[Asked[NewMessage]], bool],
    error: type[BaseException] = ZeroDivisionError,
) -> None:
    """Let the code fail for some messages."""

    def rule(batch: Batch, asked: Asked[NewMessage]) -> NewEvent:
        if fails(asked):
            raise error
        return new_message(batch, asked)

    monkeypatch.setitem(RULES, NewMessage, rule)


def rooms_of_one_shard(owner: int, count: int) -> Sequence[UUID]:
    """Return rooms whose commands share a stream."""
    by_shard: dict[int, list[UUID]] = {}
    while True:
        room = make_room(owner)
        mine = by_shard.setdefault(KEYSPACE.shard_of_room(room), [])
        mine.append(room)
        if len(mine) == count:
            return mine


def post_many(room: UUID, user: int, count: int) -> None:
    """Leave so many rows, numbered in their texts, without a wake-up."""
    commands = (message(room, str(number)) for number in range(count))
    PendingCommand.objects.bulk_create(row_of(room, Envelope(command=one, user=user)) for one in commands)


class TestOfAll:
    """Faults that every entry would have."""

    @ON_POSTGRES
    def test_a_changed_schema_costs_one_turn(self, bench: Bench, people: People) -> None:
        """A statement that was prepared before a column was widened fails; a new session knows better."""
        room = make_room(people.alice, [people.bob])
        bench.send(message(room, "before"), people.alice)
        bench.turn()
        elsewhere("ALTER TABLE roomlog_person ALTER name TYPE varchar(151)")
        try:
            bench.send(message(room, "after"), people.bob)
            with capture_logs() as logs:
                bench.turn(2)
        finally:
            elsewhere("ALTER TABLE roomlog_person ALTER name TYPE varchar(150)")
        assert texts_of(room) == ["before", "after"]
        assert not DeadLetter.objects.exists()
        assert [(log["event"], log.get("sqlstate")) for log in logs] == [
            ("trouble", "0A000"),
            ("trouble_over", None),
        ]

    @ON_POSTGRES
    def test_lost_prepared_statements_cost_one_turn(self, bench: Bench, people: People) -> None:
        """A pooler gave this session another server, or somebody discarded what it had."""
        room = make_room(people.alice)
        for number in range(3):
            bench.send(message(room, str(number)), people.alice)
            with connection.cursor() as cursor:
                cursor.execute("DEALLOCATE ALL")
            bench.turn(2)
        assert texts_of(room) == ["0", "1", "2"]
        assert not DeadLetter.objects.exists()

    @pytest.mark.parametrize(
        ("fault", "trouble", "rooms"),
        [
            pytest.param(partial(renamed, EVENTS), "database", 3, id="no events"),
            pytest.param(partial(renamed, "roomlog_roomhead"), "database", 3, id="no heads"),
            pytest.param(partial(renamed, "roomlog_membership"), "database", 3, id="no members"),
            pytest.param(trigger, "entries", 5, id="a constraint"),
            pytest.param(no_messages, "entries", 3, id="a bug of ours"),
        ],
    )
    def test_common_trouble_buries_nothing(
        self, bench: Bench, people: People, fault: Fault, trouble: str, rooms: int
    ) -> None:
        """Messages and rows of the api wait, and come in order when it is over. It is told once.

        A constraint looks like an entry's own fault; but different entries have it, and none succeeds.
        """
        made = [make_room(people.alice) for _ in range(rooms)]
        for number in range(10):
            bench.send(message(made[number % rooms], str(number)), people.alice)
        post_as(made[0], people.alice, "row")
        with fault(), capture_logs() as logs:
            assert bench.turn(TURNS).replies == {}
            assert bench.worker.consumer.trouble() == trouble
            assert len([log for log in logs if log["event"] == "trouble"]) == 1
        bench.drain()
        bench.worker.turn_until(carried_out)
        assert [[text for text in texts_of(room) if text != "row"] for room in made] == [
            [str(number) for number in range(start, 10, rooms)] for start in range(rooms)
        ]
        assert not DeadLetter.objects.exists()

    def test_the_entries_of_one_room_are_compared_too(self, bench: Bench, people: People) -> None:
        """The worker's only busy room: those behind the first are rehearsed, not stored before it."""
        room = make_room(people.alice)
        for number in range(5):
            bench.send(message(room, str(number)), people.alice)
        with trigger():
            assert bench.turn(TURNS).replies == {}
        bench.drain()
        assert texts_of(room) == [str(number) for number in range(5)]
        assert not DeadLetter.objects.exists()

    def test_entries_that_come_one_by_one_are_compared_too(self, bench: Bench, people: People) -> None:
        """The first has five tries, as an entry that is alone must have; then nothing more is buried."""
        rooms = [make_room(people.alice) for _ in range(4)]
        with trigger():
            for number, room in enumerate(rooms):
                bench.send(message(room, str(number)), people.alice)
                bench.turn(TURNS)
        assert DeadLetter.objects.count() == 1
        bench.drain()
        assert RoomEvent.objects.filter(kind="new_message").count() == 3

    def test_a_success_of_another_action_proves_nothing(self, bench: Bench, people: People) -> None:
        """No room can be made: none is denied, and the chat in other rooms goes on."""
        room = make_room(people.alice)
        commands = [CreateRoom(uuid=f"new-{number}", name="new") for number in range(3)]
        for command in commands:
            bench.send(command, people.alice)
        with patch.dict(RULES, {CreateRoom: fail}):
            for number in range(TURNS):
                bench.send(message(room, str(number)), people.alice)
                bench.turn()
        assert texts_of(room) == [str(number) for number in range(TURNS)]
        assert not DeadLetter.objects.exists()
        bench.drain()
        made = [created_room_id(people.alice, command.uuid) for command in commands]
        assert RoomEvent.objects.filter(room_id__in=made).count() == 3


class TestOfSome:
    """Faults that some entries have, and others must not wait for."""

    @ON_POSTGRES
    @pytest.mark.parametrize("state", ["42501", "0A000", "55000", "XX000", "57014", "26000"])
    def test_trouble_of_one_room_stops_no_other(self, bench: Bench, people: People, state: str) -> None:
        """What only certain rows meet is never buried, and its room keeps its order."""
        sick, well = make_room(people.alice), make_room(people.alice)
        with trigger("NEW.text = 'sick'", state):
            for number in range(3):
                bench.send(message(sick, "sick"), people.alice)
                bench.send(message(sick, str(number)), people.alice)
                bench.send(message(well, str(number)), people.alice)
                bench.turn(TURNS)
            assert texts_of(well) == ["0", "1", "2"]
        bench.drain()
        assert texts_of(sick) == ["sick", "0", "sick", "1", "sick", "2"]
        assert not DeadLetter.objects.exists()

    def test_a_grave_that_can_t_be_dug_stops_nobody(self, bench: Bench, people: People) -> None:
        """The entry waits for its burial, others go on; what can't be decoded waits likewise."""
        sick, well = make_room(people.alice), make_room(people.alice)
        with trigger("NEW.text = 'sick'"), renamed(LETTERS):
            bench.send(message(sick, "sick"), people.alice)
            bench.add_raw(KEYSPACE.in_stream(5), b"\xc1 nonsense")
            for number in range(TURNS):
                bench.send(message(well, str(number)), people.alice)
                bench.turn()
            assert texts_of(well) == [str(number) for number in range(TURNS)]
            assert bench.waiting() == 2
        with trigger("NEW.text = 'sick'"):
            bench.drain()
        assert DeadLetter.objects.count() == 2


class TestParking:
    """Rooms that wait, and the others of their shard."""

    @ON_POSTGRES
    def test_a_locked_room_stops_no_other_of_its_shard(self, bench: Bench, people: People) -> None:
        """However many of its entries stand before theirs; later it has all of them, in order."""
        locked, free = rooms_of_one_shard(people.alice, 2)
        with held_elsewhere("roomlog_roomhead WHERE room_id = %s", locked):
            for number in range(900):
                bench.send(message(locked, str(number)), people.alice)
            bench.send(message(free, "first"), people.alice)
            assert bench.worker.turn_until(lambda: texts_of(free) == ["first"]) <= 8
            for number in range(20):
                bench.send(message(locked, str(900 + number)), people.alice)
                bench.send(message(free, str(number)), people.alice)
                bench.worker.turn_until(lambda: texts_of(free)[-1] == str(number))  # noqa: B023
            assert texts_of(locked) == []
        bench.drain()
        assert texts_of(locked) == [str(number) for number in range(920)]
        assert texts_of(free) == ["first", *(str(number) for number in range(20))]

    @ON_POSTGRES
    def test_its_rows_stop_nobody_s_rows(self, bench: Bench, people: People) -> None:
        """The oldest rows are all of one locked room."""
        locked, free = make_room(people.alice), make_room(people.alice)
        with held_elsewhere("roomlog_roomhead WHERE room_id = %s", locked):
            post_many(locked, people.alice, 600)
            post_as(free, people.alice, "row")
            bench.worker.consumer._next_sweep = 0.0
            assert bench.worker.turn_until(lambda: texts_of(free) == ["row"]) <= 5
        bench.worker.turn_until(lambda: carried_out() or _sweep(bench))
        assert texts_of(locked) == [str(number) for number in range(600)]

    def test_a_room_that_only_fails_stops_no_other(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each of its entries takes five tries; whoever stands behind 300 of them is heard at once."""
        sick, well = rooms_of_one_shard(people.alice, 2)

        failing_rule(monkeypatch, lambda asked: asked.room == sick)
        for number in range(300):
            bench.send(message(sick, str(number)), people.alice)
        bench.send(message(well, "heard"), people.alice)
        assert bench.worker.turn_until(lambda: texts_of(well) == ["heard"]) <= 4


class TestSweeps:
    """Many rows of the api's that nobody announced."""

    def test_a_full_sweep_is_followed_by_the_next(self, bench: Bench, people: People) -> None:
        """Without a pause, and the streams have their turn in between."""
        room, other = make_room(people.alice), make_room(people.alice)
        post_many(room, people.alice, 1_000)
        bench.worker.consumer._next_sweep = 0.0
        bench.turn()
        bench.send(message(other, "between"), people.alice)
        bench.turn()
        assert texts_of(other) == ["between"]
        assert 0 < PendingCommand.objects.count() <= 488
        bench.turn(2)
        assert texts_of(room) == [str(number) for number in range(1_000)]
        assert not PendingCommand.objects.exists()


def _sweep(bench: Bench) -> bool:
    bench.worker.consumer._next_sweep = 0.0
    return False


def test_a_password_that_ceases_to_fit_ends_the_worker(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its next start reads the Secret of then; a refusal that passes within the time is waited for."""
    refusal = OperationalError()
    refusal.__cause__ = psycopg.errors.InvalidPassword()
    with patch.object(Claim, "renew", side_effect=refusal):
        bench.turn(2)
        monkeypatch.setattr(refused_login, "REFUSED_SECONDS", 0.0)
        with pytest.raises(LoginRefused, match="database"), capture_logs() as logs:
            bench.turn()
    assert [log["event"] for log in logs] == ["login_refused"]
