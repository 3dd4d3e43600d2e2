"""Entries that fail, and entries that kill: found, given five tries and buried, while the others go on."""

from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from redis import Redis

from roomlog.models import DeadLetter, PendingCommand
from roomlog_contract.commands import GetHistory, NewMessage
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.limits import ENTRY_TRIES
from roomlog_worker import publications, reader, writer
from roomlog_worker.log import rules
from roomlog_worker.log.asked import Asked
from tests.harness.people import People, make_room, message, post_as
from tests.worker.bench import GATEWAY, KEYSPACE, Bench, Killed
from tests.worker.test_consumer import texts_of
from tests.worker.test_trouble import failing_rule, trigger


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code fails for every message that says so."""
    failing_rule(monkeypatch, lambda asked: "poison" in asked.command.text)


class TestFailures:
    """An entry that fails."""

    def test_the_poison_is_isolated_and_buried(self, bench: Bench, people: People, poisoned: None) -> None:
        """Other rooms are written in the first turn; the own room waits, then goes on in order."""
        sick, well = make_room(people.alice), make_room(people.alice)
        bench.send(message(sick, "before"), people.alice)
        bad = bench.send(message(sick, "poison", uuid="bad"), people.alice)
        behind = [bench.send(message(sick, f"behind {n}"), people.alice) for n in range(3)]
        for number in range(20):
            bench.send(message(well, str(number)), people.alice)
        bench.worker.turn_until(lambda: len(texts_of(well)) == 20)
        assert texts_of(sick) == ["before"]
        heard = bench.hear()
        assert heard.replies == {}
        assert not DeadLetter.objects.exists()
        heard = bench.drain()
        assert heard.error(bad) == "internal"
        assert set(heard.replies) == {bad}
        assert [notice.request for notice in heard.notices] == behind
        assert texts_of(sick) == ["before", "behind 0", "behind 1", "behind 2"]
        letter = DeadLetter.objects.get()
        facts = (letter.uuid, letter.action, letter.room, letter.error)
        assert facts == ("bad", "new_message", sick, "ZeroDivisionError")

    def test_it_has_five_tries(self, bench: Bench, people: People, poisoned: None) -> None:
        """Not fewer: what fails by chance gets through. Not more: its room waits for it."""
        bench.send(message(make_room(people.alice), "poison"), people.alice)
        bench.turn(ENTRY_TRIES - 1)
        assert not DeadLetter.objects.exists()
        bench.turn()
        assert DeadLetter.objects.count() == 1

    def test_what_cannot_be_stored_is_buried(self, bench: Bench, people: People) -> None:
        """The statement of a batch fails for one row; NUL passes msgpack but not PostgreSQL."""
        sick, well = make_room(people.alice), make_room(people.alice)
        with trigger("NEW.text = 'poison'"):
            bad = bench.send(message(sick, "poison"), people.alice)
            for number in range(10):
                bench.send(message((sick, well)[number % 2], str(number)), people.alice)
            heard = bench.drain()
        assert heard.error(bad) == "internal"
        assert texts_of(well) == ["1", "3", "5", "7", "9"]
        assert texts_of(sick) == ["0", "2", "4", "6", "8"]
        room = make_room(people.alice)
        bad = bench.send(message(room, "a\0b"), people.alice)
        nameless = bench.send(message(room, uuid="a\0b"), people.alice)
        bench.send(message(room, "behind"), people.alice)
        heard = bench.drain()
        assert nameless not in heard.replies
        assert DeadLetter.objects.filter(error="undecodable").count() == 1
        assert texts_of(room)[-1] == "behind"
        if connection.vendor == "postgresql":
            assert heard.error(bad) == "internal"

    def test_one_that_recovers_is_nobody_s_dead_letter(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Four failures and a success: the count is forgotten, the order kept."""
        room = make_room(people.alice)
        left = [ENTRY_TRIES - 1]

        def fails(_: Asked[NewMessage]) -> bool:
            left[0] -= 1
            return left[0] >= 0

        failing_rule(monkeypatch, fails)
        bench.send(message(room, "a"), people.alice)
        bench.drain()
        assert texts_of(room) == ["a"]
        left[0] = ENTRY_TRIES - 1
        bench.send(message(room, "b"), people.alice)
        bench.drain()
        assert texts_of(room) == ["a", "b"]
        assert not DeadLetter.objects.exists()

    def test_namesakes_are_counted_apart(self, bench: Bench, people: People, poisoned: None) -> None:
        """The first entries of a millisecond have one id in every stream: their failures don't add up."""
        streams: dict[str, UUID] = {}
        while len(streams) < 3:
            room = make_room(people.alice)
            streams[KEYSPACE.in_stream(KEYSPACE.shard_of_room(room))] = room
        for number, (stream, room) in enumerate(streams.items()):
            envelope = Envelope(
                command=message(room, "poison"), gateway=GATEWAY, request=number, user=people.alice
            )
            bench.redis.xadd(stream, {"e": encode(envelope)}, id="7-7")
        well = make_room(people.alice)
        for turn in range(1, ENTRY_TRIES + 1):
            assert not DeadLetter.objects.exists()
            # Else they fail alike, and it is nobody's fault.
            bench.send(message(well, str(turn)), people.alice)
            bench.turn()
        assert DeadLetter.objects.count() == 3

    def test_a_row_of_the_api_is_buried_as_well(self, bench: Bench, people: People, poisoned: None) -> None:
        """The row goes with the dead letter; what was posted behind it follows."""
        room = make_room(people.alice)
        post_as(room, people.alice, "poison")
        post_as(room, people.alice, "behind")
        for _ in range(2 * ENTRY_TRIES):
            bench.wake(room)
            bench.turn()
        assert not PendingCommand.objects.exists()
        assert texts_of(room) == ["behind"]
        assert DeadLetter.objects.get().entry.startswith("pending-")

    def test_what_fails_after_its_commit_is_never_denied(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The event is in the log: its sender gets no answer, and a repeat says the truth."""
        room = make_room(people.alice)
        said = message(room, "stored")
        monkeypatch.setattr(writer, "publications", _fail_for_events)
        bench.send(said, people.alice)
        assert bench.drain().replies == {}
        assert texts_of(room) == ["stored"]
        assert DeadLetter.objects.count() == 1
        monkeypatch.setattr(writer, "publications", publications.publications)
        again = bench.send(said, people.alice)
        assert bench.turn().frame(again)["duplicate"] is True

    def test_a_read_that_fails_is_given_up_alone(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Other reads are answered meanwhile, those of the same room too."""
        room, other = make_room(people.alice), make_room(people.bob)
        get_history = reader._get_history

        def fail(envelope: Envelope, command: GetHistory, *others: Any) -> Any:
            if command.uuid == "bad":
                raise ZeroDivisionError
            return get_history(envelope, command, *others)

        monkeypatch.setattr(reader, "_get_history", fail)
        bad = bench.ask(GetHistory(uuid="bad", room=room), people.alice)
        good = [
            bench.ask(GetHistory(uuid="good", room=room), people.alice),
            bench.ask(GetHistory(uuid="good", room=other), people.bob),
        ]
        assert set(bench.turn().replies) == set(good)
        assert bench.drain().error(bad) == "internal"
        assert DeadLetter.objects.get().entry.startswith("browse ")


class TestKillers:
    """An entry that ends its process without an exception."""

    def test_it_is_buried_by_the_sixth_owner(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each successor counts before it tries; the entries before and behind the killer get through."""
        room, other = make_room(people.alice), make_room(people.alice)
        failing_rule(monkeypatch, lambda asked: asked.command.text == "killer", Killed)
        for text in ("before", "killer", "behind"):
            last = bench.send(message(room, text), people.alice)
            bench.send(message(other, text.replace("killer", "harmless")), people.alice)
        with pytest.raises(Killed):
            bench.worker.turn_until(lambda: False)
        for _ in range(ENTRY_TRIES):
            with pytest.raises(Killed):
                bench.successor()
        bench.successor().turn_until(lambda: bench.waiting() == 0)
        assert texts_of(room) == ["before", "behind"]
        assert texts_of(other) == ["before", "harmless", "behind"]
        assert DeadLetter.objects.get().error == "kills its process"
        heard = bench.hear()
        refused = [heard.frame(request).get("error_code") for request in heard.replies]
        assert [code for code in refused if code] == ["internal"]
        assert last in {notice.request for notice in heard.notices}
        assert not _counts(bench.redis)

    def test_an_outage_is_no_try(self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        """A database away for ten turns after a takeover must not bury the first entries."""
        room = make_room(people.alice)
        bench.send(message(room, "innocent"), people.alice)
        successor = bench.another()
        with monkeypatch.context() as patch:
            patch.setattr(rules, "carry_out", _trouble)
            for _ in range(40):
                successor.turn()
        assert successor.consumer.trouble() == "database"
        assert not _counts(bench.redis)
        successor.turn_until(lambda: texts_of(room) == ["innocent"])
        assert not DeadLetter.objects.exists()

    def test_a_full_redis_does_not_stop_a_takeover(self, bench: Bench, people: People) -> None:
        """Counting needs memory that only going on can free."""
        room = make_room(people.alice)
        for number in range(10):
            bench.send(message(room, str(number)), people.alice)
        bench.redis.config_set("maxmemory", "1")
        try:
            bench.successor().turn_until(lambda: bench.waiting() == 0)
        finally:
            bench.redis.config_set("maxmemory", "0")
        assert texts_of(room) == [str(number) for number in range(10)]

    def test_those_behind_are_not_worn_out(self, bench: Bench, people: People, poisoned: None) -> None:
        """While a room waits for its poison, the tries of its other entries are not counted."""
        room = make_room(people.alice)
        bench.send(message(room, "poison"), people.alice)
        for number in range(3):
            bench.send(message(room, str(number)), people.alice)
        bench.successor().turn_until(lambda: bench.waiting() == 0)
        assert texts_of(room) == ["0", "1", "2"]
        assert DeadLetter.objects.get().error == "ZeroDivisionError"

    def test_an_idle_shard_is_acquitted_at_once(self, bench: Bench, people: People) -> None:
        """Suspicion ends with the entries that were there: later ones are taken in batches."""
        room = make_room(people.alice)
        successor = bench.successor()
        successor.turn()
        assert not successor.consumer._isolation._suspects
        bench.send(message(room), people.alice)
        successor.turn()
        assert not _counts(bench.redis)

    def test_counting_opens_no_connection(self, bench: Bench) -> None:
        """Each bus has one, also after the first takeover from an owner that died."""
        bus = bench.another().bus
        bus.ping()
        before = len(bench.redis.client_list())
        assert [bus.count_try(0, label) for label in ("in:1-0", "in:1-0", "in:2-0")] == [1, 2, 1]
        bus.forget_try(0, "in:1-0")
        assert len(_counts(bench.redis)) == 1
        bus.forget_tries(0)
        assert not _counts(bench.redis)
        assert len(bench.redis.client_list()) == before


def _counts(redis: Redis) -> list[bytes | str]:
    return [key for shard in range(64) for key in redis.hkeys(KEYSPACE.tries_key(shard))]


def _trouble(*_: Any, **__: Any) -> Any:
    raise OperationalError


def _fail_for_events(found: Any, *known: Any) -> Any:
    if any(isinstance(outcome.result, rules.Recorded) for outcome in found):
        raise ZeroDivisionError
    return publications.publications(found, *known)
