"""I29: who is said to be typing is another member and has said so, and no log knows of it (G21)."""

from collections import defaultdict
from collections.abc import Iterator

from tests.judge.history import History
from tests.judge.typists import ToldTypists

from .anomaly import Anomaly

TYPING_KIND = "typing"


def typists_are_others(history: History) -> Iterator[Anomaly]:
    """I29: nobody is told of themselves, of strangers, of who said nothing, or of a room not their own."""
    began: dict[tuple[str, int], float] = {}
    for typed in history.typed:
        key = typed.room, typed.user
        began[key] = min(typed.at, began.get(key, typed.at))
    ends = ends_of(history)
    for told in history.typists:
        if told.seq is None:
            yield _of(told, "was told who types in a room that it is not in")
        for typist in told.typists:
            if typist == told.user:
                yield _of(told, "was told that its own user types")
            elif began.get((told.room, typist), told.at + 1) > told.at:
                yield _of(told, f"was told that {typist} types, who had said nothing")
            elif not may_be_member(ends.get((told.room, typist), ()), told.seq or 0):
                yield _of(told, f"was told that {typist} types, who was no member")
    for row in history.rows:
        if row.kind == TYPING_KIND:
            yield Anomaly.of("I29", row, "is in a log, where typing has no place", seq=row.seq)


def ends_of(history: History) -> dict[tuple[str, int], list[int | None]]:
    """Return the last seqs of each user's memberships in each room."""
    ends: dict[tuple[str, int], list[int | None]] = defaultdict(list)
    for one in history.memberships:
        ends[one.room, one.user].append(one.to_seq)
    return ends


def may_be_member(ends: "list[int | None] | tuple[()]", seq: int) -> bool:
    """Return True if some membership had not ended at `seq`: what came later the client did not know."""
    return any(end is None or end > seq for end in ends)


def _of(told: ToldTypists, what: str) -> Anomaly:
    return Anomaly("I29", what, told.room, told.seq, told.user, client=told.client, at=told.at)
