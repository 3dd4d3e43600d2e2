"""Who owns which shard: takeovers, handovers, the dead and the merely late. The clock is the test's."""

from collections import Counter
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pytest_django import DjangoAssertNumQueries

from roomlog.models import RoomEvent, ShardLease, Worker
from roomlog_contract.envelope import Envelope
from roomlog_contract.shards import DEFAULT_SHARDS, SHARD_NUMBERS
from roomlog_worker.crash_point import CrashPoint
from roomlog_worker.entries import Entry
from roomlog_worker.errors import Forgotten, LeaseLost
from roomlog_worker.leases import (
    DEAD_SECONDS,
    FORGET_SECONDS,
    POLL_SECONDS,
    WITHOUT_REDIS_SECONDS,
    LeaseKeeper,
    desired_owners,
)
from roomlog_worker.writer import Writer
from tests.harness.people import add_user, make_room, message
from tests.worker.bench import KEYSPACE, Clock, tick

ALL = set(range(DEFAULT_SHARDS))


@pytest.fixture
def clock(database: str) -> Clock:
    """Time on an empty database."""
    return Clock()


def start(clock: Clock, ordinal: int = 0) -> LeaseKeeper:
    """Return a new process that has looked at the leases once."""
    keeper = LeaseKeeper(uuid4(), ordinal, clock)
    keeper.redis_answered()
    keeper.keep()
    return keeper


