"""I8, I9, I11 and I14: what each client was handed against the room's log (G3, G5, G6, G9, G10)."""

from collections.abc import Iterator

from tests.judge.history import Applied, History, Reading, Row
from tests.judge.moderation import MODERATION

from .anomaly import Anomaly
from .retention import is_behind_the_horizon


def reading_is_contiguous(history: History) -> Iterator[Anomaly]:
    """I8: each client's events are a contiguous range of the log from its cursor on, bodies intact."""
    for reading in history.readings:
        yield from _first(_breaks(history, reading))


def _breaks(history: History, reading: Reading) -> Iterator[Anomaly]:
    cursor, resets = reading.start, iter(reading.resets)
    reset = next(resets, None)
    compared_from = reading.resets[-1].position if reading.resets else 0
    """What was applied before a reset was of a log that a restored database no longer has."""
    for position, event in enumerate(reading.events):
        while reset is not None and reset.position == position:
            cursor, reset = reset.to_seq, next(resets, None)
        row = history.row_at.get((reading.room, event.seq))
        if event.seq != cursor + 1:
            yield _of("I8", reading, event, f"was applied where {cursor + 1} was due")
        elif position < compared_from:
            pass
        elif row is None:
            yield _of("I8", reading, event, "was applied and is not in the log")
        elif not _is_same(row, event):
            yield _of("I8", reading, event, "was applied as another event than the log has")
        elif event.text not in history.texts_handed_on(row):
            yield _of("I8", reading, event, "was applied with other content than the log has")
        cursor = event.seq


def _is_same(row: Row, event: Applied) -> bool:
    is_about_the_same = row.kind not in MODERATION or row.moderation == event.moderation
    return (row.user, row.uuid, row.emoji) == (event.user, event.uuid, event.emoji) and is_about_the_same


def head_is_reached(history: History) -> Iterator[Anomaly]:
    """I9: at rest every connected member has the head of each room that it follows."""
    if not history.at_rest:
        return
    for reading in history.readings:
        rows = history.rows_by_room.get(reading.room)
        is_member = history.membership_ends.get((reading.room, reading.user), 0) is None
        follows = is_member and not reading.left
        if rows and follows and reading.client in history.connected_clients and reading.cursor < rows[-1].seq:
            what = f"has {reading.cursor} at rest where the head is {rows[-1].seq}"
            about = reading.room, reading.cursor, reading.user, "", reading.client
            yield Anomaly("I9", what, *about)


def receivers_are_members(history: History) -> Iterator[Anomaly]:
    """I11: nobody is handed an event of a room after the event that ended the membership, or without one."""
    for reading in history.readings:
        end = history.membership_ends.get((reading.room, reading.user), 0)
        if end is not None:
            beyond = (event for event in reading.events if event.seq > end)
            what = f"was received by no member (until {end})"
            yield from _first(_of("I11", reading, event, what) for event in beyond)


def reset_is_allowed(history: History) -> Iterator[Anomaly]:
    """I14: a cursor is reset only to another epoch that began before, or if what is next was pruned (G6)."""
    began = {epoch.epoch: epoch.at for epoch in reversed(history.epochs)}
    for reading in history.readings:
        for reset in reading.resets:
            is_new = reset.from_epoch != reset.to_epoch or is_behind_the_horizon(history, reading, reset)
            if not is_new or began.get(reset.to_epoch, reset.at + 1) > reset.at:
                what = f"was reset from epoch {reset.from_epoch} to {reset.to_epoch}, which nobody made"
                about = reading.room, None, reading.user, "", reading.client, reset.at
                yield Anomaly("I14", what, *about)


def _first(anomalies: Iterator[Anomaly]) -> Iterator[Anomaly]:
    """Yield only the first: after it the rest of a reading is out of step and says nothing new."""
    for anomaly in anomalies:
        yield anomaly
        return


def _of(invariant: str, reading: Reading, event: Applied, what: str) -> Anomaly:
    return Anomaly(invariant, what, reading.room, event.seq, event.user, event.uuid, reading.client, event.at)
