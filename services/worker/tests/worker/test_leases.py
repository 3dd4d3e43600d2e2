"""Who owns which shard: takeovers, handovers, the dead and the merely late. The clock is the test's."""

from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from roomlog_contract.envelope import Envelope
from roomlog_contract.shards import SHARDS, shard_of_room
from roomlog_store.models import RoomEvent, ShardLease, Worker
from roomlog_worker.crash import CrashPoint
from roomlog_worker.entries import Entry
from roomlog_worker.errors import LeaseLost
from roomlog_worker.leases import DEAD_SECONDS, FORGET_SECONDS, POLL_SECONDS, LeaseKeeper, desired_owners
from roomlog_worker.writer import Writer
from tests.store.people import add_user, make_room, message
from tests.worker.bench import KEYSPACE, Clock, tick

ALL = set(range(SHARDS))


@pytest.fixture
def clock(database: str) -> Clock:
    """Time on an empty database."""
    return Clock()


def start(clock: Clock, ordinal: int = 0) -> LeaseKeeper:
    """Return a new process that has looked at the leases once."""
    keeper = LeaseKeeper(uuid4(), ordinal, clock)
    keeper.keep()
    return keeper


def shards_of(keeper: LeaseKeeper) -> set[int]:
    """Return the shards that the process believes to own."""
    return set(keeper.epochs)


def test_the_first_worker_takes_everything(clock: Clock) -> None:
    """64 free shards have an owner after one look, and none of them is suspect."""
    keeper = start(clock)
    assert shards_of(keeper) == ALL
    assert keeper.unclean == set()
    assert set(ShardLease.objects.values_list("owner", "epoch")) == {(keeper.uuid, 1)}


def test_a_second_worker_gets_its_share(clock: Clock) -> None:
    """The first releases exactly what the second should own, and goes on with the rest."""
    one = start(clock)
    two = start(clock, 1)
    assert shards_of(two) == set()
    tick(clock, [one, two], 2 * POLL_SECONDS)
    wanted = {
        shard for shard, owner in desired_owners(list(Worker.objects.all())).items() if owner == two.uuid
    }
    assert shards_of(two) == wanted
    assert shards_of(one) == ALL - wanted
    assert 16 < len(wanted) < 48
    assert two.unclean == set()
    assert {one.epochs[shard] for shard in one.epochs} == {1}


def test_a_leaving_worker_hands_over_at_once(clock: Clock) -> None:
    """Scaled down: the shards are free, and the other has them at its next look, with nothing to suspect."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    two.release_all()
    assert shards_of(two) == set()
    tick(clock, [one], POLL_SECONDS)
    assert shards_of(one) == ALL
    assert one.unclean == set()
    assert [worker.uuid for worker in Worker.objects.all()] == [one.uuid]


def test_a_dead_worker_s_shards_are_taken_after_ten_seconds(clock: Clock) -> None:
    """Not before, and marked: the first entries may have killed it."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    lost = shards_of(two)
    tick(clock, [one], DEAD_SECONDS - POLL_SECONDS)
    assert shards_of(one) == ALL - lost
    tick(clock, [one], 2 * POLL_SECONDS)
    assert shards_of(one) == ALL
    assert one.unclean == lost


def test_a_successor_need_not_watch_again_what_others_saw_die(clock: Clock) -> None:
    """A restarted worker gets its predecessor's shards when anybody has watched that one for ten seconds."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    lost = shards_of(two)
    tick(clock, [one], DEAD_SECONDS - 2 * POLL_SECONDS)
    successor = start(clock, 1)
    assert shards_of(successor) == set()
    tick(clock, [one, successor], 4 * POLL_SECONDS)
    assert shards_of(successor) == lost
    assert successor.unclean == lost
    assert shards_of(one) == ALL - lost


def test_a_beat_one_moment_before_the_end_counts(clock: Clock) -> None:
    """Whoever beats every nine seconds is alive."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    kept = shards_of(two)
    for _ in range(3):
        tick(clock, [one], DEAD_SECONDS - 2 * POLL_SECONDS)
        two.keep()
    assert shards_of(two) == kept
    assert shards_of(one) == ALL - kept


def test_of_two_processes_with_one_ordinal_the_later_works(clock: Clock) -> None:
    """A forced delete leaves the old process running beside its successor."""
    old = start(clock, 3)
    new = start(clock, 3)
    tick(clock, [old, new], 2 * POLL_SECONDS)
    assert shards_of(old) == set()
    assert shards_of(new) == ALL
    assert new.unclean == set()


def test_an_outage_for_all_kills_nobody(clock: Clock) -> None:
    """A minute in which nobody could beat tells nothing of anybody: no shard moves after it."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [two, one], 2.0)  # `one` has seen the last beat of `two`, and looks first when it is over
    before = shards_of(one), shards_of(two)
    clock.now += 60.0
    for _ in range(4):
        tick(clock, [one, two], POLL_SECONDS)
    assert (shards_of(one), shards_of(two)) == before
    assert one.unclean | two.unclean == set()


def test_a_paused_worker_comes_back_as_a_stranger(clock: Clock) -> None:
    """It finds its shards with another, gives them up, and gets its share again without a fight."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    share = shards_of(two)
    tick(clock, [one], 2 * DEAD_SECONDS)
    one.unclean.clear()
    tick(clock, [two], POLL_SECONDS)
    assert shards_of(two) == set()
    tick(clock, [one, two], 2 * POLL_SECONDS)
    assert (shards_of(one), shards_of(two)) == (ALL - share, share)
    assert one.unclean | two.unclean == set()


