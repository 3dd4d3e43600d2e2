"""What becomes of a dead letter's command that people have tried again."""

import pytest

from roomlog.models import DeadLetter, PendingCommand, RoomEvent
from roomlog.retries import retry
from tests.harness.people import People, make_room, message
from tests.worker.bench import Bench
from tests.worker.test_consumer import texts_of
from tests.worker.test_trouble import failing_rule


def test_a_retry_fails_again_until_its_cause_is_gone(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure makes a new letter, and others go on; in the end it is one event, with its first uuid."""
    room = make_room(people.alice)
    with monkeypatch.context() as cause:
        failing_rule(cause, lambda asked: asked.command.uuid == "bad")
        bad = bench.send(message(room, "late", uuid="bad"), people.alice)
        assert bench.drain().error(bad) == "internal"
        first = DeadLetter.objects.get()
        assert retry(first) is None
        assert not DeadLetter.objects.exists()
        _turn_until_nothing_waits(bench)
        second = DeadLetter.objects.get()
        assert (second.pk > first.pk, second.uuid, second.error) == (True, "bad", "ZeroDivisionError")
        bench.send(message(room, "meanwhile"), people.alice)
        bench.drain()
    assert retry(second) is None
    assert retry(second) is None  # somebody else's click, a moment later
    assert PendingCommand.objects.count() == 1
    _turn_until_nothing_waits(bench)
    assert texts_of(room) == ["meanwhile", "late"]
    again = bench.send(message(room, "late", uuid="bad"), people.alice)
    assert bench.drain().frame(again)["duplicate"] is True
    assert RoomEvent.objects.filter(room=room, uuid="bad", user=people.alice).count() == 1
    assert not DeadLetter.objects.exists()


def _turn_until_nothing_waits(bench: Bench) -> None:
    """Let the worker sweep, as it does once a second."""
    room = PendingCommand.objects.get().room

    def swept() -> bool:
        bench.wake(room)
        return not PendingCommand.objects.exists()

    bench.worker.turn_until(swept)
    bench.drain()
