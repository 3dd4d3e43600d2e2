"""How far others have read, as clients were told it and the database has it, in the checker's words."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from roomlog_contract.limits import RECEIPT_MEMBERS

RECEIPTS_KIND: Final = "set_receipts"
"""The kind of rows that say whether a room shows receipts."""


class ToldMarks(NamedTuple):
    """A client was told how far members of a room have read."""

    client: str
    user: int
    room: str
    at: float
    seq: int | None
    """How far the client was handed the room; None: it did not follow it."""
    connection: int
    epoch: str
    marks: tuple[tuple[int, int], ...]
    """Users and seqs."""


class MarksAtRest(NamedTuple):
    """What a watcher knows a while after the last mark."""

    client: str
    user: int
    room: str
    at: float
    marks: tuple[tuple[int, int], ...]
    among: tuple[int, ...] | None = None
    """The users whose last mark was a while before; None: all."""


@dataclass(kw_only=True)
class Receipts:
    """All that was told of it in one run, and what is stored after it."""

    told: list[ToldMarks] = field(default_factory=list)
    at_rest: list[MarksAtRest] = field(default_factory=list)
    stored: dict[str, dict[int, int]] = field(default_factory=dict)
    """The marks of all members of those rooms that show them and are small enough, by user."""
    listed: set[str] = field(default_factory=set)
    """Rooms that showed receipts when the marks were listed in the end."""


def shown_marks(rows: Iterable[tuple[str, int, int]]) -> dict[str, dict[int, int]]:
    """Return what is told of rooms that show receipts, of their memberships: room, user and mark."""
    marks: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for room, user, seq in rows:
        marks[room][user] = seq
    return {room: known for room, known in marks.items() if len(known) <= RECEIPT_MEMBERS}
