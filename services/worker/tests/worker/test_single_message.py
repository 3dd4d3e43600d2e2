"""The fast path of a single message, on PostgreSQL: it never says anything else than a batch does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from roomlog.models import DeadLetter, Membership, RoomEvent, ShardLease
from roomlog_contract.commands import InviteUser, RemoveUser
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_worker import writer
from roomlog_worker.log import statements
from roomlog_worker.log.leases import take_leases
from roomlog_worker.log.pg_roundtrip import Exchange
from tests.harness.people import People, make_room, message, post_as, write
from tests.worker.bench import KEYSPACE, ON_POSTGRES, Bench, fail
from tests.worker.test_consumer import texts_of
from tests.worker.test_faults import around_insert, end_session
from tests.worker.test_leases import entry_for

pytestmark = ON_POSTGRES


@pytest.fixture
def room(bench: Bench, people: People) -> UUID:
    """A room of Alice's and Bob's, in which both have written: the worker has cached it."""
    room = make_room(people.alice, [people.bob])
    for user in (people.alice, people.bob):
        bench.send(message(room, "hello"), user)
        bench.turn()
    return room


@contextmanager
def ways() -> Iterator[list[str]]:
    """Tell for each transaction of the worker's how it was written."""
    taken: list[str] = []
    ask, ask_single = Exchange.ask, Exchange.ask_single

    def batch(*arguments: Any, **options: Any) -> Any:
        if options.get("commits"):
            taken.append("batch")
        return ask(*arguments, **options)

    def fast(*arguments: Any) -> Any:
        rows = ask_single(*arguments)
        taken.append("fast" if rows else "in vain")
        return rows

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Exchange, "ask", batch)
        patch.setattr(Exchange, "ask_single", fast)
        yield taken


def test_it_says_what_a_batch_says(bench: Bench, people: People, room: UUID) -> None:
    """Notice, deletion and log are those of a batch; only id, seq and times differ."""
    with ways() as taken:
        request = bench.send(message(room, "fast"), people.alice)
        heard = bench.turn()
    assert taken == ["fast"]
    (notice,) = heard.notices
    assert (notice.seq, notice.user, notice.request) == (4, people.alice, request)
    assert heard.replies == {}
    assert texts_of(room) == ["hello", "hello", "fast"]
    assert bench.waiting() == 0
    repeated = RoomEvent.objects.get(seq=4)
    again = bench.send(message(room, "fast", uuid=repeated.uuid), people.alice)
    heard = bench.turn()
    assert heard.notices[0].frame == notice.frame, "as read from the database"
    assert heard.frame(again)["duplicate"] is True


