"""What a worker notes of commands: what became of each, when it was committed, and whether it was told."""

import time
from typing import Any

import pytest
import redis
from prometheus_client import REGISTRY

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.trail import Decided, Step
from roomlog_worker.bus import Bus
from tests.harness.people import People, make_room, message
from tests.worker.bench import Bench


@pytest.fixture
def noted(bench: Bench) -> list[Decided]:
    """Return what the worker notes."""
    steps: list[Decided] = []

    def note(step: Step, trace: object = None, /) -> None:
        assert isinstance(step, Decided)
        steps.append(step)

    bench.worker.consumer._note = note
    return steps


def test_events_repeats_and_refusals_are_noted(bench: Bench, people: People, noted: list[Decided]) -> None:
    """With room and seq of what is stored, and the code of what is not."""
    room = make_room(people.alice)
    for sender in (people.alice, people.alice, people.bob):
        bench.send(message(room, uuid="u"), sender)
    began_ms = int(time.time() * 1000)
    bench.worker.turn_until(lambda: len(noted) == 3)
    alice, bob = people.alice, people.bob
    assert [(step.user, step.result, step.room, step.seq) for step in noted] == [
        (alice, "event", room, 2),
        (alice, "repeat", room, 2),
        (bob, "not_member", None, 0),
    ]
    assert {(step.uuid, step.shard, step.is_published) for step in noted} == {
        ("u", Keyspace().shard_of_room(room), True)
    }
    assert [began_ms <= step.committed_ms <= time.time() * 1000 for step in noted[:2]] == [True, True]
    assert not noted[2].is_committed
    assert noted[0].entry.partition("-")[0].isdecimal()


def test_a_publication_that_failed_is_noted(
    bench: Bench, people: People, noted: list[Decided], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is committed all the same."""

    def fail(*_: object) -> None:
        raise redis.ConnectionError

    bench.send(message(make_room(people.alice)), people.alice)
    with monkeypatch.context() as patched:
        patched.setattr(Bus, "finish", fail)
        bench.worker.turn_until(lambda: noted)
    assert (noted[0].result, noted[0].is_committed, noted[0].is_published) == ("event", True, False)


def test_the_stages_of_a_batch_meet_at_its_commit(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the notices leave, only writing is measured: a slow database is told from a slow Redis."""
    room = make_room(people.alice)
    bench.drain()
    seen: list[list[float]] = []
    finish = Bus.finish

    def batches() -> list[float]:
        names = [{"stage": stage} for stage in ("write", "publish")]
        return [REGISTRY.get_sample_value("roomlog_worker_stage_seconds_count", one) or 0.0 for one in names]

    def spied(*taken: Any) -> None:
        seen.append(batches())
        finish(*taken)

    monkeypatch.setattr(Bus, "finish", spied)
    written, published = batches()
    bench.send(message(room), people.alice)
    bench.drain()
    assert seen[0] == [written + 1, published]
    assert batches()[1] == published + 1
