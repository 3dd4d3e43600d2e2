"""A room in a list of rooms: what clients are told of it before they select it."""

from uuid import UUID

from msgspec import Struct


class RoomSummary(Struct, frozen=True):
    """A room as one of its members sees it."""

    id: UUID
    name: str
    kind: str
    epoch: str
    seq: int
    """The head: the seq of the last event."""
    read_seq: int
    """The member's read mark: all up to it was read, on whichever device."""
    unread: int
    """Messages of others above the mark; UNREAD_COUNTED stands for that many and more."""
    archived: bool = False
    unread_mentions: int = 0
    """Messages above the mark that mention the member, but not the own; UNREAD_COUNTED as above."""
    topic: str = ""
    """What the room is about, where anybody has said so."""
    notify: str = "all"
    """Of which messages the member wants to be told: all, mentions or none."""
    discoverable: bool = False
    """Everybody may find the room and join it."""
    receipts: bool = False
    """Those who watch the room are told how far its members have read, unless they are too many."""
