"""Notes what clients are told that no log has: who types, who is there, and who has read what.

Beside the journal, which says who was told; nothing is judged here.
"""

from typing import TYPE_CHECKING

from roomlog_client import RoomPresence, RoomReceipts, RoomTyping

from .attendance import ToldPresence
from .receipts import ToldMarks
from .typists import ToldTypists

if TYPE_CHECKING:
    from .journal import Journal

Hint = RoomTyping | RoomPresence | RoomReceipts
Who = tuple[str, int, str, float, int | None]
"""Client, user, room, time, and how far the client was handed the room."""


def note_hint(journal: "Journal", who: Who, connection: int, hint: Hint) -> ToldPresence | None:
    """Note what a client was told on a connection; return it if it says who is there."""
    match hint:
        case RoomTyping():
            journal.typists.append(ToldTypists(*who, tuple(user.id for user in hint.users)))
        case RoomReceipts():
            marks = tuple((mark.user, mark.seq) for mark in hint.marks)
            journal.receipts.told.append(ToldMarks(*who, connection, hint.epoch, marks))
        case RoomPresence():
            told = ToldPresence(*who, None if hint.users is None else tuple(hint.users), hint.count)
            journal.attendance.told.append(told)
            return told
    return None
