"""Searches that a replica looks through: it says where messages are, the primary what they say."""

from uuid import UUID

import pytest

from roomlog.models import ChatMessage, Worker
from roomlog.replica import MOST_BEATS, Outcome
from roomlog.search import hits
from roomlog.search.index import index
from roomlog_contract.commands import DeleteMessage, LeaveRoom
from tests.harness.people import People, make_room, message, written
from tests.harness.postgres import PostgresReplica
from tests.roomlog.test_message_search import found

pytestmark = pytest.mark.parametrize("database", ["partitioned"], indirect=True)


@pytest.fixture
def room(people: People, replica: PostgresReplica) -> UUID:
    """Alice's, with Bob: two messages, which the replica has in its index; a worker beats."""
    Worker.objects.create(uuid=UUID(int=1), ordinal=0, beat=100)
    room = make_room(people.alice, [people.bob])
    for text in ("tea first", "tea second"):
        written(message(room, text), people.alice)
    index([room])
    replica.wait_level()
    return room


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[Outcome]:
    """What became of questions to the replica."""
    told: list[Outcome] = []
    monkeypatch.setattr(hits._replica, "_count", told.append)
    return told


def test_what_is_deleted_is_not_found_where_the_replica_still_has_it(
    people: People, room: UUID, replica: PostgresReplica, outcomes: list[Outcome]
) -> None:
    """Nor is anything of a room that the asker has left."""
    replica.pause_replay()
    number = ChatMessage.objects.get(text="tea first").pk
    written(DeleteMessage(uuid="d", room=room, message=number), people.alice)
    assert found(people.bob, "tea") == ["tea second"]
    written(LeaveRoom(uuid="bye", room=room), people.bob)
    assert found(people.bob, "tea") == []
    assert outcomes == [Outcome.ANSWERED]


def test_a_replica_that_is_behind_is_not_searched(
    people: People, room: UUID, replica: PostgresReplica, outcomes: list[Outcome]
) -> None:
    """By the beats of workers: it may lack two seconds, but not more."""
    replica.pause_replay()
    written(message(room, "tea third"), people.alice)
    index([room])
    Worker.objects.update(beat=100 + MOST_BEATS)
    assert found(people.bob, "tea") == ["tea second", "tea first"]
    Worker.objects.update(beat=101 + MOST_BEATS)
    assert found(people.bob, "tea") == ["tea third", "tea second", "tea first"]
    assert outcomes == [Outcome.ANSWERED, Outcome.BEHIND]
