"""I19 to I21: edits and deletions, what they leave of a message, and for whom (G17)."""

from collections.abc import Iterator
from typing import NamedTuple

from tests.judge.history import DELETION_KIND, EDIT_KIND, MESSAGE_KIND, History, Row, Shown

from .anomaly import Anomaly
from .standings import RANKS, STAFF, Standings


def present_state_agrees(history: History) -> Iterator[Anomaly]:
    """I19: a message is shown as the log left it, afresh and by followers, and points to its last edit."""
    for one in history.shown:
        if (one.room, one.seq) in history.changes and not _is_state_since(history, one):
            yield _of("I19", history, one, f"was shown otherwise than it was at {one.head} or after")
    for one in history.believed:
        if not _is_state_since(history, one):
            yield _of("I19", history, one, f"is known at rest otherwise than it was at {one.head} or after")
    for row in history.rows:
        if row.kind == MESSAGE_KIND:
            edits = (one.seq for one in _changes(history, row) if one.kind == EDIT_KIND)
            last = max(edits, default=0)
            if row.edited_seq != last:
                what = f"points to {row.edited_seq} as its last edit, which is {last}"
                yield Anomaly.of("I19", row, what, seq=row.seq)


class _State(NamedTuple):
    """A message from a seq on."""

    since: int
    text: str
    edited_at: int | None
    mentions: tuple[int, ...] = ()
    is_deleted: bool = False


def states_of(history: History, row: Row) -> list[_State]:
    """Return what a message was, from its own seq on; texts and mentions are those that were sent."""
    states = [_State(row.seq, _sent(history, row), None, mentions_sent(history, row))]
    for one in _changes(history, row):
        if one.kind == DELETION_KIND:
            states.append(_State(one.seq, "", None, is_deleted=True))
        elif not states[-1].is_deleted:
            text, mentions = _sent(history, one), mentions_sent(history, one)
            states.append(_State(one.seq, text, one.at_ms, mentions))
    return states


def mentions_sent(history: History, row: Row) -> tuple[int, ...]:
    """Return whom a message or an edit was sent with: the row may have lost them."""
    operation = history.operation_of.get(row.key)
    return row.mentions if operation is None else operation.mentions


def _is_state_since(history: History, one: Shown) -> bool:
    row = history.row_at.get((one.room, one.seq))
    if row is None:
        return True  # I8 and I17 say so
    if one.is_deleted:  # when it was edited before is of no interest
        return not one.text and not one.mentions and row.is_deleted
    states = states_of(history, row)
    first = max(index for index, state in enumerate(states) if index == 0 or state.since <= one.head)
    shown = one.text, one.edited_at, one.mentions, False
    return any(state[1:] == shown for state in states[first:])


def changes_are_allowed(history: History) -> Iterator[Anomaly]:
    """I20: what is edited is one's own, what is deleted was not, by its author, an admin or an owner."""
    for (room, seq), changes in history.changes.items():
        message = history.row_at.get((room, seq))
        is_deleted = False
        for one in changes:
            if message is None or message.kind != MESSAGE_KIND or seq >= one.seq:
                yield Anomaly.of("I20", one, f"changes {seq}, which is no earlier message", seq=one.seq)
            elif is_deleted:
                yield Anomaly.of("I20", one, f"changes {seq}, which is deleted", seq=one.seq)
            elif one.kind == EDIT_KIND and one.user != message.user:
                yield Anomaly.of("I20", one, f"edits {seq}, which {message.user} has said", seq=one.seq)
            is_deleted = is_deleted or one.kind == DELETION_KIND
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    for row, standing in standings.rows():
        said = history.row_at.get((row.room, row.target)) if row.kind == DELETION_KIND else None
        if said is not None and said.user != row.user:
            rank = standings.rank(row.user, standing)
            if rank < RANKS["admin"] or (row.room in direct and rank != STAFF):
                yield Anomaly.of("I20", row, f"deletes {row.target}, which {said.user} has said", seq=row.seq)


def deleted_is_gone(history: History) -> Iterator[Anomaly]:
    """I21: of a deleted message no text, data or hash is left, nor of its edits, and no newcomer reads it."""
    for row in history.rows:
        if row.kind != MESSAGE_KIND:
            continue
        changes = _changes(history, row)
        is_told = any(one.kind == DELETION_KIND for one in changes)
        if row.is_deleted and not is_told and not _may_be_erased(history, row):
            yield Anomaly.of("I21", row, "is deleted, and nobody did that", seq=row.seq)
        elif is_told and not row.is_deleted:
            yield Anomaly.of("I21", row, "is not marked as deleted", seq=row.seq)
        elif row.is_deleted:
            left = (one for one in (row, *changes) if one.kind != DELETION_KIND)
            for one in left:
                if one.text or one.data or one.body_hash:
                    yield Anomaly.of("I21", one, f"has something of {row.seq}, which is deleted", seq=one.seq)
    yield from _read_by_newcomers(history)


def _read_by_newcomers(history: History) -> Iterator[Anomaly]:
    """Find texts that were handed to a client that came when the deletion had been answered."""
    came_at: dict[str, float] = {}
    for connection in history.connections:
        came_at.setdefault(connection.client, connection.opened_at)
    gone_at: dict[tuple[str, int], float] = {}
    for (room, seq), changes in history.changes.items():
        answers = (history.operation_of.get(one.key) for one in changes if one.kind == DELETION_KIND)
        times = [one.answered_at for one in answers if one is not None and one.answered_at is not None]
        if times:
            edits = (one.seq for one in changes if one.kind == EDIT_KIND)
            gone_at |= dict.fromkeys(((room, place) for place in (seq, *edits)), min(times))
    for reading in history.readings:
        came = came_at.get(reading.client, 0.0)
        for event in reading.events:
            if event.text and came > gone_at.get((reading.room, event.seq), came):
                about = reading.room, event.seq, event.user, event.uuid, reading.client, event.at
                yield Anomaly("I21", "was deleted and handed on with its text", *about)


def _changes(history: History, row: Row) -> list[Row]:
    return history.changes.get((row.room, row.seq), [])


def _sent(history: History, row: Row) -> str:
    """Return the text that a message or an edit was sent with: the row may have lost it."""
    operation = history.operation_of.get(row.key)
    return row.text if operation is None else operation.text


def _may_be_erased(history: History, row: Row) -> bool:
    operation = history.operation_of.get(row.key)
    return operation is None or history.may_be_erased(operation)


def _of(invariant: str, history: History, one: Shown, what: str) -> Anomaly:
    row = history.row_at.get((one.room, one.seq))
    uuid = row.uuid if row else ""
    return Anomaly(invariant, what, one.room, one.seq, one.user, uuid, one.client, one.at)
