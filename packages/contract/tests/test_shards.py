"""Where a command travels: vectors that may never change, because streams and rooms outlive releases."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import shards
from roomlog_contract.keyspace import Keyspace

KEYSPACE = Keyspace()


@pytest.mark.parametrize(
    ("shard_of", "names"),
    [
        (
            lambda room: KEYSPACE.shard_of_room(UUID(room)),
            {
                "00000000-0000-0000-0000-000000000000": 21,
                "00000000-0000-0000-0000-000000000001": 3,
                "00112233-4455-6677-8899-aabbccddeeff": 27,
                "6ba7b810-9dad-41d1-80b4-00c04fd430c8": 55,
                "ffffffff-ffff-ffff-ffff-ffffffffffff": 26,
            },
        ),
        (KEYSPACE.shard_of_user, {0: 33, 1: 55, 2: 13, 42: 8, 2**53 - 1: 27}),
        (
            KEYSPACE.shard_of_token,
            {"": 0, "a": 3, "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b": 43, "schüssel": 1},
        ),
    ],
    ids=["rooms", "users", "tokens"],
)
def test_a_name_keeps_its_shard_for_ever(shard_of: Callable[[Any], int], names: dict[Any, int]) -> None:
    """A release that moved a room would leave its stream with two owners; two releases run side by side."""
    assert {name: shard_of(name) for name in names} == names


def test_a_room_keeps_its_id_for_ever() -> None:
    """A repeated create_room, a year later; whoever of two users begins."""
    rooms = {
        (1, "a"): "2184cf18-4ac5-5195-adb4-df1a3adf9d42",
        (42, "5f3759df"): "e836e5b8-03b7-5fb0-bf2c-dacabbe1b178",
        (7, "räume"): "2648f2dc-e2b9-51af-9d61-b0564fc4b8e9",
    }
    assert {made: str(shards.created_room_id(*made)) for made in rooms} == rooms
    pairs = {
        (1, 2): "54938da6-ac48-56cf-a635-7e5006f77f28",
        (42, 7): "3a4d9849-dfa5-5233-8c11-300e2c01d9df",
        (5, 5): "9e4b6cde-0fbb-5704-bc64-70095ee3347a",
    }
    assert {pair: str(shards.direct_room_id(*pair)) for pair in pairs} == pairs
    assert {pair: str(shards.direct_room_id(*pair[::-1])) for pair in pairs} == pairs


NUMBERS = st.sampled_from(shards.SHARD_NUMBERS)


@given(NUMBERS, st.uuids(), st.integers(0, 2**53), st.text(st.characters(exclude_categories=["Cs"])))
def test_every_room_user_and_token_has_a_shard(number: int, room: UUID, user: int, token: str) -> None:
    """However many shards an install has, everybody finds the same one of them."""
    keyspace = Keyspace("a", number)
    found = {keyspace.shard_of_room(room), keyspace.shard_of_user(user), keyspace.shard_of_token(token)}
    assert found <= set(range(number))
    assert keyspace.shard_of_room(room) % shards.DEFAULT_SHARDS == KEYSPACE.shard_of_room(room)


@pytest.mark.parametrize("number", shards.SHARD_NUMBERS)
def test_rooms_spread_over_all_shards(number: int) -> None:
    """No shard gets more than twice its part of the rooms."""
    keyspace = Keyspace("a", number)
    rooms = (shards.created_room_id(1, str(room)) for room in range(100 * number))
    counts = Counter(map(keyspace.shard_of_room, rooms))
    assert len(counts) == number
    assert max(counts.values()) < 200
