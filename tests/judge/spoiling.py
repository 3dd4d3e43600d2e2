"""Rooms of a good history that are written event by event, and changes of single facts in them.

Beside the forgeries of moderation and pins, which say what is there and what is wrong with it.
"""

from collections.abc import Sequence
from typing import Any

from tests.judge.history import Applied, Attempt, Connection, History, Operation, Outcome, Reading, Row
from tests.judge.moderation import as_sent


def write(history: History, rows: Sequence[Row], began_at: float, reader: int) -> None:
    """Add a room's log, with whoever sent it, answered at once, and one client that read all of it."""
    history.rows += rows
    history.operations += [sent(row, began_at) for row in rows]
    client = f"reader-{rows[0].room[0]}"
    events = tuple(applied(row, began_at) for row in rows)
    history.readings.insert(-1, Reading(client, reader, rows[0].room, 0, events))
    history.connections.append(Connection(client, 1000 + reader, 0.0))


def sent(row: Row, began_at: float) -> Operation:
    """Return what became a row, answered at once."""
    at = began_at + row.seq
    attempts = (Attempt(int(began_at) * 10 + row.user, row.seq, at, at + 0.1, Outcome.SUCCESS),)
    facts = (row.user, row.room, row.uuid, row.text, attempts, (row.seq,), at + 0.1, row.data)
    asked = as_sent(row.kind, row.moderation)
    return Operation(f"sender-{row.user}", *facts, row.kind, row.target, row.emoji, asked)


def applied(row: Row, began_at: float) -> Applied:
    """Return a row as a client was handed it."""
    at = began_at + row.seq
    return Applied(row.seq, row.user, row.uuid, row.text, at, row.data, row.emoji, row.moderation)


def change_row(history: History, room: str, seq: int, **facts: Any) -> None:
    """Change what the database has of an event."""
    index = next(index for index, row in enumerate(history.rows) if (row.room, row.seq) == (room, seq))
    history.rows[index] = history.rows[index]._replace(**facts)


def change_operation(history: History, room: str, seq: int, **facts: Any) -> None:
    """Change what was asked for that became an event."""
    index = next(i for i, one in enumerate(history.operations) if (one.room, one.seqs) == (room, (seq,)))
    history.operations[index] = history.operations[index]._replace(**facts)


def change_applied(history: History, room: str, seq: int, **facts: Any) -> None:
    """Change an event as the room's reader was handed it."""
    place = next(index for index, one in enumerate(history.readings) if one.room == room)
    reading = history.readings[place]
    events = (one._replace(**facts) if one.seq == seq else one for one in reading.events)
    history.readings[place] = reading._replace(events=tuple(events))


def change_event(history: History, room: str, seq: int, **facts: Any) -> None:
    """Change an event wherever it is known, so that nothing but the rules is against it."""
    change_row(history, room, seq, **facts)
    row = next(row for row in history.rows if (row.room, row.seq) == (room, seq))
    told = {name: value for name, value in facts.items() if name in Operation._fields}
    if "moderation" in told:
        told["moderation"] = as_sent(row.kind, row.moderation)
    change_operation(history, room, seq, **told)
    handed = {name: value for name, value in facts.items() if name in Applied._fields}
    change_applied(history, room, seq, **handed)
