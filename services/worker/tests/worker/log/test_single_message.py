"""A message in one statement: stored only if all that it was decided on is so, under the locks."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from roomlog.blocking import block, unblock
from roomlog.epochs import new_epoch
from roomlog.models import ChatRoom, Membership, RoomEvent, RoomHead, ShardLease
from roomlog_contract.commands import ArchiveRoom, CreateRoom, LeaveRoom, RemoveUser
from roomlog_contract.events import User
from roomlog_worker.log import leases, rules
from roomlog_worker.log import room_cache as memory
from roomlog_worker.log.batch import Batch, LockedRoom, Standing, open_batch
from roomlog_worker.log.room_cache import NAME_AGE, RoomCache
from roomlog_worker.log.statements import LeaseRow
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, make_room, message, write_one, written
from tests.worker.log.test_pg_roundtrip import wait_for_a_waiting_session

OWNER = UUID(int=1)
SHARD = 3
WAIT_SECONDS = 15.0


@dataclass
class Writer:
    """A process that has cached a room, and owns a shard."""

    room: UUID
    user: int
    cache: RoomCache
    lease: LeaseRow

    def fill_cache(self) -> None:
        """Write a message as a batch and cache what was read."""
        command = message(self.room)
        with transaction.atomic():
            batch = open_batch([rules.wanted_by(command, self.user)], timezone.now())
            rules.carry_out(batch, command, self.user)
            batch.store()
        self.cache.update(batch)

    def write(self, uuid: str = "", meanwhile: Callable[[], None] = lambda: None) -> bool:
        """Write a message as cached; what is not stored is forgotten."""
        batch = self.cache.batch(self.room, self.user, timezone.now())
        assert batch is not None
        rules.carry_out(batch, message(self.room, "fast", uuid=uuid or None), self.user)
        is_stored = batch.store_single(self.lease, self.cache.next_id(), meanwhile)
        if not is_stored:
            self.cache.forget(self.room)
        return is_stored


@pytest.fixture(params=["postgres", "partitioned"])
def people(request: pytest.FixtureRequest) -> People:
    """Alice, Bob and Carol, also where the log is in partitions."""
    request.getfixturevalue(request.param)
    return People.make()


@pytest.fixture
def writer(people: People) -> Writer:
    """A writer that has written one message of Bob's to a room of Alice's."""
    assert leases.take_leases({SHARD: 0}, OWNER) == {SHARD}
    one = Writer(make_room(people.alice, [people.bob]), people.bob, RoomCache(), LeaseRow(SHARD, OWNER, 1))
    one.fill_cache()
    return one


@pytest.mark.parametrize("is_own", [True, False])
def test_a_block_is_seen_whoever_has_blocked(people: People, writer: Writer, is_own: bool) -> None:
    """In a direct room, by the statement itself: the cache knows nothing of it. In groups it says nothing."""
    pair = (people.bob, people.alice) if is_own else (people.alice, people.bob)
    command = CreateRoom(uuid="d", kind="direct", members=[people.alice])
    one = Writer(written(command, people.bob).event.room_id, people.bob, RoomCache(), writer.lease)
    one.fill_cache()
    assert one.write()
    block(*pair)
    assert writer.write()
    assert not one.write()
    unblock(*pair)
    one.fill_cache()
    assert one.write()


def log_of(room: UUID) -> list[tuple[int, int | None, str]]:
    """Return seq, number and text of the room's events."""
    rows = RoomEvent.objects.filter(room_id=room).order_by("seq")
    return list(rows.values_list("seq", "number", "text"))


def test_it_is_the_same_row_as_a_batch_stores(writer: Writer) -> None:
    """Every column but those that tell messages apart; the head has moved with it."""
    assert writer.write()
    of_batch, fast = (RoomEvent.objects.filter(room_id=writer.room, seq=seq).values().get() for seq in (2, 3))
    differing = {name for name, value in of_batch.items() if value != fast.get(name)}
    assert differing == {"id", "seq", "number", "uuid", "body_hash", "text", "date_created"}
    head = RoomHead.objects.get(room_id=writer.room)
    assert (head.last_seq, head.messages) == (3, 2)


