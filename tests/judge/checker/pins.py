"""I27 and I28: which messages are pinned, for whom they are shown so, and who may pin (G20)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row, Shown
from tests.judge.pins import PIN_KIND, UNPIN_KIND, PinList

from .anomaly import Anomaly
from .standings import RANKS, STAFF, STRANGER, Standings

PINS: Final = 50
"""Pinned messages of a room, at most."""

Pinned = dict[int, Row]
"""Seq of the message → the event that pinned it, in the order of seq."""


class _State(NamedTuple):
    """What is pinned in a room from a seq on."""

    since: int
    pinned: Pinned


def _states(history: History) -> dict[str, list[_State]]:
    """Return what was pinned in each room, from its beginning on.

    Of what an erasure takes it is not known when: it counts as pinned until an event ends that.
    """
    found: dict[str, list[_State]] = {}
    for room, rows in history.rows_by_room.items():
        states = found[room] = [_State(0, {})]
        for row in rows:
            if row.kind in (PIN_KIND, UNPIN_KIND, DELETION_KIND):
                pinned = dict(states[-1].pinned)
                if row.kind == PIN_KIND:
                    pinned.setdefault(row.target, row)
                elif row.target not in pinned:
                    continue
                else:
                    del pinned[row.target]
                states.append(_State(row.seq, pinned))
    return found


def _since(states: list[_State], seq: int) -> list[_State]:
    """Return the state as of a seq, and all later ones."""
    return states[bisect_right(states, seq, lo=1, key=lambda state: state.since) - 1 :]


def pins_agree(history: History) -> Iterator[Anomaly]:
    """I27: pinned is what the log's events leave so, in the database, afresh, in lists and for followers."""
    rooms = _states(history)
    for row in history.rows:
        if row.kind == MESSAGE_KIND:
            pin = None if row.is_deleted else rooms[row.room][-1].pinned.get(row.seq)
            if row.pinned_seq != (pin.seq if pin else 0):
                what = f"is pinned by {row.pinned_seq} in the database, and by {pin and pin.seq} in the log"
                yield Anomaly.of("I27", row, what, seq=row.seq)
    for found, how in ((history.shown, "afresh"), (history.believed, "at rest")):
        for one in found:
            message = history.row_at.get((one.room, one.seq))
            if message is not None and not _is_shown_right(one, message, rooms[one.room]):
                what = f"is pinned {how} since {one.pinned_at}, and was not so at {one.head} or after"
                about = one.room, one.seq, one.user, message.uuid, one.client, one.at
                yield Anomaly("I27", what, *about)
    for listed in history.pin_lists:
        if not _is_listed_right(history, listed, rooms.get(listed.room, [_State(0, {})])):
            what = f"was listed {len(listed.seqs)} pins, others than there were at {listed.head} or after"
            about = listed.room, listed.head, listed.user, "", listed.client, listed.at
            yield Anomaly("I27", what, *about)


def _is_shown_right(one: Shown, row: Row, states: list[_State]) -> bool:
    if one.is_deleted or (row.is_deleted and one.pinned_at is None):
        return one.pinned_at is None
    pins = (state.pinned.get(one.seq) for state in _since(states, one.head))
    return any(one.pinned_at == (pin.at_ms if pin else None) for pin in pins)


def _is_listed_right(history: History, listed: PinList, states: list[_State]) -> bool:
    """Return True if it is one state of the room, newest pin first; a full answer may end earlier.

    Of what was pruned nobody can tell whether it still was listed just then.
    """

    def without_erased(seqs: Iterable[int]) -> list[int]:
        return [seq for seq in seqs if not _may_be_gone(history, listed.room, seq)]

    seqs = without_erased(listed.seqs)
    for state in _since(states, listed.head):
        expected = without_erased(reversed(state.pinned))
        if seqs == (expected[: len(seqs)] if listed.has_more else expected):
            return True
    return False


def _may_be_gone(history: History, room: str, seq: int) -> bool:
    """Return True if it was erased or pruned: the log does not say when its pin ended."""
    if history.retention.has_pruned(room, seq):
        return True
    row = history.row_at.get((room, seq))
    is_told = any(one.kind == DELETION_KIND for one in history.changes.get((room, seq), ()))
    return row is not None and row.is_deleted and not is_told


def pinners_are_allowed(history: History) -> Iterator[Anomaly]:
    """I28: admins and owners, in direct rooms both, pin and unpin messages that are there, 50 at most."""
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    gone: dict[str, set[int]] = defaultdict(set)
    pinned: dict[str, set[int]] = defaultdict(set)
    for row, standing in standings.rows():
        if row.kind == DELETION_KIND:
            gone[row.room].add(row.target)
            pinned[row.room].discard(row.target)
        if row.kind not in (PIN_KIND, UNPIN_KIND):
            continue
        rank = standings.rank(row.user, standing)
        what = _is_wrong(history, row, gone[row.room], pinned[row.room])
        if rank != STAFF and (rank == STRANGER or (rank < RANKS["admin"] and row.room not in direct)):
            what = f"is by a {standing.roles.get(row.user, 'stranger')}"
        if what:
            yield Anomaly.of("I28", row, what, seq=row.seq)
        if row.kind == PIN_KIND:
            pinned[row.room].add(row.target)
        else:
            pinned[row.room].discard(row.target)


def _is_wrong(history: History, row: Row, gone: set[int], pinned: set[int]) -> str:
    """Return what is wrong with a pin or its end after what was before it; empty for nothing."""
    message = history.row_at.get((row.room, row.target))
    if message is None or message.kind != MESSAGE_KIND or row.target >= row.seq:
        return f"is about {row.target}, which is no earlier message"
    if row.target in gone:
        return f"is about {row.target}, which is deleted"
    if row.kind == UNPIN_KIND:
        return "" if row.target in pinned else f"is about {row.target}, which is not pinned"
    if row.target in pinned:
        return f"is about {row.target}, which is pinned already"
    there = sum(not _may_be_gone(history, row.room, seq) for seq in pinned)
    return f"is one pin more than {PINS}" if there >= PINS else ""
