"""I37: watchers alone are told of members' committed marks, never backward, and in the end of all (G28)."""

from collections.abc import Iterator

from tests.judge.history import History
from tests.judge.receipts import RECEIPTS_KIND, ToldMarks

from .anomaly import Anomaly
from .standings import RANKS, Standings
from .typists import ends_of, may_be_member


def receipts_hold(history: History) -> Iterator[Anomaly]:
    """I37: who is told of what, what stands in the end, and who has turned it on."""
    yield from _told(history)
    for last in history.receipts.at_rest:
        stored = history.receipts.stored.get(last.room, {})
        among = set(stored if last.among is None else last.among)
        expected = {user: seq for user, seq in stored.items() if user in among}
        known = {user: seq for user, seq in last.marks if user in among or user not in stored}
        if known != expected:
            what = f"knows the marks {known} where {expected} are stored"
            yield Anomaly("I37", what, last.room, None, last.user, client=last.client, at=last.at)
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    for row, standing in standings.rows():
        if row.kind != RECEIPTS_KIND:
            continue
        least = "reader" if row.room in direct else "admin"
        if standings.rank(row.user, standing) < RANKS[least]:
            what = f"is by a {standing.roles.get(row.user, 'stranger')}"
            yield Anomaly.of("I37", row, what, seq=row.seq)


def _told(history: History) -> Iterator[Anomaly]:
    """Find strangers who were told something, and marks that nobody has, or that went back."""
    greatest: dict[tuple[str, int, str, str, int], int] = {}
    ends, last = ends_of(history), history.epochs[-1].epoch if history.epochs else ""
    for told in history.receipts.told:
        if told.seq is None:
            yield _of(told, "was told who has read a room that it is not in")
        stored = history.receipts.stored.get(told.room, {}) if told.epoch == last else {}
        for user, seq in told.marks:
            key = told.client, told.connection, told.room, told.epoch, user
            if seq < greatest.get(key, 0):
                yield _of(told, f"was told that {user} has read {seq}, after {greatest[key]}")
            if seq > stored.get(user, seq):
                yield _of(told, f"was told that {user} has read {seq}, where {stored[user]} is stored")
            if not may_be_member(ends.get((told.room, user), ()), told.seq or 0):
                yield _of(told, f"was told of {user}, who was no member")
            greatest[key] = seq


def _of(told: ToldMarks, what: str) -> Anomaly:
    return Anomaly("I37", what, told.room, told.seq, told.user, client=told.client, at=told.at)
