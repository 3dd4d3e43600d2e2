"""I33: watchers are told of members alone, and in the end of those who are connected (G24)."""

from collections.abc import Iterator

from tests.judge.attendance import ToldPresence
from tests.judge.history import History

from .anomaly import Anomaly
from .typists import ends_of, may_be_member


def watchers_see_who_is_there(history: History) -> Iterator[Anomaly]:
    """I33: only members are told, of members, each once, and at rest of those who are connected."""
    ends = ends_of(history)
    for told in history.attendance.told:
        if told.seq is None:
            yield _of(told, "was told who is in a room that it is not in")
        if told.users is None:
            continue
        if told.number != len(set(told.users)):
            yield _of(told, f"was told of {told.number} people, and named {told.users}")
        for user in told.users:
            if not may_be_member(ends.get((told.room, user), ()), told.seq or 0):
                yield _of(told, f"was told that {user} is there, who was no member")
    for last in history.attendance.at_rest:
        if last.told.users != last.connected:
            yield _of(last.told, f"sees {last.told.users} where {last.connected} are connected")


def _of(told: ToldPresence, what: str) -> Anomaly:
    return Anomaly("I33", what, told.room, told.seq, told.user, client=told.client, at=told.at)
