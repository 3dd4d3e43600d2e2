"""I18: read marks move forward alone, unread is what others said above them, and all devices agree (G16).

They agree about levels of notifications too, which are told with the marks.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from roomlog_contract.limits import UNREAD_COUNTED, UNREAD_LOOKED_AT
from tests.judge.history import DELETION_KIND, MESSAGE_KIND, History, Row
from tests.judge.marks import Mark

from .anomaly import Anomaly

Reader = tuple[str, int]
"""Room and user."""


def marks_hold(history: History) -> Iterator[Anomaly]:
    """I18: no mark goes back, each count is right, and what notices told is what a fresh list says."""
    yield from _moved_back(history)
    yield from _miscounted(history)
    yield from _disagreeing(history)


def _moved_back(history: History) -> Iterator[Anomaly]:
    """Find answers that are below what was asked for, or below an answer that came before their sending."""
    highest: dict[Reader, int] = defaultdict(int)
    due: dict[Mark, int] = {}
    answered = [mark for mark in history.marks if mark.invoked_at is not None]
    moments = [(mark.invoked_at or 0.0, False, mark) for mark in answered]
    moments += [(mark.at, True, mark) for mark in [*answered, *history.fresh_marks]]
    for _, is_told, mark in sorted(moments, key=lambda moment: moment[:2]):
        reader = mark.room, mark.user
        if not is_told:
            due[mark] = highest[reader]
            continue
        least = max(due.get(mark, 0 if mark.invoked_at else highest[reader]), min(mark.wanted, mark.head))
        if mark.read_seq < least:
            yield _of(mark, f"the mark is {mark.read_seq} where {least} was due")
        highest[reader] = max(highest[reader], mark.read_seq)


@dataclass
class _Said:
    """The seqs of messages, in order."""

    all: list[int] = field(default_factory=list)
    by_user: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    erased: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Of each user; it is not known at which moment they were erased or pruned."""
    deletions: dict[int, int] = field(default_factory=dict)
    """Seq of a message → seq of its deletion: those up to the head are not counted, the others are."""
    authors: dict[int, int] = field(default_factory=dict)

    def above(self, mark: Mark, blocked: Collection[int] = ()) -> tuple[int, int]:
        """Return how many messages of others are above a mark, at least and at most.

        Those of people whom the reader may have blocked count or not.
        """

        def between(seqs: list[int], end: int) -> int:
            return bisect_right(seqs, end) - bisect_right(seqs, mark.read_seq)

        end = min(mark.head, mark.read_seq + UNREAD_LOOKED_AT)
        most = between(self.all, mark.head) - between(self.by_user.get(mark.user, []), end)
        most -= sum(
            mark.read_seq < seq <= end and deletion <= mark.head and self.authors[seq] != mark.user
            for seq, deletion in self.deletions.items()
        )
        erased = sum(between(seqs, end) for user, seqs in self.erased.items() if user != mark.user)
        silent = sum(between(self.by_user.get(user, []), end) for user in blocked)
        return min(max(0, most - erased - silent), UNREAD_COUNTED), min(most, UNREAD_COUNTED)


def _miscounted(history: History) -> Iterator[Anomaly]:
    rooms: dict[str, _Said] = defaultdict(_Said)
    for row in sorted(history.rows, key=lambda row: row.seq):
        if row.kind == MESSAGE_KIND:
            said = rooms[row.room]
            said.all.append(row.seq)
            said.by_user[row.user].append(row.seq)
            said.authors[row.seq] = row.user
            is_erased = not row.text and not _is_deleted(history, row)
            if is_erased or history.retention.has_pruned(row.room, row.seq):
                said.erased[row.user].append(row.seq)
        elif row.kind == DELETION_KIND:
            rooms[row.room].deletions[row.target] = row.seq
    for mark in [*history.marks, *history.fresh_marks]:
        least, most = rooms[mark.room].above(mark, history.blocks.may_have_blocked(mark.user))
        if not least <= mark.unread <= most:
            what = f"{mark.unread} are unread above {mark.read_seq} up to {mark.head}, and should be {most}"
            yield _of(mark, what)


def _is_deleted(history: History, row: Row) -> bool:
    """Return True if an event took the text: it is known when."""
    return any(one.kind == DELETION_KIND for one in history.changes.get((row.room, row.seq), []))


def _disagreeing(history: History) -> Iterator[Anomaly]:
    for mark in history.fresh_marks:
        if mark.set_last and mark.notify != mark.set_last:
            yield _of(mark, f"the level is {mark.notify} where {mark.set_last} was set last")
    fresh = {(mark.room, mark.user): mark for mark in history.fresh_marks}
    for mark in history.known_marks:
        expected = fresh.get((mark.room, mark.user), mark)
        if mark.client not in history.connected_clients:
            continue
        if mark.read_seq != expected.read_seq:
            yield _of(mark, f"knows the mark {mark.read_seq} where the server has {expected.read_seq}")
        if mark.notify != expected.notify:
            yield _of(mark, f"knows the level {mark.notify} where the server has {expected.notify}")


def _of(mark: Mark, what: str) -> Anomaly:
    return Anomaly("I18", what, mark.room, mark.read_seq, mark.user, client=mark.client, at=mark.at)