def two_that_share(clock: Clock) -> tuple[LeaseKeeper, LeaseKeeper]:
    """Return two processes, each with its share."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one, two], 2.0)
    return one, two


def shards_of(keeper: LeaseKeeper) -> set[int]:
    """Return the shards that the process believes to own."""
    return set(keeper.epochs)


def test_a_second_worker_gets_its_share(clock: Clock) -> None:
    """The first took all; it releases exactly what the second should own, and goes on with the rest."""
    one = start(clock)
    assert (shards_of(one), one.unclean) == (ALL, set())
    two = start(clock, 1)
    assert shards_of(two) == set()
    tick(clock, [one, two], 2 * POLL_SECONDS)
    owners = desired_owners(list(Worker.objects.all()), DEFAULT_SHARDS)
    wanted = {shard for shard, owner in owners.items() if owner == two.uuid}
    assert shards_of(two) == wanted
    assert shards_of(one) == ALL - wanted
    assert 16 < len(wanted) < 48
    assert two.unclean == set()
    assert {one.epochs[shard] for shard in one.epochs} == {1}


def test_a_leaving_worker_hands_over_at_once(clock: Clock) -> None:
    """Scaled down: the shards are free, and the other has them at its next look, with nothing to suspect."""
    one, two = two_that_share(clock)
    two.release_all()
    assert shards_of(two) == set()
    tick(clock, [one], POLL_SECONDS)
    assert shards_of(one) == ALL
    assert one.unclean == set()
    assert [worker.uuid for worker in Worker.objects.all()] == [one.uuid]


def test_a_dead_worker_s_shards_are_taken_after_ten_seconds(clock: Clock) -> None:
    """Not before, and marked: the first entries may have killed it."""
    one, two = two_that_share(clock)
    lost = shards_of(two)
    tick(clock, [one], DEAD_SECONDS - POLL_SECONDS)
    assert shards_of(one) == ALL - lost
    tick(clock, [one], 2 * POLL_SECONDS)
    assert shards_of(one) == ALL
    assert one.unclean == lost


def test_takeovers_are_counted(clock: Clock) -> None:
    """Free shards apart from those of the dead."""

    def count(owner: str) -> float:
        return REGISTRY.get_sample_value("roomlog_worker_takeovers_total", {"owner": owner}) or 0.0

    before = count("free"), count("dead")
    start(clock)
    assert (count("free"), count("dead")) == (before[0] + DEFAULT_SHARDS, before[1])
    start(clock)  # a successor of the same ordinal
    assert (count("free"), count("dead")) == (before[0] + DEFAULT_SHARDS, before[1] + DEFAULT_SHARDS)


def test_a_successor_takes_its_predecessor_s_shards_at_once(clock: Clock) -> None:
    """Killed and back in a second: no ten seconds of watching, and what killed it is suspect."""
    one, two = two_that_share(clock)
    lost = shards_of(two)
    successor = start(clock, 1)
    assert shards_of(successor) == lost
    assert successor.unclean == lost
    assert successor.still_owns(lost)
    assert not two.still_owns(lost)
    tick(clock, [one, successor], 2 * DEAD_SECONDS)
    assert (shards_of(one), shards_of(successor)) == (ALL - lost, lost)


def test_a_successor_leaves_the_rest_to_those_it_is_meant_for(clock: Clock) -> None:
    """The dead one still had everything: another that has just come gets its own share, suspect too."""
    dead = start(clock)
    other = start(clock, 1)
    assert shards_of(dead) == ALL
    successor = start(clock)
    tick(clock, [successor, other], 2 * POLL_SECONDS)
    wanted = desired_owners(list(Worker.objects.all()), DEFAULT_SHARDS)
    assert shards_of(other) == {shard for shard, owner in wanted.items() if owner == other.uuid}
    assert other.unclean == shards_of(other) > set()
    assert shards_of(successor) == ALL - shards_of(other)


def test_a_beat_one_moment_before_the_end_counts(clock: Clock) -> None:
    """Whoever beats every nine seconds is alive."""
    one, two = two_that_share(clock)
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
    assert shards_of(new) == ALL
    tick(clock, [old, new], 4 * DEAD_SECONDS)
    assert shards_of(old) == set()
    assert shards_of(new) == ALL
    assert new.unclean == ALL


def test_two_live_processes_of_one_ordinal_see_each_other(clock: Clock) -> None:
    """Each counts the other, as long as its beat moves; one that was killed is no twin."""
    old = start(clock, 3)
    new = start(clock, 3)
    tick(clock, [new], 2.0)
    assert new.twins == 0
    tick(clock, [old, new], 2.0)
    assert (old.twins, new.twins) == (1, 1)
    tick(clock, [new], DEAD_SECONDS + POLL_SECONDS)
    assert new.twins == 0


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
    one, two = two_that_share(clock)
    share = shards_of(two)
    tick(clock, [one], 2 * DEAD_SECONDS)
    one.unclean.clear()
    tick(clock, [two], POLL_SECONDS)
    assert shards_of(two) == set()
    tick(clock, [one, two], 2 * POLL_SECONDS)
    assert (shards_of(one), shards_of(two)) == (ALL - share, share)
    assert one.unclean | two.unclean == set()


def test_the_long_dead_are_forgotten_and_must_end(clock: Clock) -> None:
    """A process that slept for a minute gets no later id: it would outrank the successor with its work."""
    one, two = start(clock), start(clock, 1)
    tick(clock, [one], FORGET_SECONDS + 1.0)
    assert [worker.uuid for worker in Worker.objects.all()] == [one.uuid]
    clock.now += POLL_SECONDS
    with pytest.raises(Forgotten):
        two.keep()
    assert [worker.uuid for worker in Worker.objects.all()] == [one.uuid]


def test_no_shard_before_redis_answered(clock: Clock) -> None:
    """A worker with a wrong address is nobody, whatever time passes; it begins with the first answer."""
    lost = LeaseKeeper(uuid4(), 0, clock)
    tick(clock, [lost], DEAD_SECONDS)
    lost.redis_failed()
    tick(clock, [lost], DEAD_SECONDS)
    assert (shards_of(lost), Worker.objects.count()) == (set(), 0)
    lost.redis_answered()
    tick(clock, [lost], POLL_SECONDS)
    assert shards_of(lost) == ALL


def test_shards_go_to_those_that_reach_redis(clock: Clock) -> None:
    """After five seconds without it, cleanly; and back once it answers."""
    one, two = two_that_share(clock)
    share = shards_of(two)
    two.redis_answered()
    two.redis_failed()
    tick(clock, [two, one], WITHOUT_REDIS_SECONDS - POLL_SECONDS)
    assert shards_of(two) == share
    tick(clock, [two, one], 2 * POLL_SECONDS)
    assert (shards_of(two), shards_of(one), one.unclean) == (set(), ALL, set())
    two.redis_answered()
    tick(clock, [two, one, two], 2 * POLL_SECONDS)
    assert (shards_of(two), shards_of(one)) == (share, ALL - share)


def test_a_hung_redis_that_one_notices_first_moves_no_shard(clock: Clock) -> None:
    """Time-outs end a second apart: the first waits for what the other's beat says."""
    one, two = two_that_share(clock)
    before = shards_of(one), shards_of(two)
    for keeper in (one, two):
        keeper.redis_answered()
    clock.now += WITHOUT_REDIS_SECONDS
    one.redis_failed()
    tick(clock, [one], 1.0)
    two.redis_failed()
    tick(clock, [two, one], 4 * WITHOUT_REDIS_SECONDS)
    assert (shards_of(one), shards_of(two)) == before


