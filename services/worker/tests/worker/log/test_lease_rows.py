"""The statements behind the leases: each is safe alone, none trusts a clock."""

from uuid import UUID

from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from roomlog.models import ShardLease
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_worker.log import leases, statements

ONE, TWO = UUID(int=1), UUID(int=2)


def owner_of(shard: int) -> tuple[UUID | None, int]:
    """Return owner and epoch."""
    lease = ShardLease.objects.get(pk=shard)
    return lease.owner, lease.epoch


def test_a_lease_is_taken_once_and_released_by_its_owner_alone(database: str) -> None:
    """The second of two takers gets nothing; a late release frees nothing."""
    assert leases.take_leases({3: 0, 4: 0}, ONE) == {3, 4}
    assert leases.take_leases({4: 0, 5: 0}, TWO) == {5}
    assert [owner_of(shard) for shard in (3, 4, 5, 6)] == [(ONE, 1), (ONE, 1), (TWO, 1), (None, 0)]
    leases.take_leases({3: 0}, ONE)
    leases.release_leases([3], TWO)
    assert owner_of(3) == (ONE, 1)
    leases.release_leases([3], ONE)
    assert owner_of(3) == (None, 1)


def test_many_leases_are_taken_in_two_statements(
    database: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """A worker that comes back waits for no round trip a shard; another's are left out all the same."""
    leases.take_leases({7: 0}, TWO)
    with transaction.atomic(), django_assert_max_num_queries(4):  # two are a savepoint's
        assert leases.take_leases(dict.fromkeys(range(DEFAULT_SHARDS), 0), ONE) == set(
            range(DEFAULT_SHARDS)
        ) - {7}
    assert [owner_of(shard) for shard in (6, 7, 8)] == [(ONE, 1), (TWO, 1), (ONE, 1)]


def test_a_lost_lease_is_seen_under_the_lock(database: str) -> None:
    """Another owner, or the same one at another epoch, is not the lease that I had."""
    leases.take_leases({3: 0, 4: 0, 5: 0}, ONE)
    leases.take_leases({4: 1}, TWO)
    leases.take_leases({5: 1}, ONE)
    epochs = {3: 1, 4: 1, 5: 1}
    with transaction.atomic():
        assert leases.not_mine(epochs, ONE, statements.lock_leases(epochs)) == {4, 5}
    assert leases.lost_leases(epochs, ONE) == {4, 5}
    assert leases.lost_leases({3: 1}, ONE) == set()


def test_later_processes_have_higher_numbers(database: str) -> None:
    """Also after earlier ones were forgotten: of two with one ordinal the later is preferred."""
    first = leases.register_worker(ONE, 0)
    leases.forget_worker(ONE)
    assert leases.register_worker(TWO, 0) > first
