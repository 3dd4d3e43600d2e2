"""Two databases on one prefix: the second one's workers own nothing and say why."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from structlog.testing import capture_logs

from roomlog.identity import identity
from roomlog.models import Install, ShardLease
from roomlog_contract.claim import CLAIM_SECONDS, claim_of
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_runtime.settings import SettingError
from roomlog_worker import claim, metrics
from roomlog_worker.claim import RENEW_SECONDS, Claim
from roomlog_worker.leases import POLL_SECONDS
from tests.harness.people import People, make_room, message
from tests.worker.bench import KEYSPACE, Bench

KEY = KEYSPACE.install_key
OTHER = claim_of("a-copy", DEFAULT_SHARDS)
RENEWED = round(RENEW_SECONDS / POLL_SECONDS) + 1
"""Turns after which a worker has looked at the claim again."""


@pytest.fixture
def foreign(bench: Bench) -> Bench:
    """A worker that owned everything when another database's workers got the prefix."""
    bench.redis.set(KEY, OTHER)
    bench.turn(RENEWED)
    return bench


def owners() -> set[object]:
    """Return who owns shards, by the database."""
    return set(ShardLease.objects.values_list("owner", flat=True))


@contextmanager
def the_database_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No connection to it can be made meanwhile."""

    def refuse() -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        connection.close()
        patch.setattr(connection, "connect", refuse)
        yield


def test_the_first_turn_claims_the_prefix_for_a_while(bench: Bench) -> None:
    """The claim names the database, and ends where nobody renews it."""
    assert bench.redis.get(KEY) == claim_of(identity(), DEFAULT_SHARDS).encode()
    assert 0 < bench.redis.pttl(KEY) <= CLAIM_SECONDS * 1000


def test_a_claim_is_kept_alive(bench: Bench) -> None:
    """By every worker of the database, one that owns nothing too."""
    other = bench.another(ordinal=1)
    for worker in (bench.worker, other):
        bench.redis.pexpire(KEY, 1000)
        for _ in range(RENEWED):
            worker.turn()
        assert bench.redis.pttl(KEY) > 1000


def test_a_foreign_claim_ends_all_ownership(foreign: Bench, people: People) -> None:
    """What waits in the streams is the other's; the database's own leases are free."""
    room = make_room(people.alice)
    foreign.send(message(room, "not ours"), people.alice)
    heard = foreign.turn(RENEWED)
    assert not heard.order
    assert foreign.waiting() == 1
    assert owners() == {None}
    assert foreign.worker.consumer.trouble() == "the Redis prefix is in use by another database"
    assert metrics.FOREIGN_CLAIM._value.get() == 1
    assert foreign.redis.get(KEY) == OTHER.encode()


def test_a_foreign_claim_is_told_once_and_its_end_too(bench: Bench) -> None:
    """With what to do; afterwards the worker takes everything again."""
    with capture_logs() as logs:
        bench.redis.set(KEY, OTHER)
        bench.turn(3 * RENEWED)
        bench.redis.delete(KEY)
        bench.turn(RENEWED)
    told = [line for line in logs if line["event"].startswith("prefix_claimed")]
    assert [line["event"] for line in told] == ["prefix_claimed", "prefix_claimed_over"]
    assert "ROOMLOG_REDIS_PREFIX" in told[0]["todo"]
    assert owners() == {bench.worker.leases.uuid}
    assert bench.worker.consumer.trouble() is None
    assert metrics.FOREIGN_CLAIM._value.get() == 0


def test_another_number_of_shards_is_as_foreign(bench: Bench) -> None:
    """Two releases that cut rooms differently must not share streams."""
    bench.redis.set(KEY, f"{identity()} {2 * DEFAULT_SHARDS}")
    bench.turn(RENEWED)
    assert owners() == {None}
    holder = f"an install of {2 * DEFAULT_SHARDS} shards"
    assert bench.worker.consumer.trouble() == f"the Redis prefix is in use by {holder}"


def test_a_worker_that_counts_other_shards_than_its_database_ends(bench: Bench) -> None:
    """With a sentence that says what to do, and before it claims anything."""
    bench.redis.delete(KEY)
    Install.objects.update(shards=256)
    told = "ROOMLOG_SHARDS is 64, but this install has 256 shards for ever: set it"
    with pytest.raises(SettingError, match=told):
        Claim(bench.bus).renew()
    assert bench.redis.get(KEY) is None


def test_a_restart_of_the_database_does_not_lose_the_prefix(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy may be waiting for it."""
    with the_database_away(monkeypatch):
        bench.turn()
        bench.redis.pexpire(KEY, 1000)
        bench.turn()
        assert bench.worker.consumer.trouble() == "database"
        assert bench.redis.pttl(KEY) > 1000
    bench.turn(2)
    assert owners() == {bench.worker.leases.uuid}


def test_a_claim_is_looked_at_first_when_redis_was_away(bench: Bench) -> None:
    """An empty Redis may have been claimed by others since; nothing is read before."""
    bench.redis.flushall()
    bench.redis.set(KEY, OTHER)
    bench.redis.client_kill_filter(_type="normal", skipme=True)
    bench.turn(2)
    assert owners() == {None}


def test_another_database_behind_the_same_address_is_noticed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its leases are not taken before the old claim has ended."""
    monkeypatch.setattr(claim, "identity", lambda: "restored")
    connection.close()
    bench.turn()
    assert bench.worker.consumer.trouble() == "the Redis prefix is in use by another database"
    bench.redis.delete(KEY)  # it has expired
    bench.turn()
    assert bench.redis.get(KEY) == claim_of("restored", DEFAULT_SHARDS).encode()
    assert owners() == {bench.worker.leases.uuid}


def test_a_full_redis_is_emptied_without_a_claim(bench: Bench, people: People) -> None:
    """It refuses a new key; nobody else has one."""
    bench.send(message(make_room(people.alice), "hello"), people.alice)
    bench.redis.delete(KEY)
    successor = bench.another()
    bench.redis.config_set("maxmemory", "1")
    try:
        successor.turn()
        assert successor.consumer.trouble() is None
    finally:
        bench.redis.config_set("maxmemory", "0")
    assert bench.hear().seqs() == [2]
    assert not bench.redis.exists(KEY)
