"""What is kept no longer: which events go, what goes with them, and what whoever reads on is told."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog.models import Mention, MessageReport, Reaction, RoomEvent, RoomHead, SearchEntry, ShardLease
from roomlog.read_marks import mark_read
from roomlog.retention import Retention, retain
from roomlog.search.index import index
from roomlog.selectors import pins_of, summaries_by_user
from roomlog_contract.commands import (
    AddReaction,
    CreateRoom,
    Cursor,
    EditMessage,
    GetHistory,
    NewMessage,
    PinMessage,
    SelectRoom,
)
from roomlog_contract.envelope import EventsFetched, FetchEvents
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of
from roomlog_worker import metrics
from roomlog_worker.errors import LeaseLost
from roomlog_worker.log import pruning
from roomlog_worker.pruner import PAUSE_SECONDS, ROUND_SECONDS, TROUBLE_SECONDS, Pruner
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, make_room, message, written
from tests.worker.bench import ON_POSTGRES, Bench, Clock

DAYS = 30


class Pruning:
    """A worker's pruner whose time the test moves."""

    def __init__(self, bench: Bench) -> None:
        self.clock = Clock()
        self.pruner = Pruner(Keyspace(), bench.worker.leases, self.clock)

    def round(self) -> None:
        """Look at all rooms once, and prune what is due."""
        self.clock.now += ROUND_SECONDS
        self.pruner.turn(is_idle=True)
        while self.pruner._waiting:
            self.clock.now += PAUSE_SECONDS
            self.pruner.turn(is_idle=True)


@pytest.fixture
def pruning_of_thirty_days(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Pruning:
    """The install keeps everything for thirty days."""
    monkeypatch.setitem(settings.ROOMLOG, "RETENTION_DAYS", DAYS)
    return Pruning(bench)


def let_pass(room: UUID, days: float) -> None:
    """Make all that was said in the room until now older."""
    for event in RoomEvent.objects.filter(room=room).order_by("seq"):
        event.date_created -= timedelta(days=days)
        event.save(update_fields=["date_created"])


def seqs(room: UUID) -> list[int]:
    """Return what is left of a room's log."""
    return list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("seq", flat=True))


def horizon(room: UUID) -> tuple[int, int]:
    """Return where the log begins and where it ends."""
    head = RoomHead.objects.get(room=room)
    return head.first_seq, head.last_seq


def old_room(people: People, old: int = 3, young: int = 2) -> UUID:
    """Return a room with messages older than the install keeps, and younger ones; Bob is a member."""
    room = make_room(people.alice, [people.bob])
    for number in range(old):
        written(message(room, f"old {number}"), people.alice)
    let_pass(room, DAYS + 1)
    for number in range(young):
        written(message(room, f"young {number}"), people.alice)
    return room