def test_many_follow_each_other(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finds the room as the last one left it, and ids are reserved again when they are used up."""
    monkeypatch.setattr(memory, "IDS_AT_ONCE", 3)
    assert all(writer.write() for _ in range(10))
    assert log_of(writer.room) == [(1, None, ""), (2, 1, "hi"), *((3 + n, 2 + n, "fast") for n in range(10))]
    ids = list(RoomEvent.objects.filter(room_id=writer.room).order_by("seq").values_list("id", flat=True))
    assert ids == sorted(set(ids))
    assert written(message(writer.room), writer.user).event.id > ids[-1]


def _leave(writer: Writer) -> None:
    write_one(LeaveRoom(uuid="l", room=writer.room), writer.user)


def _write_elsewhere(writer: Writer) -> None:
    written(message(writer.room), writer.user)


def _archive(writer: Writer) -> None:
    written(ArchiveRoom(uuid="a", room=writer.room), writer.user, staff=True)


def _take_the_lease(writer: Writer) -> object:
    return leases.take_leases({SHARD: 1}, UUID(int=2))


CHANGES: dict[str, Callable[[Writer], object]] = {
    "member left": _leave,
    "no membership": lambda writer: Membership.objects.filter(user_id=writer.user).delete(),
    "muted": lambda _: Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1)),
    "a reader": lambda _: Membership.objects.update(role="reader"),
    "archived": _archive,
    "archived by hand": lambda _: ChatRoom.objects.update(archived_at=timezone.now()),
    "another epoch": lambda _: new_epoch("another"),
    "head moved": _write_elsewhere,
    "lease taken": _take_the_lease,
    "lease taken back": lambda writer: (_take_the_lease(writer), leases.take_leases({SHARD: 2}, OWNER)),
    "lease released": lambda _: leases.release_leases([SHARD], OWNER),
    "no lease": lambda _: ShardLease.objects.filter(pk=SHARD).delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_is_stored_on_an_old_guess(writer: Writer, change: Callable[[Writer], object]) -> None:
    """Whatever changed since: no event, no other head, and no transaction that stays open."""
    change(writer)
    before = (log_of(writer.room), RoomHead.objects.values().get())
    assert not writer.write()
    assert (log_of(writer.room), RoomHead.objects.values().get()) == before
    assert connection.connection.info.transaction_status.name == "IDLE"
    assert writer.cache.batch(writer.room, writer.user, timezone.now()) is None


def test_a_mute_that_is_over_silences_nobody(writer: Writer) -> None:
    """It ends by the clock of the message."""
    Membership.objects.update(muted_until=timezone.now() - timedelta(seconds=1))
    assert writer.write()


@pytest.mark.parametrize("change", [_leave, _write_elsewhere, _take_the_lease])
def test_what_changes_while_it_waits_is_seen(writer: Writer, change: Callable[[Writer], object]) -> None:
    """Its snapshot is older than the lock that it waits for; lease and head are compared as locked."""
    with ThreadPoolExecutor(1) as other:
        with transaction.atomic():
            change(writer)
            waiting = other.submit(_in_a_session_of_its_own, writer.write)
            wait_for_a_waiting_session()
        assert waiting.result(WAIT_SECONDS) is False
    assert "fast" not in [text for _, _, text in log_of(writer.room)]


@pytest.mark.parametrize("table", ["roomlog_roomhead", "roomlog_shardlease"])
def test_what_others_hold_is_not_awaited_for_long(writer: Writer, table: str) -> None:
    """A writer's lock time-out ends the wait, and that is no trouble of the database's."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 50")
    with held_elsewhere(table):
        assert not writer.write()
    writer.fill_cache()
    assert writer.write()


def test_other_trouble_is_told(writer: Writer) -> None:
    """A statement that was cancelled is the database's trouble, not an old guess."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 50")
    with held_elsewhere("roomlog_roomhead"), pytest.raises(OperationalError):
        writer.write()
    connection.close()


def test_meanwhile_happens_once_and_its_error_leaves_the_session_in_step(writer: Writer) -> None:
    """What it raises comes out; the statement was sent, and its answer is taken all the same."""
    done: list[int] = []
    assert writer.write(meanwhile=lambda: done.append(1))
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        writer.write(meanwhile=lambda: done.append(1 // 0))
    assert len(log_of(writer.room)) == 4
    assert writer.write()


class TestMemory:
    """What is cached, and for how long."""

    def test_only_senders_in_rooms_that_were_written(self, writer: Writer, people: People) -> None:
        """Who was removed is not cached; a name is read again after a minute."""
        now = timezone.now()
        assert writer.cache.batch(writer.room, people.alice, now) is None
        assert writer.cache.batch(uuid4(), people.bob, now) is None
        batch = writer.cache.batch(writer.room, people.bob, now)
        assert batch is not None
        assert batch.users == {people.bob: User(people.bob, "bob")}
        command = RemoveUser(uuid="r", room=writer.room, user=people.bob)
        with transaction.atomic():
            batch = open_batch([rules.wanted_by(command, people.alice)], timezone.now())
            rules.carry_out(batch, command, people.alice)
            batch.store()
        writer.cache.update(batch)
        assert writer.cache.batch(writer.room, people.bob, timezone.now()) is None
        assert writer.cache.batch(writer.room, people.alice, timezone.now()) is not None

    def test_a_name_is_read_again_after_a_minute(self, writer: Writer) -> None:
        """No event tells that somebody has another name."""
        later = timezone.now() + NAME_AGE
        assert writer.cache.batch(writer.room, writer.user, later - timedelta(seconds=5)) is not None
        assert writer.cache.batch(writer.room, writer.user, later + timedelta(seconds=5)) is None

    def test_it_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """By senders, by rooms without any, and by names: one too many, and all are forgotten."""
        monkeypatch.setattr(memory, "MOST", 10)
        now = timezone.now()
        for members in (1, 0):
            cache = RoomCache()
            for user in range(11):
                assert len(cache._rooms) == user
                cache.update(_batch_of(uuid4(), range(user, user + members), now))
            assert not cache._rooms
            assert not cache._names
        room = uuid4()
        for _ in range(20):  # the same again is no more
            cache.update(_batch_of(room, [1], now))
        assert cache.batch(room, 1, now) is not None
        cache.forget(room)
        assert cache._members == 0


def _batch_of(room: UUID, users: "range | list[int]", now: datetime) -> Batch:
    members = {user: Standing("member") for user in users}
    return Batch(
        now=now,
        leases=[],
        rooms={room: LockedRoom(room, "group", False, "e", 1, 0, members)},
        known={},
        held_by_others=frozenset(),
        answered={},
        targets={},
        unclaimed={},
        users={user: User(user, str(user)) for user in users},
    )


def _in_a_session_of_its_own(do: Callable[[], bool]) -> bool:
    try:
        return do()
    finally:
        connection.close()
