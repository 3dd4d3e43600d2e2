"""Moves read marks, sets levels of notifications as a lane's entries ask, and says whose sockets hear of it.

Between a `read` stream and its answers. Neither is an event: it needs no lease, no head's lock and no seq.
Logins and cursors wait in the same stream, so a mark that can't be written now is given up: its client
repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError, InterfaceError

from roomlog.notification_levels import set_levels
from roomlog.read_marks import Pair, move_marks
from roomlog.receipts import have_read
from roomlog_contract.commands import MarkRead, OwnView, SetNotifications
from roomlog_contract.envelope import Marked
from roomlog_contract.events import RoomSummary

from .bus import ChannelNotice
from .entries import Entry


@dataclass(frozen=True, slots=True)
class Marks:
    """What became of a batch's marks and levels."""

    rooms: Mapping[Pair, RoomSummary] = field(default_factory=dict)
    """How each sender sees the room now; strangers are missing."""
    notices: Sequence[ChannelNotice] = ()
    error: Exception | None = None
    """Why none was written: the database is read-only, full, or somebody locks a membership."""


NONE: Final = Marks()


def is_mark(entry: Entry) -> bool:
    """Tell whether the entry asks for a mark or a level."""
    return isinstance(entry.envelope.command, OwnView)


def move(entries: Sequence[Entry]) -> Marks:
    """Move marks to the greatest seq that the entries ask for, set the last levels; committed on return.

    A repeat is announced too: its first owner may have died before it could. A mark that another device has
    moved beyond was announced with that. Rooms that show receipts hear of it too.
    """
    wanted: dict[Pair, int] = {}
    levels: dict[Pair, str] = {}
    for entry in entries:
        match entry.envelope.command:
            case MarkRead(room=room, seq=seq):
                pair = room, entry.envelope.user
                wanted[pair] = max(seq, wanted.get(pair, 0))
            case SetNotifications(room=room, notify=notify):
                pair = room, entry.envelope.user
                levels[pair] = notify
                wanted.setdefault(pair, 0)  # moves nothing, and brings the room as it is then
            case _:
                pass
    if not wanted:
        return NONE
    try:
        set_levels(levels)
        rooms = move_marks(wanted)
        told = {pair: one for pair, one in rooms.items() if one.read_seq <= wanted[pair] or pair in levels}
        receipts = have_read(told)
    except (DatabaseError, InterfaceError) as error:
        return Marks(error=error)
    notices: list[ChannelNotice] = [(user, Marked(one)) for (_, user), one in told.items()]
    return Marks(rooms, [*notices, *receipts])
