"""Read marks as clients are told of them, in the words of the checker."""

from typing import NamedTuple


class Mark(NamedTuple):
    """A read mark as a client was told of it: by an answer, by a notice, or by a list of rooms."""

    client: str
    user: int
    room: str
    at: float
    head: int
    """The room's last seq at that moment."""
    read_seq: int
    unread: int
    wanted: int = 0
    """The seq that the client had asked for, where this is the answer."""
    invoked_at: float | None = None
    """When it first asked; None where it did not."""
    unread_mentions: int = 0
    notify: str = "all"
    """The level of notifications, told with the mark."""
    set_last: str = ""
    """In a fresh list: the level that was set last, when nothing was broken any more and before the list."""
