"""Rooms of a good history that are written event by event, and changes of single facts in them.

Beside the forgeries, which say what is there and what is wrong with it. Each change is a function of the
history (`change_row`) and, for the tables, one that says which change to make (`stored`).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Concatenate, Final, ParamSpec

from tests.judge.history import (
    Applied,
    Attempt,
    Connection,
    History,
    Operation,
    Outcome,
    Reading,
    Row,
    Shown,
)
from tests.judge.moderation import as_sent

Facts = ParamSpec("Facts")
Spoil = Callable[[History], object]
Forgery = tuple[str, Spoil]
"""The one invariant that must flag it, and what spoils a good history: named after what is wrong."""
Table = dict[str, dict[str, Spoil | tuple[Spoil, ...]]]
"""By the one invariant that must flag it: what is wrong, which names the case, and what makes it so."""


def forgeries(table: Table) -> list[Forgery]:
    """Return the forgeries of a table."""
    return [
        (invariant, _forge(what, spoils if isinstance(spoils, tuple) else (spoils,)))
        for invariant, rows in table.items()
        for what, spoils in rows.items()
    ]


def _forge(what: str, spoils: Iterable[Spoil]) -> Spoil:
    def forge(history: History) -> None:
        for spoil in spoils:
            spoil(history)

    forge.__name__ = what
    return forge


def spoils(change: Callable[Concatenate[History, Facts], object]) -> Callable[Facts, Spoil]:
    """Turn a function that changes a history into one that says how to: for rows of a table."""

    def said(*args: Facts.args, **facts: Facts.kwargs) -> Spoil:
        return lambda history: change(history, *args, **facts)

    return said


def write(history: History, rows: Sequence[Row], began_at: float, reader: int) -> None:
    """Add a room's log, with whoever sent it, answered at once, and one client that read all of it."""
    history.rows += rows
    history.operations += [sent(row, began_at) for row in rows]
    client = f"reader-{rows[0].room[0]}"
    events = tuple(applied(row, began_at) for row in rows)
    history.readings.insert(-1, Reading(client, reader, rows[0].room, 0, events))
    history.connections.append(Connection(client, 1000 + reader, 0.0))


def write_on(history: History, rows: Sequence[Row], began_at: float) -> None:
    """Add to the end of a room's log, sent and answered at once, what its one reader was handed too."""
    history.rows += rows
    history.operations += [sent(row, began_at) for row in rows]
    place = next(index for index, one in enumerate(history.readings) if one.room == rows[0].room)
    reading = history.readings[place]
    events = (*reading.events, *(applied(row, began_at) for row in rows))
    history.readings[place] = reading._replace(events=events)


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


def change_row(history: History, /, room: str, seq: int, **facts: Any) -> None:
    """Change what the database has of an event."""
    index = next(index for index, row in enumerate(history.rows) if (row.room, row.seq) == (room, seq))
    history.rows[index] = history.rows[index]._replace(**facts)


def change_operation(history: History, /, room: str, seq: int, **facts: Any) -> None:
    """Change what was asked for that became an event."""
    index = next(i for i, one in enumerate(history.operations) if (one.room, one.seqs) == (room, (seq,)))
    history.operations[index] = history.operations[index]._replace(**facts)


def change_applied(history: History, /, room: str, seq: int, **facts: Any) -> None:
    """Change an event as the room's reader was handed it."""
    _change_reading(history, next(one for one in history.readings if one.room == room), seq, facts)


def change_handed(history: History, /, client: str, seq: int, **facts: Any) -> None:
    """Change an event as one client was handed it."""
    _change_reading(history, next(one for one in history.readings if one.client == client), seq, facts)


def _change_reading(history: History, reading: Reading, seq: int, facts: dict[str, Any]) -> None:
    place = history.readings.index(reading)
    events = (one._replace(**facts) if one.seq == seq else one for one in reading.events)
    history.readings[place] = reading._replace(events=tuple(events))


def change_event(history: History, /, room: str, seq: int, **facts: Any) -> None:
    """Change an event wherever it is known, so that nothing but the rules is against it."""
    change_row(history, room, seq, **facts)
    row = next(row for row in history.rows if (row.room, row.seq) == (room, seq))
    told = {name: value for name, value in facts.items() if name in Operation._fields}
    if "moderation" in told:
        told["moderation"] = as_sent(row.kind, row.moderation)
    change_operation(history, room, seq, **told)
    handed = {name: value for name, value in facts.items() if name in Applied._fields}
    change_applied(history, room, seq, **handed)


def change_shown(history: History, /, room: str, seq: int, head: int, **facts: Any) -> None:
    """Change what a history as of `head` showed of a message."""
    _change_view(history.shown, room, seq, head, facts)


def change_believed(history: History, /, room: str, seq: int, head: int, **facts: Any) -> None:
    """Change what a client that has had all up to `head` believes of a message."""
    _change_view(history.believed, room, seq, head, facts)


def _change_view(found: list[Shown], room: str, seq: int, head: int, facts: dict[str, Any]) -> None:
    index = next(i for i, one in enumerate(found) if (one.room, one.seq, one.head) == (room, seq, head))
    found[index] = found[index]._replace(**facts)


def forget_view(history: History, room: str, seq: int) -> None:
    """Have no history shown, and no client believe anything, of a message."""
    for name in ("shown", "believed"):
        leave_out(history, name, lambda one: (one.room, one.seq) == (room, seq))


def change_entry(history: History, /, name: str, index: int, **facts: Any) -> None:
    """Change an entry of one of the history's lists."""
    entries = getattr(history, name)
    entries[index] = entries[index]._replace(**facts)


def leave_out(history: History, name: str, is_gone: Callable[[Any], bool]) -> None:
    """Take entries out of one of the history's lists."""
    setattr(history, name, [one for one in getattr(history, name) if not is_gone(one)])


stored: Final = spoils(change_row)
asked: Final = spoils(change_operation)
handed: Final = spoils(change_applied)
handed_to: Final = spoils(change_handed)
changed: Final = spoils(change_event)
shown: Final = spoils(change_shown)
believed: Final = spoils(change_believed)
unseen: Final = spoils(forget_view)
entry: Final = spoils(change_entry)
without: Final = spoils(leave_out)
