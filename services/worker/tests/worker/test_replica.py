"""History from a replica: never older than what the asker knows, and from the primary whenever it is away."""

from typing import Any, Final
from uuid import UUID

import pytest

from roomlog import replica as replicas
from roomlog import selectors
from roomlog.models import ChatMessage, RoomHead
from roomlog_contract.commands import DeleteMessage, GetHistory, LeaveRoom
from roomlog_contract.envelope import Answered
from roomlog_worker import metrics
from tests.harness.people import People, make_room, message, written
from tests.harness.postgres import PostgresReplica
from tests.worker.bench import Bench

HIDDEN: Final = "deleted a moment ago"
pytestmark = pytest.mark.parametrize("database", ["partitioned"], indirect=True)


class Asker:
    """Bob, who asks for a room's history and may know how far it is."""

    def __init__(self, bench: Bench, room: UUID, user: int) -> None:
        self.bench, self.room, self.user = bench, room, user

    def ask(self, known: int | None, epoch: str = "") -> tuple[list[str], str]:
        """Return the texts, and by the metric who answered; without `known` the gateway knows nothing."""
        before = counts()
        head = RoomHead.objects.get(room=self.room).epoch
        wishes: dict[str, Any] = {} if known is None else {"known_epoch": epoch or head, "known_seq": known}
        request = self.bench.ask(GetHistory(uuid="g", room=self.room), self.user, **wishes)
        heard = self.bench.turn()
        reply, frame = heard.reply(request, Answered), heard.frame(request)
        if "room_messages" not in frame:
            return [frame["error_code"]], ""
        assert (reply.epoch, reply.seq) == (head, frame["seq"])
        (who,) = [name for name, count in counts().items() if count > before.get(name, 0)] or ["primary"]
        return [one["text"] for one in frame["room_messages"]], who


def counts() -> dict[str, float]:
    """Return what became of questions to the replica until now."""
    (family,) = metrics.REPLICA_READS.collect()
    return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}


@pytest.fixture
def asker(bench: Bench, people: People, replica: PostgresReplica) -> Asker:
    """Bob in Alice's room of two messages, seqs 2 and 3, which the replica has."""
    room = make_room(people.alice, [people.bob])
    for text in ("first", HIDDEN):
        written(message(room, text), people.alice)
    replica.wait_level()
    return Asker(bench, room, people.bob)


def delete(asker: Asker, people: People) -> None:
    """Take a text away; the event is the room's fourth."""
    number = ChatMessage.objects.get(text=HIDDEN).pk
    written(DeleteMessage(uuid="d", room=asker.room, message=number), people.alice)


def test_a_replica_answers_what_is_new_enough(asker: Asker, people: People, replica: PostgresReplica) -> None:
    """Where the asker knows of a deletion it is never asked to forget it; of another log nothing counts."""
    assert asker.ask(known=3) == (["first", HIDDEN], "answered")
    replica.pause_replay()
    delete(asker, people)
    assert asker.ask(known=3) == (["first", HIDDEN], "answered")
    assert asker.ask(known=4) == (["first", ""], "behind")
    assert asker.ask(known=3, epoch="another") == (["first", ""], "behind")
    assert asker.ask(known=None) == (["first", ""], "primary")
    replica.resume_replay()
    replica.wait_level()
    assert asker.ask(known=4) == (["first", ""], "answered")


def test_what_the_primary_shows_beyond_its_head_is_known(
    asker: Asker, people: People, replica: PostgresReplica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is committed between the head and the rows is in the page: no replica may take it back."""
    last_messages = selectors.last_messages

    def delete_before(*args: Any) -> list[ChatMessage]:
        delete(asker, people)
        return last_messages(*args)

    monkeypatch.setattr(selectors, "last_messages", delete_before)
    request = asker.bench.ask(GetHistory(uuid="g", room=asker.room), asker.user)
    heard = asker.bench.turn()
    frame = heard.frame(request)
    assert [one["text"] for one in frame["room_messages"]] == ["first", ""]
    assert (frame["seq"], heard.reply(request, Answered).seq) == (3, 4)


def test_the_primary_says_who_is_a_member(asker: Asker, replica: PostgresReplica) -> None:
    """Whoever has left reads nothing, although the replica has not heard of it."""
    replica.pause_replay()
    written(LeaveRoom(uuid="bye", room=asker.room), asker.user)
    assert asker.ask(known=3) == (["not_member"], "")


@pytest.mark.parametrize("fault", ["dead", "hanging"])
def test_without_the_replica_the_primary_answers(
    asker: Asker, replica: PostgresReplica, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Once it has waited for it, then at once; the replica answers again when it is back."""
    monkeypatch.setattr(replicas, "FIRST_REST_SECONDS", 1000.0)
    monkeypatch.setattr(replicas, "MOST_REST_SECONDS", 1000.0)
    assert asker.ask(known=3)[1] == "answered"
    stop(replica, fault)
    for _ in range(2):
        assert asker.ask(known=3) == (["first", HIDDEN], "away")
    start(replica, fault)
    for lane in asker.bench.worker.lanes:
        lane._replica._rests_until = 0.0
    replica.wait_level()
    assert asker.ask(known=3)[1] == "answered"


def stop(replica: PostgresReplica, fault: str) -> None:
    """Let the server be away: its sessions end, or say nothing for ever."""
    if fault == "dead":
        replica.end()
    else:
        replica.hang()


def start(replica: PostgresReplica, fault: str) -> None:
    """Let it be there again."""
    if fault == "dead":
        replica.begin()
    else:
        replica.wake()
