"""I30 and I36: whom messages mention, by the log, by what clients are told and in counts (G22, G27).

I36 is about messages that mention the whole room, and I30 about all others.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from roomlog_contract.limits import UNREAD_COUNTED
from tests.judge.history import DELETION_KIND, EDIT_KIND, MESSAGE_KIND, History, Row
from tests.judge.marks import Mark
from tests.judge.mentions import EVERYBODY

from .anomaly import Anomaly
from .changes import mentions_sent, states_of
from .standings import RANKS, Standings

SMALL: Final = 50
"""Members of a room in which everybody who may write may mention all."""


def mentions_agree(history: History) -> Iterator[Anomaly]:
    """I30: they are stored and told as they were sent, of members alone, and each reader's count is right."""
    yield from _of_strangers(history)
    yield from (one for one in _anomalies(history) if one.invariant == "I30")


def room_mentions_agree(history: History) -> Iterator[Anomaly]:
    """I36: likewise with one row for all, by those who may; all others in the room count it."""
    direct = frozenset(history.direct_rooms)
    standings = Standings(history)
    for row, standing in standings.rows():
        is_large = len(standing.roles) > SMALL and row.room not in direct
        if EVERYBODY in row.mentions and is_large and standings.rank(row.user, standing) < RANKS["admin"]:
            yield Anomaly.of("I36", row, "mentions everybody in a large room", seq=row.seq)
    yield from (one for one in _anomalies(history) if one.invariant == "I36")


def _anomalies(history: History) -> Iterator[Anomaly]:
    for row in history.rows:
        if row.kind in (MESSAGE_KIND, EDIT_KIND):
            yield from _stored_otherwise(history, row)
    yield from _told_otherwise(history)
    yield from _miscounted(history)


def _invariant(*mentions: tuple[int, ...]) -> str:
    return "I36" if any(EVERYBODY in users for users in mentions) else "I30"


def _stored_otherwise(history: History, row: Row) -> Iterator[Anomaly]:
    """Find a row that has others than were sent, or something of them after the message is gone."""
    message = row if row.kind == MESSAGE_KIND else history.row_at.get((row.room, row.target), row)
    due = () if message.is_deleted else mentions_sent(history, row)
    if row.mentions != due:
        what = f"mentions {row.mentions} instead of {due}"
        yield Anomaly.of(_invariant(row.mentions, due), row, what, seq=row.seq)
    if row is message and row.kind == MESSAGE_KIND:
        is_gone = row.is_deleted or history.retention.has_pruned(row.room, row.seq)
        present = () if is_gone else states_of(history, row)[-1].mentions
        others = tuple(user for user in present if user != row.user)
        due = (EVERYBODY,) if EVERYBODY in present else others
        blocks = history.blocks
        silent = {user for user in due if row.user in blocks.may_have_blocked(user)}
        if row.mentioned != due and not {*due} - silent <= {*row.mentioned} <= {*due}:
            what = f"has rows of mentions of {row.mentioned} instead of {due}"
            yield Anomaly.of(_invariant(row.mentioned, due), row, what, seq=row.seq)


def _of_strangers(history: History) -> Iterator[Anomaly]:
    """Find mentions of those who were no members when it was said."""
    stays: dict[tuple[str, int], list[tuple[int, int | None]]] = defaultdict(list)
    for one in history.memberships:
        stays[one.room, one.user].append((one.from_seq, one.to_seq))
    for row in history.rows:
        for user in {*row.mentions} - {EVERYBODY}:
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
            due = mentions_sent(history, row) if event.text else ()
            if event.mentions != due:
                about = reading.room, event.seq, event.user, event.uuid, reading.client, event.at
                yield Anomaly(
                    _invariant(event.mentions, due),
                    "was handed on with other mentions than were sent",
                    *about,
                )
    for one in history.shown:
        row = history.row_at.get((one.room, one.seq))
        if row is None or (one.room, one.seq) in history.changes:
            continue  # I17 and I19 say so
        due = mentions_sent(history, row) if one.text else ()
        if one.mentions != due:
            about = one.room, one.seq, one.user, row.uuid, one.client, one.at
            yield Anomaly(
                _invariant(one.mentions, due), "was shown with other mentions than were sent", *about
            )


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
        most, blocked = min(UNREAD_COUNTED, len(counted)), history.blocks.may_have_blocked(mark.user)
        # Of what was erased without an event, or pruned, it is not known when.
        gone = sum(
            (row.is_deleted and not _is_told(history, row))
            or history.retention.has_pruned(row.room, row.seq)
            or row.user in blocked
            for row in counted
        )
        if not min(UNREAD_COUNTED, len(counted) - gone) <= mark.unread_mentions <= most:
            what = f"{mark.unread_mentions} mentions are unread up to {mark.head}, and should be {most}"
            about = mark.room, mark.read_seq, mark.user
            due = (state.mentions for row in counted for state in states_of(history, row))
            yield Anomaly(_invariant(*due), what, *about, client=mark.client, at=mark.at)


def _counts(history: History, row: Row, mark: Mark) -> bool:
    """Return True if the message mentioned the reader as of the mark's head."""
    states = states_of(history, row)
    place = bisect_right([state.since for state in states], mark.head) - 1
    return not {mark.user, EVERYBODY}.isdisjoint(states[place].mentions)


def _is_told(history: History, row: Row) -> bool:
    return any(one.kind == DELETION_KIND for one in history.changes.get((row.room, row.seq), []))
