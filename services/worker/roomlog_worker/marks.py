"""Moves the read marks that a lane's entries ask for, in one statement, and says whose sockets hear of it.

Between a `read` stream and its answers. A mark is no event: it needs no lease, no head's lock and no seq.
Logins and cursors wait in the same stream, so a mark that can't be written now is given up: its client
repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError, InterfaceError

from roomlog.read_marks import Pair, move_marks
from roomlog_contract.commands import MarkRead
from roomlog_contract.envelope import Marked
from roomlog_contract.events import RoomSummary

from .bus import ChannelNotice
from .entries import Entry


@dataclass(frozen=True, slots=True)
class Marks:
    """What became of a batch's marks."""

    rooms: Mapping[Pair, RoomSummary] = field(default_factory=dict)
    """How each sender sees the room now; strangers are missing."""
    notices: Sequence[ChannelNotice] = ()
    error: Exception | None = None
    """Why none was written: the database is read-only, full, or somebody locks a membership."""


NONE: Final = Marks()


def is_mark(entry: Entry) -> bool:
    """Tell whether the entry asks for a mark."""
    return isinstance(entry.envelope.command, MarkRead)


def move(entries: Sequence[Entry]) -> Marks:
    """Move marks to the greatest seq that the entries ask for; committed on return.

    A repeat is announced too: its first owner may have died before it could. A mark that another device has
    moved beyond was announced with that.
    """
    wanted: dict[Pair, int] = {}
    for entry in entries:
        if isinstance(command := entry.envelope.command, MarkRead):
            pair = command.room, entry.envelope.user
            wanted[pair] = max(command.seq, wanted.get(pair, 0))
    if not wanted:
        return NONE
    try:
        rooms = move_marks(wanted)
    except (DatabaseError, InterfaceError) as error:
        return Marks(error=error)
    notices = [
        (user, Marked(one)) for (room, user), one in rooms.items() if one.read_seq <= wanted[room, user]
    ]
    return Marks(rooms, notices)