def test_a_dead_worker_s_shards_are_taken_without_redis_too(clock: Clock) -> None:
    """Redis is away for all: the one that lives carries out what the api wrote."""
    one, two = two_that_share(clock)
    one.redis_failed()
    two.redis_failed()
    tick(clock, [one, two], POLL_SECONDS)
    tick(clock, [one], DEAD_SECONDS + POLL_SECONDS)
    assert shards_of(one) == ALL


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
    assert lost.value.shards == {KEYSPACE.shard_of_room(room)}
    assert RoomEvent.objects.count() == stored
    assert not one.still_owns([KEYSPACE.shard_of_room(room)])
    assert two.still_owns(ALL)
    assert len(Writer(two, CrashPoint()).write([entry_for(room, alice)]).outcomes) == 1


def test_a_shard_that_was_never_mine_is_refused_too(clock: Clock) -> None:
    """An entry of another's stream can't be written by mistake."""
    alice = add_user("alice")
    room = make_room(alice)
    with pytest.raises(LeaseLost):
        Writer(LeaseKeeper(uuid4(), 0, clock), CrashPoint()).write([entry_for(room, alice)])


def entry_for(room: UUID, user: int) -> Entry:
    """Return a message as an entry of its room's stream."""
    shard = KEYSPACE.shard_of_room(room)
    return Entry(shard, KEYSPACE.in_stream(shard), "1-1", Envelope(command=message(room), user=user))


def workers(ordinals: set[int]) -> list[Worker]:
    """Return live processes; which uuids and ids they have must not matter."""
    return [Worker(id=10 + ordinal, uuid=uuid4(), ordinal=ordinal) for ordinal in ordinals]


def by_ordinal(live: list[Worker], shards: int = DEFAULT_SHARDS) -> dict[int, int]:
    """Return the ordinal that should own each shard."""
    ordinals = {worker.uuid: worker.ordinal for worker in live}
    return {shard: ordinals[owner] for shard, owner in desired_owners(live, shards).items()}


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 200), min_size=1, max_size=12),
    st.integers(0, 200),
    st.sampled_from(SHARD_NUMBERS[:3]),
)
def test_a_new_ordinal_takes_only_what_becomes_its_own(ordinals: set[int], new: int, shards: int) -> None:
    """Rendezvous: nothing moves between two that stay, whether somebody comes or goes."""
    before = by_ordinal(workers(ordinals - {new} or {201}), shards)
    after = by_ordinal(workers((ordinals - {new} or {201}) | {new}), shards)
    assert before.keys() == after.keys() == set(range(shards))
    assert {after[shard] for shard in after if after[shard] != before[shard]} <= {new}


def test_64_workers_of_1024_shards_have_shares_of_one_size() -> None:
    """None is without one; the largest share is less than twice the mean."""
    shares = Counter(by_ordinal(workers(set(range(64))), 1024).values())
    assert len(shares) == 64
    assert max(shares.values()) < 2 * 1024 / 64


def test_without_workers_nobody_owns_anything() -> None:
    """The last one gone, every shard is free."""
    assert desired_owners([], DEFAULT_SHARDS) == {}


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