def test_rooms_with_members_who_take_turns_are_written_so(bench: Bench, people: People) -> None:
    """Only the first message of each sender reads before it writes."""
    rooms = [make_room(people.alice, [people.bob]) for _ in range(2)]
    with ways() as taken:
        for number in range(12):
            bench.send(message(rooms[number % 2], str(number)), (people.alice, people.bob)[number // 2 % 2])
            bench.turn()
    assert taken == ["batch"] * 4 + ["fast"] * 8
    assert [texts_of(room) for room in rooms] == [[str(n) for n in range(start, 12, 2)] for start in (0, 1)]


def test_what_depends_on_more_goes_by_a_batch(bench: Bench, people: People, room: UUID) -> None:
    """Several at once, an answer to a message, a row of the api's, another action, an own transaction."""
    first = RoomEvent.objects.filter(kind="new_message").latest("seq").pk

    def sends(*commands: Any) -> Callable[[], Any]:
        return lambda: [bench.send(command, people.alice) for command in commands]

    stream = KEYSPACE.in_stream(KEYSPACE.shard_of_room(room))
    cases = [
        sends(message(room), message(room)),
        sends(message(room, reply_to=first)),
        lambda: (post_as(room, people.alice, "row"), bench.redis.xadd(stream, {"e": b""})),
        sends(InviteUser(uuid="i", room=room, user=people.carol)),
    ]
    for case in cases:
        case()
        with ways() as taken:
            bench.turn()
        assert taken == ["batch"]


def test_a_transaction_of_somebody_s_is_not_left(bench: Bench, people: People, room: UUID) -> None:
    """What is to be undone with it must not be committed by itself."""
    quick = bench.worker.consumer._writer
    with transaction.atomic():
        assert quick._write_single(entry_for(room, people.alice)) is None
    assert texts_of(room) == ["hello", "hello"]
    assert quick._write_single(entry_for(room, people.alice)) is not None


def test_a_refusal_is_as_it_is_now(bench: Bench, people: People, room: UUID) -> None:
    """Removed elsewhere, Bob hears `not_member`; invited again, he is heard."""
    write((RemoveUser(uuid="r", room=room, user=people.bob), people.alice))
    request = bench.send(message(room, "still here?"), people.bob)
    with ways() as taken:
        assert bench.turn().error(request) == "not_member"
    assert taken == ["in vain"]
    write((InviteUser(uuid="i", room=room, user=people.bob), people.alice))
    for _ in range(2):
        bench.send(message(room, "back"), people.bob)
        bench.turn()
    assert texts_of(room) == ["hello", "hello", "back", "back"]


def test_a_cached_mute_refuses_nobody(bench: Bench, people: People, room: UUID) -> None:
    """Only the present state does: who may speak again is heard at once."""
    bob = Membership.objects.filter(room_id=room, user_id=people.bob)
    bob.update(muted_until=timezone.now() + timedelta(hours=1))
    for _ in range(2):
        request = bench.send(message(room), people.bob)
        assert bench.turn().error(request) == "muted"
    bob.update(muted_until=None)
    bench.send(message(room, "free"), people.bob)
    assert bench.turn().seqs() == [4]


def test_a_late_owner_stores_nothing(bench: Bench, people: People, room: UUID) -> None:
    """Its guess names a lease that is another's: the shard is given up, as by a batch."""
    shard = KEYSPACE.shard_of_room(room)
    late = bench.worker
    bench.send(message(room, "once"), people.alice)
    epoch = ShardLease.objects.get(pk=shard).epoch
    assert take_leases({shard: epoch}, UUID(int=7))
    with ways() as taken:
        late.consumer.turn()
    assert taken == ["in vain"]
    assert texts_of(room) == ["hello", "hello"]
    assert (len(late.leases.epochs), bench.waiting()) == (DEFAULT_SHARDS - 1, 1)
    cache = late.consumer._writer._cache
    assert cache.batch(room, people.alice, timezone.now()) is None, "not counted on any more"


def test_a_broken_connection_is_trouble_and_forgotten(bench: Bench, people: People, room: UUID) -> None:
    """Whether it was stored is unknown: the entry stays, and the next try reads first."""
    bench.send(message(room, "a"), people.alice)
    with around_insert(before=end_session):
        bench.worker.turn()
    assert bench.worker.consumer.trouble() == "database"
    with ways() as taken:
        assert bench.drain().seqs() == [4]
    assert taken == ["batch"]


def test_what_fails_while_it_commits_is_never_denied(
    bench: Bench, people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is in the log: its sender gets no answer, and is not told that it was not stored."""
    bench.send(message(room, "stored"), people.alice)
    with monkeypatch.context() as patch:
        patch.setattr(writer, "publications", fail)
        heard = bench.drain()
    assert (heard.replies, texts_of(room)[2:]) == ({}, ["stored"])
    assert DeadLetter.objects.count() == 1


def test_ids_are_asked_for_rarely(bench: Bench, people: People, room: UUID) -> None:
    """Not one query for each message."""
    asked: list[int] = []
    reserve = statements.reserve_ids
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(statements, "reserve_ids", lambda count: asked.append(count) or reserve(count))  # type: ignore[func-returns-value]
        for _ in range(20):
            bench.send(message(room), people.alice)
            bench.turn()
    assert len(asked) <= 1