def test_the_long_dead_are_forgotten_and_may_return(clock: Clock) -> None:
    """Rows of processes that are gone are removed; one that only slept registers again, as the latest."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one], FORGET_SECONDS + 1.0)
    assert [worker.uuid for worker in Worker.objects.all()] == [one.uuid]
    tick(clock, [two], POLL_SECONDS)
    assert [worker.uuid for worker in Worker.objects.order_by("id")] == [one.uuid, two.uuid]


def test_looking_is_paced_and_cheap(clock: Clock, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Twice a second three statements; between them none."""
    keeper = start(clock)
    with django_assert_num_queries(0):
        keeper.keep()
    clock.now += POLL_SECONDS
    with django_assert_num_queries(3):
        keeper.keep()


def test_a_lost_lease_refuses_the_commit(clock: Clock) -> None:
    """Two owners: the earlier one's transaction names the shard and writes nothing."""
    one = start(clock)
    alice = add_user("alice")
    room = make_room(alice)
    two = start(clock, 1)
    tick(clock, [two], DEAD_SECONDS + 1.0)
    assert shards_of(two) == ALL
    stored = RoomEvent.objects.count()
    with pytest.raises(LeaseLost) as lost:
        Writer(one, CrashPoint()).write([entry_for(room, alice)])
    assert lost.value.shards == {shard_of_room(room)}
    assert RoomEvent.objects.count() == stored
    assert not one.hold([shard_of_room(room)])
    assert two.hold(ALL)
    assert len(Writer(two, CrashPoint()).write([entry_for(room, alice)]).outcomes) == 1


def test_a_shard_that_was_never_mine_is_refused_too(clock: Clock) -> None:
    """An entry of another's stream can't be written by mistake."""
    alice = add_user("alice")
    room = make_room(alice)
    with pytest.raises(LeaseLost):
        Writer(LeaseKeeper(uuid4(), 0, clock), CrashPoint()).write([entry_for(room, alice)])


def entry_for(room: UUID, user: int) -> Entry:
    """Return a message as an entry of its room's stream."""
    shard = shard_of_room(room)
    return Entry(shard, KEYSPACE.in_stream(shard), "1-1", Envelope(command=message(room), user=user))


def workers(ordinals: set[int]) -> list[Worker]:
    """Return live processes; which uuids and ids they have must not matter."""
    return [Worker(id=10 + ordinal, uuid=uuid4(), ordinal=ordinal) for ordinal in ordinals]


def by_ordinal(live: list[Worker]) -> dict[int, int]:
    """Return the ordinal that should own each shard."""
    ordinals = {worker.uuid: worker.ordinal for worker in live}
    return {shard: ordinals[owner] for shard, owner in desired_owners(live).items()}


@given(st.sets(st.integers(0, 200), min_size=1, max_size=12), st.integers(0, 200))
def test_a_new_ordinal_takes_only_what_becomes_its_own(ordinals: set[int], new: int) -> None:
    """Rendezvous: nothing moves between two that stay, whether somebody comes or goes."""
    before = by_ordinal(workers(ordinals - {new} or {201}))
    after = by_ordinal(workers((ordinals - {new} or {201}) | {new}))
    assert before.keys() == after.keys() == ALL
    assert {after[shard] for shard in ALL if after[shard] != before[shard]} <= {new}


def test_without_workers_nobody_owns_anything() -> None:
    """The last one gone, every shard is free."""
    assert desired_owners([]) == {}


def test_the_shares_are_about_even() -> None:
    """Of eight workers none has more than twice its share."""
    shares = list(by_ordinal(workers(set(range(8)))).values())
    assert max(shares.count(ordinal) for ordinal in range(8)) <= 16
    assert min(shares.count(ordinal) for ordinal in range(8)) >= 3


lives = st.lists(
    st.tuples(st.sampled_from(["start", "die", "leave", "look"]), st.integers(0, 3)), max_size=12
)
"""What happens, and to whom or with which ordinal."""


@settings(
    deadline=None,
    max_examples=settings().max_examples // 10,  # one takes half a second
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(lives)
def test_after_any_lives_and_deaths_every_shard_has_one_owner(
    clock: Clock, happenings: list[tuple[str, int]]
) -> None:
    """Twelve seconds after the last death, whoever died, left or came, each shard is one live process's."""
    Worker.objects.all().delete()
    ShardLease.objects.update(owner=None)
    alive = [start(clock)]
    for what, number in happenings:
        clock.now += 1.0
        if what == "start":
            alive.append(start(clock, number))
        elif what == "look":
            alive[number % len(alive)].keep()
        elif len(alive) > 1:
            ended = alive.pop(number % len(alive))
            if what == "leave":
                ended.release_all()
    tick(clock, alive, DEAD_SECONDS + 4 * POLL_SECONDS)
    owned = [shard for keeper in alive for shard in keeper.epochs]
    assert sorted(owned) == sorted(ALL)
    assert set(ShardLease.objects.values_list("owner", flat=True)) <= {keeper.uuid for keeper in alive}
