"""What the names of an install may begin with."""

import pytest

from roomlog_runtime.redis_prefix import read_redis_prefix
from roomlog_runtime.settings import SettingError


@pytest.mark.parametrize(
    "prefix", ["roomlog", "a", "chat-production/roomlog", "v1.2_x", "n" * 63 + "/" + "r" * 53]
)
def test_a_prefix_is_kept_as_it_is(prefix: str) -> None:
    """The names of a namespace and a release fit."""
    assert read_redis_prefix("roomlog", {"ROOMLOG_REDIS_PREFIX": prefix}) == prefix


def test_without_a_prefix_the_default_holds() -> None:
    """A chart renders an optional value as an empty one."""
    assert read_redis_prefix("roomlog", {}) == "roomlog"
    assert read_redis_prefix("roomlog", {"ROOMLOG_REDIS_PREFIX": ""}) == "roomlog"


@pytest.mark.parametrize("prefix", ["a:b", "{a}", "a*", "a b", "ä", "a\n", "x" * 129, " "])
def test_a_prefix_that_redis_reads_otherwise_ends_the_start_with_a_sentence(prefix: str) -> None:
    """Braces are hash tags, stars are patterns, and a colon ends a prefix."""
    with pytest.raises(SettingError, match=r"ROOMLOG_REDIS_PREFIX is .* not 1 to 128 letters"):
        read_redis_prefix("roomlog", {"ROOMLOG_REDIS_PREFIX": prefix})
