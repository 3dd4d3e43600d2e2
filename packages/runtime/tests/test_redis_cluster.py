"""What is known of a Cluster's slots: names, nodes' addresses, and what nodes say of each other."""

import pytest

from roomlog_runtime.redis_cluster import SLOTS, Redirection, SlotMap, node_url, redirection_of, slot_of

ONE, TWO, THREE = ("one", 1), ("two", 2), ("::1", 3)


def test_a_slot_follows_from_what_stands_in_the_first_braces() -> None:
    """As the Redis Cluster specification has it: with its example, and its cases of braces."""
    assert slot_of("123456789") == 0x31C3
    assert slot_of("chat:{s07}:in") == slot_of("other:{s07}:room:abc") == slot_of(b"s07")
    assert slot_of("foo{}{bar}") != slot_of("foo{}{baz}")
    assert slot_of("foo{{bar}}zap") == slot_of("{bar")


@pytest.mark.parametrize(
    ("url", "node", "expected"),
    [
        ("redis+cluster://one:1,two:2", TWO, "redis://two:2/0"),
        ("redis+cluster://me:p%40w@one:1/", THREE, "redis://me:p%40w@[::1]:3/0"),
        ("rediss+cluster://:pw@one?ssl_ca_certs=/a/b", ONE, "rediss://:pw@one:1/0?ssl_ca_certs=/a/b"),
    ],
)
def test_a_node_has_the_url_of_one_server(url: str, node: tuple[str, int], expected: str) -> None:
    """With the login and the TLS of the Cluster's URL."""
    assert node_url(url, node) == expected


def test_only_two_errors_name_another_node() -> None:
    """One that knows no name of its own is where the question went."""
    assert redirection_of("MOVED 3999 two:2", ONE) == Redirection(True, 3999, TWO)
    assert redirection_of("ASK 3999 ::1:3", ONE) == Redirection(False, 3999, THREE)
    assert redirection_of("MOVED 0 :7", ONE) == Redirection(True, 0, ("one", 7))
    assert redirection_of("MOVED 0", ONE) is redirection_of("CLUSTERDOWN Hash slot not served", ONE) is None


def test_a_map_of_slots_changes_by_answers_and_by_redirections() -> None:
    """And is another version only then; an answer without slots, of a node that is alone, changes nothing."""
    slots = SlotMap()
    assert slots.node_of("a") is None
    answer = [[0, 8191, [b"one", 1, b"id"], [b"", 2, b"id"]], [8192, SLOTS - 1, [None, 3, b"id"]]]
    slots.learn(answer, ("asked", 9))
    assert slots.primaries == {ONE, ("asked", 3)}
    assert slots.nodes == {ONE, ("asked", 2), ("asked", 3)}
    slots.learn(answer, ("asked", 9))
    slots.learn([], TWO)
    assert slots.version == 1
    slots.moved(Redirection(True, slot_of("a"), TWO))
    slots.moved(Redirection(True, slot_of("a"), TWO))
    assert (slots.version, slots.node_of("a"), slots.count) == (2, TWO, SLOTS)
    assert slots.primaries == {ONE, TWO, ("asked", 3)}
