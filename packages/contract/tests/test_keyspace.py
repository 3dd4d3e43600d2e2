"""Names in Redis: vectors that may never change, because streams outlive releases."""

from uuid import UUID

import pytest

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import SHARD_NUMBERS

ROOM = UUID("00112233-4455-6677-8899-aabbccddeeff")


def test_names_of_keys_and_channels_are_fixed() -> None:
    """The braces are Redis Cluster hash tags: a shard's keys and its rooms' channels live in one slot."""
    keyspace = Keyspace()
    assert keyspace.in_stream(7) == "roomlog:{s07}:in"
    assert keyspace.read_stream(63) == "roomlog:{s63}:read"
    assert keyspace.browse_stream(63) == "roomlog:{s63}:browse"
    assert keyspace.tries_key(0) == "roomlog:{s00}:tries"
    assert keyspace.room_channel(ROOM) == "roomlog:{s27}:room:00112233445566778899aabbccddeeff"
    assert keyspace.user_channel(42) == "roomlog:user:42"
    assert keyspace.gateway_channel("gw-1") == "roomlog:gateway:gw-1"
    assert keyspace.install_key == "roomlog:install"
    assert keyspace.beacon_channel == "roomlog:beacon"
    assert keyspace.shards_channel == "roomlog:shards"


@pytest.mark.parametrize("number", SHARD_NUMBERS)
def test_the_streams_are_three_for_each_shard(number: int) -> None:
    """What looks at all of them misses none, however many there are."""
    keyspace = Keyspace("a", number)
    assert len(set(keyspace.streams())) == 3 * number
    assert {keyspace.in_stream(0), keyspace.read_stream(number - 1)} <= set(keyspace.streams())
    assert len(set(map(len, map(keyspace.in_stream, range(number))))) == 1


def test_more_shards_have_longer_names() -> None:
    """64 shards are called as ever; a process that counts 64 finds no stream of more, nor the other way."""
    assert Keyspace("a", 256).in_stream(7) == "a:{s007}:in"
    assert Keyspace("a", 1024).room_channel(ROOM) == f"a:{{s0411}}:room:{ROOM.hex}"
    assert set(Keyspace("a").streams()).isdisjoint(Keyspace("a", 128).streams())


def test_two_prefixes_share_no_name() -> None:
    """Two installs on one Redis hear nothing of each other, even where one prefix begins with the other."""
    assert names(Keyspace("a")).isdisjoint(names(Keyspace("a/b")))
    assert all(name.startswith("team/chat:") for name in names(Keyspace("team/chat")))


def names(keyspace: Keyspace) -> set[str]:
    """Return one name of each kind, and all streams."""
    return {
        *keyspace.streams(),
        keyspace.tries_key(1),
        keyspace.room_channel(ROOM),
        keyspace.user_channel(1),
        keyspace.gateway_channel("1"),
        keyspace.install_key,
        keyspace.beacon_channel,
    }
