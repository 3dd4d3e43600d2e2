"""I30: whom messages mention, by the log, by what clients are told and what counts as unread (G22)."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator

from roomlog_contract.limits import UNREAD_COUNTED
from tests.judge.history import DELETION_KIND, EDIT_KIND, MESSAGE_KIND, History, Row
from tests.judge.marks import Mark

from .anomaly import Anomaly
from .changes import mentions_sent, states_of


def mentions_agree(history: History) -> Iterator[Anomaly]:
    """I30: they are stored and told as they were sent, of members alone, and each reader's count is right."""
    for row in history.rows:
        if row.kind in (MESSAGE_KIND, EDIT_KIND):
            yield from _stored_otherwise(history, row)
    yield from _of_strangers(history)
    yield from _told_otherwise(history)
    yield from _miscounted(history)


def _stored_otherwise(history: History, row: Row) -> Iterator[Anomaly]:
    """Find a row that has others than were sent, or something of them after the message is gone."""
    message = row if row.kind == MESSAGE_KIND else history.row_at.get((row.room, row.target), row)
    due = () if message.is_deleted else mentions_sent(history, row)
    if row.mentions != due:
        yield Anomaly.of("I30", row, f"mentions {row.mentions} instead of {due}", seq=row.seq)
    if row is message and row.kind == MESSAGE_KIND:
        is_gone = row.is_deleted or history.retention.has_pruned(row.room, row.seq)
        present = () if is_gone else states_of(history, row)[-1].mentions
        others = tuple(user for user in present if user != row.user)
        if row.mentioned != others:
            what = f"has rows of mentions of {row.mentioned} instead of {others}"
            yield Anomaly.of("I30", row, what, seq=row.seq)


def _of_strangers(history: History) -> Iterator[Anomaly]:
    """Find mentions of those who were no members when it was said."""
    stays: dict[tuple[str, int], list[tuple[int, int | None]]] = defaultdict(list)
    for one in history.memberships:
        stays[one.room, one.user].append((one.from_seq, one.to_seq))
    for row in history.rows:
        for user in row.mentions:
            spans = stays.get((row.room, user), [])
            if not any(first < row.seq and (last is None or row.seq < last) for first, last in spans):
                yield Anomaly.of("I30", row, f"mentions {user}, who is no member", seq=row.seq)


def _told_otherwise(history: History) -> Iterator[Anomaly]:
    """Find events and messages with others than were sent, except that those of a lost text have none."""
    for reading in history.readings:
        for event in reading.events:
            row = history.row_at.get((reading.room, event.seq))
            if row is None or row.uuid != event.uuid or row.kind not in (MESSAGE_KIND, EDIT_KIND):
                continue  # I8 says so
            if event.mentions != (mentions_sent(history, row) if event.text else ()):
                about = reading.room, event.seq, event.user, event.uuid, reading.client, event.at
                yield Anomaly("I30", "was handed on with other mentions than were sent", *about)
    for one in history.shown:
        row = history.row_at.get((one.room, one.seq))
        if row is None or (one.room, one.seq) in history.changes:
            continue  # I17 and I19 say so
        if one.mentions != (mentions_sent(history, row) if one.text else ()):
            about = one.room, one.seq, one.user, row.uuid, one.client, one.at
            yield Anomaly("I30", "was shown with other mentions than were sent", *about)


def _miscounted(history: History) -> Iterator[Anomaly]:
    """Find counts of unread mentions that are not those as of the head."""
    mentioning: dict[str, list[Row]] = defaultdict(list)
    for row in history.rows:
        if row.kind == MESSAGE_KIND and any(state.mentions for state in states_of(history, row)):
            mentioning[row.room].append(row)
    for mark in [*history.marks, *history.fresh_marks]:
        counted = [
            row
            for row in mentioning[mark.room]
            if mark.read_seq < row.seq <= mark.head and row.user != mark.user and _counts(history, row, mark)
        ]
        most = min(UNREAD_COUNTED, len(counted))
        # Of what was erased without an event, or pruned, it is not known when.
        gone = sum(
            (row.is_deleted and not _is_told(history, row)) or history.retention.has_pruned(row.room, row.seq)
            for row in counted
        )
        if not min(UNREAD_COUNTED, len(counted) - gone) <= mark.unread_mentions <= most:
            what = f"{mark.unread_mentions} mentions are unread up to {mark.head}, and should be {most}"
            about = mark.room, mark.read_seq, mark.user
            yield Anomaly("I30", what, *about, client=mark.client, at=mark.at)


def _counts(history: History, row: Row, mark: Mark) -> bool:
    """Return True if the message mentioned the reader as of the mark's head."""
    states = states_of(history, row)
    place = bisect_right([state.since for state in states], mark.head) - 1
    return mark.user in states[place].mentions


def _is_told(history: History, row: Row) -> bool:
    return any(one.kind == DELETION_KIND for one in history.changes.get((row.room, row.seq), []))
