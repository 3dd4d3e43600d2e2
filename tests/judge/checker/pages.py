"""I39: a page of history is never older than what its asker knew (G6).

That a message is shown as it was at the page's head or after is I19's; this is about the head, about messages
that are not shown, and about what the same client was shown before.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.judge.history import MESSAGE_KIND, History
from tests.judge.pages import Glimpse, PageSeen

from .anomaly import Anomaly

NOTHING: Final = Glimpse(0)


def pages_are_fresh(history: History) -> Iterator[Anomaly]:
    """I39: its head is not below what the client knew, it lacks no message, and none goes back."""
    messages = {
        room: [row.seq for row in rows if row.kind == MESSAGE_KIND]
        for room, rows in history.rows_by_room.items()
    }
    shown: defaultdict[tuple[str, str, str, int], _Past] = defaultdict(_Past)
    for page in sorted(history.pages, key=lambda page: page.at):
        if page.epoch != _epoch_at(history, page):
            continue  # a restore may have taken what was known
        if page.head < page.known:
            yield _of(page, f"is as of {page.head}, after the client knew {page.known}")
        for seq in _missing(history, page, messages.get(page.room, [])):
            yield _of(page, f"lacks {seq}, which its head of {page.head} has", seq)
        for one in page.messages:
            past = shown[page.client, page.room, page.epoch, one.seq]
            if past.is_newer(one, page.asked_at):
                yield _of(page, f"shows {one.seq} as it was before what the client had been shown", one.seq)
            past.add(one, page.at)


def _epoch_at(history: History, page: PageSeen) -> str:
    """Return the epoch that had begun last when the answer came; the known one where no other had."""
    began = [one.epoch for one in sorted(history.epochs) if one.at <= page.at]
    return began[-1] if began else page.epoch


def _missing(history: History, page: PageSeen, messages: list[int]) -> list[int]:
    """Return the messages that the page had to show, and does not; what was pruned is shown no more."""
    seqs = [one.seq for one in page.messages]
    first, last = 1, page.head
    if page.after is not None:
        first = page.after + 1
        last = seqs[-1] if seqs and page.has_more else last
    else:
        last = last if page.before is None else min(last, page.before - 1)
        first = seqs[0] if seqs and page.has_more else first
    due = messages[bisect_left(messages, first) : bisect_right(messages, last)]
    missing = set(due).difference(seqs)
    return sorted(seq for seq in missing if not history.retention.has_pruned(page.room, seq))


@dataclass
class _Past:
    """What one client was shown of one message, the newest of each of its sides by then."""

    times: list[float] = field(default_factory=list)
    newest: list[Glimpse] = field(default_factory=list)

    def add(self, one: Glimpse, at: float) -> None:
        """Take in what is shown; call it in the order of time."""
        last = self.newest[-1] if self.newest else NOTHING
        self.times.append(at)
        edited_at, reacted_seq = max(one.edited_at, last.edited_at), max(one.reacted_seq, last.reacted_seq)
        self.newest.append(Glimpse(one.seq, one.is_deleted or last.is_deleted, edited_at, reacted_seq))

    def is_newer(self, one: Glimpse, asked_at: float) -> bool:
        """Tell whether something newer had been shown before the question."""
        place = bisect_left(self.times, asked_at)
        known = self.newest[place - 1] if place else NOTHING
        is_older = one.edited_at < known.edited_at or one.reacted_seq < known.reacted_seq
        return not one.is_deleted and (known.is_deleted or is_older)


def _of(page: PageSeen, what: str, seq: int | None = None) -> Anomaly:
    return Anomaly("I39", f"a page {what}", page.room, seq, page.user, client=page.client, at=page.at)