def test_what_is_older_goes_and_no_seq_comes_again(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Only the event that made the room stays of it; what comes gets the next seq."""
    room, empty = old_room(people), old_room(people, young=0)
    before = metrics.PRUNED._value.get()
    pruning_of_thirty_days.round()
    assert seqs(room) == [1, 5, 6]
    assert horizon(room) == (5, 6)
    assert (seqs(empty), horizon(empty)) == ([1], (5, 4))
    assert metrics.PRUNED._value.get() - before == 8
    assert written(message(empty), people.alice).event.seq == 5
    let_pass(empty, DAYS - 1)
    pruning_of_thirty_days.round()
    assert seqs(empty) == [1, 5]


def test_rooms_have_rules_of_their_own(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Days of their own, or a hold, which says more than any days; it ends when it is lifted."""
    longer, shorter, held = (old_room(people) for _ in range(3))
    let_pass(shorter, 10)
    assert retain(longer, Retention(days=DAYS + 10))
    assert retain(shorter, Retention(days=7))
    assert retain(held, Retention(days=7, is_held=True))
    assert not retain(UUID(int=1), Retention())
    pruning_of_thirty_days.round()
    assert [horizon(room)[0] for room in (longer, shorter, held)] == [1, 7, 1]
    retain(held, Retention())
    pruning_of_thirty_days.round()
    assert horizon(held)[0] == 5


def test_without_a_setting_all_is_kept_but_in_rooms_with_days(bench: Bench, people: People) -> None:
    """Days of a room need none of the install."""
    room, other = old_room(people), old_room(people)
    retain(room, Retention(days=7))
    Pruning(bench).round()
    assert (horizon(room)[0], horizon(other)[0]) == (5, 1)


def test_what_hangs_on_an_event_goes_with_it(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Reactions, mentions, reports, what the search finds, and pins; those of what stays stay."""
    room = make_room(people.alice, [people.bob])
    places = []
    for _ in range(2):
        command = NewMessage(uuid=uuid4().hex, room=room, text="tea", mentions=[people.bob])
        said = written(command, people.alice).event
        edit = EditMessage(uuid=uuid4().hex, room=room, message=said.id, text="cup", mentions=[people.bob])
        written(edit, people.alice)
        written(AddReaction(uuid=uuid4().hex, room=room, message=said.id, emoji="👍"), people.bob)
        written(PinMessage(uuid=uuid4().hex, room=room, message=said.id), people.alice)
        MessageReport.objects.create(
            room_id=room, target=said.seq, author_id=people.alice, user_id=people.bob, reason="spam"
        )
        places.append(said.seq)
        if len(places) == 1:
            let_pass(room, DAYS + 1)
    index([room])
    pruning_of_thirty_days.round()
    assert horizon(room)[0] == places[1]
    for beside in (Reaction, Mention, MessageReport):
        assert list(beside.objects.filter(room=room).values_list("target", flat=True)) == [places[1]]
    assert list(SearchEntry.objects.filter(room=room).values_list("seq", flat=True)) == [places[1]]
    assert [one.seq for one in pins_of(room, people.bob)] == [places[1]]


def test_readers_behind_the_horizon_begin_anew(
    bench: Bench, pruning_of_thirty_days: Pruning, people: People
) -> None:
    """A cursor whose next event is there goes on; history says where the log begins."""
    room = old_room(people)
    pruning_of_thirty_days.round()
    epoch = RoomHead.objects.get(room=room).epoch
    answers = {}
    for since in (0, 3, 4, 6):
        request = bench.ask(SelectRoom(uuid="s", room=room, since=Cursor(epoch, since)), people.bob)
        answers[since] = bench.turn().frame(request)
    assert [answer.get("reset", False) for answer in answers.values()] == [True, True, False, False]
    assert [event["seq"] for event in answers[4]["events"]] == [5, 6]
    for after, is_cut in ((3, True), (4, False)):
        request = bench.ask(FetchEvents(uuid="f", room=room, after=after, limit=10))
        assert bench.turn().reply(request, EventsFetched).is_cut is is_cut
    request = bench.ask(GetHistory(uuid="h", room=room), people.bob)
    history = bench.turn().frame(request)
    assert ([one["seq"] for one in history["room_messages"]], history["first_seq"]) == ([5, 6], 5)
    assert history["more"] is False


def test_pruned_messages_are_not_unread(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Neither those above the mark, nor do the member's own that are gone take any from the count."""
    room = old_room(people)
    written(message(room), people.bob)

    def unread() -> int:
        (summary,) = summaries_by_user([people.bob])[people.bob]
        return summary.unread

    assert unread() == 5
    pruning_of_thirty_days.round()
    assert unread() == 2
    mark_read(room, people.bob, 3)
    assert unread() == 2
    mark_read(room, people.bob, 5)
    assert unread() == 1


def test_the_room_is_not_made_twice(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Its first event answers repeats, and the other one of a direct pair, for ever."""
    command = CreateRoom(uuid="make", kind="direct", members=[people.bob])
    made = written(command, people.alice).event
    room = room_of(command, people.alice)
    let_pass(room, DAYS + 1)
    pruning_of_thirty_days.round()
    assert horizon(room) == (2, 1)
    other = CreateRoom(uuid="too", kind="direct", members=[people.alice])
    for again in (written(command, people.alice), written(other, people.bob)):
        assert again.duplicate
        assert again.event.id == made.id


def test_a_piece_is_bounded_in_events_and_statements(
    pruning_of_thirty_days: Pruning, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much is due; rooms take turns."""
    monkeypatch.setattr(pruning, "EVENTS_AT_ONCE", 2)
    rooms = [old_room(people, old=5) for _ in range(2)]
    own = pruning_of_thirty_days
    own.clock.now += ROUND_SECONDS
    own.pruner.turn(is_idle=True)
    for horizons in ([1, 3], [3, 3], [3, 5], [5, 5]):
        own.clock.now += PAUSE_SECONDS
        with CaptureQueriesContext(connection) as queries:
            own.pruner.turn(is_idle=False)
        assert sorted(horizon(room)[0] for room in rooms) == horizons
        assert len(queries) <= 20
    own.round()
    assert [horizon(room)[0] for room in rooms] == [7, 7]


def test_a_lost_lease_prunes_nothing(bench: Bench, pruning_of_thirty_days: Pruning, people: People) -> None:
    """The room is another worker's."""
    room = old_room(people)
    ShardLease.objects.filter(shard=Keyspace().shard_of_room(room)).update(owner=uuid4())
    with pytest.raises(LeaseLost):
        pruning_of_thirty_days.round()
    assert horizon(room)[0] == 1


@ON_POSTGRES
def test_a_hold_that_is_being_set_is_waited_for(pruning_of_thirty_days: Pruning, people: People) -> None:
    """Else what was just read as due would go after the hold was committed."""
    room = old_room(people)
    own = pruning_of_thirty_days
    with held_elsewhere("roomlog_roomhead WHERE room_id = %s", room):
        own.clock.now += ROUND_SECONDS
        own.pruner.turn(is_idle=True)
        own.clock.now += PAUSE_SECONDS
        own.pruner.turn(is_idle=True)
        assert horizon(room)[0] == 1
    retain(room, Retention(is_held=True))
    own.round()
    assert horizon(room)[0] == 1


def test_trouble_keeps_nobody_from_writing(
    bench: Bench, pruning_of_thirty_days: Pruning, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried again later."""
    room = old_room(people)

    def fail(*_: Any) -> None:
        raise OperationalError("a right is missing")

    own = pruning_of_thirty_days
    with monkeypatch.context() as broken:
        broken.setattr("roomlog_worker.pruner.prune", fail)
        own.round()
    assert horizon(room)[0] == 1
    own.clock.now += TROUBLE_SECONDS
    own.round()
    assert horizon(room)[0] == 5


def test_the_consumer_prunes_between_its_turns(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker's own clock or the database's, whichever says that less is due."""
    monkeypatch.setitem(settings.ROOMLOG, "RETENTION_DAYS", DAYS)
    room = old_room(people)
    ahead = timezone.now() + timedelta(days=DAYS + 1)
    bench.worker.consumer._pruner._next = 0.0
    with monkeypatch.context() as wrong:
        wrong.setattr(timezone, "now", lambda: ahead)
        bench.worker.turn_until(lambda: horizon(room)[0] > 1)
    assert seqs(room) == [1, 5, 6]
