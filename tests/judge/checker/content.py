"""I17: what a room accepted while it was open, and what its members read of that (G15)."""

from collections.abc import Iterator

from tests.judge.history import MESSAGE_KIND, History, Key

from .anomaly import Anomaly


def content_is_as_accepted(history: History) -> Iterator[Anomaly]:
    """I17: an archived room takes nothing, and a message's data is stored and read as it was sent."""
    yield from _written_while_archived(history)
    for row in history.rows:
        if row.kind == MESSAGE_KIND and not _is_as_sent(history, row.key, row.text, row.data):
            yield Anomaly.of("I17", row, "has other data than was sent", seq=row.seq)
    for reading in history.readings:
        for event in reading.events:
            if not _is_as_sent(history, (reading.room, event.user, event.uuid), event.text, event.data):
                about = reading.room, event.seq, event.user, event.uuid, reading.client, event.at
                yield Anomaly("I17", "was handed on with other data than was sent", *about)
    yield from _shown_otherwise(history)


def _written_while_archived(history: History) -> Iterator[Anomaly]:
    """Between its archiving and its restoration a room is left by deleted accounts, and no more."""
    deleted = {departure.user for departure in history.departures}
    leavings = {(one.room, one.to_seq) for one in history.memberships if one.user in deleted}
    for rows in history.rows_by_room.values():
        archived_at = 0
        for row in rows:
            if row.kind == "restore_room":
                archived_at = 0
            elif archived_at and (row.kind != "remove_user" or (row.room, row.seq) not in leavings):
                yield Anomaly.of("I17", row, f"is in a room that was archived at {archived_at}", seq=row.seq)
            elif row.kind == "archive_room":
                archived_at = row.seq


def _shown_otherwise(history: History) -> Iterator[Anomaly]:
    for one in history.shown:
        row = history.row_at.get((one.room, one.seq))
        is_good = (
            row is not None
            and row.user == one.user
            and ((one.room, one.seq) in history.changes or one.text in history.texts_handed_on(row))
            and _is_as_sent(history, row.key, one.text, one.data)
        )
        if not is_good:
            about = one.room, one.seq, one.user, row.uuid if row else "", one.client, one.at
            yield Anomaly("I17", "was shown otherwise than it was sent", *about)


def _is_as_sent(history: History, key: Key, text: str, data: str) -> bool:
    """Return True if a message has the data that went with it, or none where an erasure took its text."""
    operation = history.operation_of.get(key)
    if operation is None:
        return True  # I5 says so
    is_erased = not text and history.may_be_erased(operation)
    return data == ("" if is_erased else operation.data)
