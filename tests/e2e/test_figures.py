"""The figures of a fault are what the history says. Needs no cluster."""

from tests.e2e import figures
from tests.judge.history import Connection, History
from tests.judge.samples import Ownership


def test_the_longest_time_offline_is_between_two_sockets_of_one_client() -> None:
    """A socket that ends the history counts for nothing; neither does somebody else's."""
    history = History(
        connections=[
            Connection("a", 3, 7.5),
            Connection("a", 1, 0.0, 2.0, 1012),
            Connection("b", 2, 0.0, 1.0, 1006),
            Connection("b", 4, 1.5, 9.0, 1000),
        ]
    )
    assert figures.longest_offline(history) == 5.5
    assert figures.reconnect_times(history) == [1.5, 7.5]


def test_the_worst_second_may_begin_anywhere() -> None:
    """A window of fixed seconds would cut it in two."""
    assert figures.most_within([0.0, 0.9, 1.1, 1.3, 1.8, 4.0], 1.0) == 4
    assert figures.most_within([], 1.0) == 0


def test_a_shard_without_owner_is_seen_between_two_samples() -> None:
    """One that never had an owner counts from nothing: the cluster was whole before."""
    samples = [
        Ownership(0.0, frozenset({1, 2})),
        Ownership(1.0, frozenset({1})),
        Ownership(4.0, frozenset({1, 2})),
    ]
    assert figures.longest_unowned(History(ownership=samples)) == 4.0
